// The queue `outgoing-mail` and its poison queue in Azure Storage. Messages are base64, as host.json says.
import { RestError, type QueueClient } from '@azure/storage-queue';
import type { OutgoingMailQueue } from '../outgoingMail';
import { unavailable } from './tableStore';

/** The queue that sendMail listens on; the host derives the poison queue's name from it. */
export const outgoingMailQueueName = 'outgoing-mail';
export const poisonQueueName = `${outgoingMailQueueName}-poison`;
const neverExpires = -1;

export function createOutgoingMailQueue(queue: QueueClient, poisonQueue: QueueClient): OutgoingMailQueue {
  return {
    send: (envelope, delaySeconds, signal) =>
      add(queue, JSON.stringify(envelope), signal, {
        visibilityTimeout: Math.round(delaySeconds),
        messageTimeToLive: neverExpires, // an app that is down for a week loses nothing
      }),
    poison: (message, signal) => {
      const text = typeof message === 'string' ? message : JSON.stringify(message);
      return add(poisonQueue, text, signal, { messageTimeToLive: neverExpires });
    },
  };
}

/** One call; the queue is made when it is missing, so that no request pays for a check. */
async function add(
  queue: QueueClient,
  text: string,
  signal: AbortSignal,
  options: { visibilityTimeout?: number; messageTimeToLive?: number },
): Promise<void> {
  const send = () =>
    queue.sendMessage(Buffer.from(text, 'utf8').toString('base64'), { ...options, abortSignal: signal });
  try {
    await send();
  } catch (error) {
    if (!(error instanceof RestError && error.code === 'QueueNotFound')) throw unavailable('queue', error);
    try {
      await queue.createIfNotExists({ abortSignal: signal });
      await send();
    } catch (again) {
      throw unavailable('queue', again);
    }
  }
}
