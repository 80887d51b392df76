// Time and randomness, and the deadline of the invocation at hand. The deadline is set once, at the edge; every storage and network
// call below reads it from here, so that no function passes a signal along.
import { randomBytes, randomInt } from 'node:crypto';
import { AsyncLocalStorage } from 'node:async_hooks';
import { setMaxListeners } from 'node:events';

/** Tells the current instant. */
export type Clock = () => Date;

export const systemClock: Clock = () => new Date();

/** 128 random bits as 22 base64url characters: mail ids and the `jti` of reset keys. Never begins with `-`, as an option does. */
export function newId(): string {
  const id = randomBytes(16).toString('base64url');
  return id.startsWith('-') ? newId() : id;
}

/** A whole number drawn evenly from `min` to `max`, both included; used to spread retries. */
export function randomBetween(min: number, max: number): number {
  return randomInt(Math.floor(min), Math.floor(max) + 1);
}

const current = new AsyncLocalStorage<{ readonly signal: AbortSignal; readonly tryMs: number }>();

/** How long one try of a storage call may take, in ms: one that hangs still leaves time for another within the 4 s of an answer. */
const invocationTryMs = 1500;
/** A command line has more time, and needs it: its first call waits for the sign-in by the Azure CLI. */
const commandTryMs = 10_000;

/** Work outside of any deadline (a command line) is bounded by this much per call, in ms. */
const unboundMs = 60_000;

/**
 * Runs a task under a deadline of its own: calls made inside are aborted when it passes.
 * A nested deadline replaces the outer one, since recording a sent mail must not be cut short by the time that the send took.
 * @param limit ms from now on, or a signal (a command line's Ctrl-C)
 */
export function withDeadline<T>(limit: number | AbortSignal, task: () => Promise<T>): Promise<T> {
  if (typeof limit === 'number') {
    return withTimer(limit, (signal) => runUnder(signal, invocationTryMs, task));
  }
  return runUnder(limit, commandTryMs, task);
}

function runUnder<T>(signal: AbortSignal, tryMs: number, task: () => Promise<T>): Promise<T> {
  setMaxListeners(0, signal); // every call in flight listens to it
  return current.run({ signal, tryMs }, task);
}

/**
 * Runs a task under a signal that aborts after `ms`, or together with another signal. Unlike `AbortSignal.timeout` and `any` it leaves
 * nothing behind: a timer that fires after its call has ended creates an exception, with its stack, for nothing.
 */
export async function withTimer<T>(
  ms: number,
  task: (signal: AbortSignal) => Promise<T>,
  other?: AbortSignal,
): Promise<T> {
  const own = new AbortController();
  const follow = (): void => own.abort(other?.reason);
  const timer = setTimeout(() => own.abort(timeoutError()), ms);
  if (other?.aborted === true) follow();
  else other?.addEventListener('abort', follow, { once: true });
  try {
    return await task(own.signal);
  } finally {
    clearTimeout(timer);
    other?.removeEventListener('abort', follow);
  }
}

const timeoutError = (): Error => Object.assign(new Error('The operation timed out'), { name: 'TimeoutError' });

/** The signal to hand to a storage or network client. */
export function deadline(): AbortSignal {
  return current.getStore()?.signal ?? AbortSignal.timeout(unboundMs);
}

/** The time-out of one try of a storage call, in ms. */
export const tryTimeoutMs = (): number => current.getStore()?.tryMs ?? invocationTryMs;
