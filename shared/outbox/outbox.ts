// The outbox of one process: handles messages until it is told to stop, and then finishes what it has begun.
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { handleMessage, type MailHandler, type OutboxDeps } from './worker';

export interface Outbox {
  /** Handles one message of the queue, see `handleMessage`. */
  handle(message: unknown): Promise<void>;
  /** Begins nothing new, and waits for what is in flight: 8 s at most, of the 10 s that the host allows. */
  stop(): Promise<void>;
}

const stopMs = 8_000;

export function createOutbox<Request>(deps: Omit<OutboxDeps, 'stopping'>, handler: MailHandler<Request>): Outbox {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one listener per mail in flight
  const inFlight = new Set<Promise<void>>();
  return {
    handle: async (message) => {
      const handled = handleMessage({ ...deps, stopping: stopping.signal }, handler, message);
      inFlight.add(handled);
      try {
        await handled;
      } finally {
        inFlight.delete(handled);
      }
    },
    stop: async () => {
      stopping.abort();
      const timer = new AbortController();
      const late = sleep(stopMs, undefined, { signal: timer.signal }).catch(() => undefined);
      await Promise.race([Promise.allSettled(inFlight), late]);
      timer.abort();
    },
  };
}
