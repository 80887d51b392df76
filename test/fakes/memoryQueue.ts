// The queue `outgoing-mail` in memory, and its poison queue. Messages go through JSON, as through the real one.
import { StorageUnavailable } from '../../shared/errors';
import { deadline } from '../../shared/clock';
import type { Envelope, OutgoingMailQueue } from '../../shared/outbox/outgoingMail';

/** A message as it waits in the queue. */
export interface WaitingMessage {
  readonly envelope: Envelope;
  readonly delaySeconds: number;
}

export interface MemoryQueue extends OutgoingMailQueue {
  /** All messages that were ever sent, in order. */
  readonly sent: WaitingMessage[];
  readonly poisoned: unknown[];
  /** The messages that nobody took yet; the caller has them now. */
  readonly takeAll: () => WaitingMessage[];
  /** The next so many calls fail as if the service were down. */
  readonly failNext: (times?: number) => void;
}

export function createMemoryQueue(): MemoryQueue {
  const sent: WaitingMessage[] = [];
  const poisoned: unknown[] = [];
  let waiting: WaitingMessage[] = [];
  let failures = 0;
  const answer = (): void => {
    deadline().throwIfAborted();
    if (failures === 0) return;
    failures -= 1;
    throw new StorageUnavailable('queue', '503');
  };
  return {
    sent,
    poisoned,
    takeAll: () => {
      const taken = waiting;
      waiting = [];
      return taken;
    },
    failNext: (times = 1) => {
      failures += times;
    },
    send: async (envelope, delaySeconds) => {
      answer();
      const message = { envelope: JSON.parse(JSON.stringify(envelope)) as Envelope, delaySeconds };
      sent.push(message);
      waiting.push(message);
    },
    poison: async (message) => {
      answer();
      poisoned.push(message);
    },
  };
}
