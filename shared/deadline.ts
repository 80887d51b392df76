// The deadline of the invocation at hand. It is set once, at the edge; every storage and network call below reads it from
// here, so that no function passes a signal along.
import { AsyncLocalStorage } from 'node:async_hooks';

const current = new AsyncLocalStorage<AbortSignal>();

/** Work that runs outside of any deadline (a command line) is bounded by this much per call, in ms. */
const unboundMs = 60_000;

/**
 * Runs a task under a deadline of its own. Calls made inside are aborted when it passes; the task itself is not interrupted.
 * A nested deadline replaces the outer one: recording a sent mail must not be cut short by the time the send took.
 * @param ms from now on
 */
export function withDeadline<T>(ms: number, task: () => Promise<T>): Promise<T> {
  return current.run(AbortSignal.timeout(ms), task);
}

/** The signal to hand to a storage or network client. */
export function deadline(): AbortSignal {
  return current.getStore() ?? AbortSignal.timeout(unboundMs);
}
