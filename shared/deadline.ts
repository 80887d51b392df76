// The deadline of the invocation at hand. It is set once, at the edge; every storage and network call below reads it from
// here, so that no function passes a signal along.
import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<AbortSignal>();

/** Work outside of any deadline (a command line) is bounded by this much per call, in ms. */
const unboundMs = 60_000;

/**
 * Runs a task under a deadline of its own: calls made inside are aborted when it passes.
 * A nested deadline replaces the outer one, since recording a sent mail must not be cut short by the time that the send took.
 * @param limit ms from now on, or a signal (a command line's Ctrl-C)
 */
export function withDeadline<T>(limit: number | AbortSignal, task: () => Promise<T>): Promise<T> {
  return typeof limit === 'number' ? withTimer(limit, (signal) => current.run(signal, task)) : current.run(limit, task);
}

/**
 * Runs a task under a signal that aborts after so many ms, or with another one. Unlike `AbortSignal.timeout` and `any` it leaves
 * nothing behind: a timer that fires later, per call, makes an exception with a stack that nobody reads.
 */
export async function withTimer<T>(
  ms: number,
  task: (signal: AbortSignal) => Promise<T>,
  other?: AbortSignal,
): Promise<T> {
  const own = new AbortController();
  const follow = (): void => own.abort(other?.reason);
  const timer = setTimeout(() => own.abort(new DOMException('The operation timed out', 'TimeoutError')), ms);
  if (other?.aborted === true) follow();
  else other?.addEventListener('abort', follow, { once: true });
  try {
    return await task(own.signal);
  } finally {
    clearTimeout(timer);
    other?.removeEventListener('abort', follow);
  }
}

/** The signal to hand to a storage or network client. */
export function deadline(): AbortSignal {
  return current.getStore() ?? AbortSignal.timeout(unboundMs);
}
