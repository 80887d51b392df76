// The queue `outgoing-mail` in memory, and its poison queue. Messages go through JSON, as through the real one.
import { StorageUnavailable } from '../../shared/errors';
import { deadline } from '../../shared/clock';
import type { Envelope } from '../../shared/outbox/outgoingMail';

interface WaitingMessage {
  readonly envelope: Envelope;
  readonly delaySeconds: number;
}

export function createMemoryQueue() {
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
    /** The messages that nobody took yet; the caller has them now. */
    takeAll: (): WaitingMessage[] => {
      const taken = waiting;
      waiting = [];
      return taken;
    },
    /** The next so many calls fail as if the service were down. */
    failNext: (times = 1): void => {
      failures += times;
    },
    send: async (envelope: Envelope, delaySeconds: number): Promise<void> => {
      answer();
      const message = { envelope: JSON.parse(JSON.stringify(envelope)) as Envelope, delaySeconds };
      sent.push(message);
      waiting.push(message);
    },
    poison: async (message: unknown): Promise<void> => {
      answer();
      poisoned.push(message);
    },
  };
}
