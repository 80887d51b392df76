// The queue `outgoing-mail` and its poison queue in Azure Storage. Messages are base64, as host.json says.
import type { QueueClient } from '@azure/storage-queue';
import { parseJson, readEnvelope, type OutgoingMailQueue } from '../outbox/outgoingMail';
import type { PeekPoison } from '../outbox/operatorAlert';
import type { PutMessage } from './storageHttp';
import { codeOf, outgoingMailQueueName, poisonQueueName, storageCall } from './storage';

const peekAtMost = 32; // the service's own limit

/** @param putMessage made with the first call */
export function createOutgoingMailQueue(putMessage: () => Promise<PutMessage>): OutgoingMailQueue {
  const add = async (queue: string, text: string, delaySeconds: number): Promise<void> => {
    const put = await putMessage(); // outside of the call's time: in a cold process the HTTP client is loaded first
    const message = Buffer.from(text, 'utf8').toString('base64');
    await storageCall('queue', (signal) => put(queue, message, delaySeconds, signal));
  };
  return {
    send: (envelope, delaySeconds) => add(outgoingMailQueueName, JSON.stringify(envelope), Math.round(delaySeconds)),
    poison: (message) => add(poisonQueueName, typeof message === 'string' ? message : JSON.stringify(message), 0),
  };
}

/** Looks at the poison queue without taking anything out; one that does not exist yet is empty. */
export function createPeekPoison(queue: () => Promise<QueueClient>): PeekPoison {
  const isMissing = (error: unknown): boolean => codeOf(error) === 'QueueNotFound';
  return async () => {
    try {
      return await storageCall('queue', async (abortSignal) => look(await queue(), abortSignal), isMissing);
    } catch (error) {
      if (isMissing(error)) return { count: 0, ids: [], oldest: undefined };
      throw error;
    }
  };
}

async function look(queue: QueueClient, abortSignal: AbortSignal) {
  const { approximateMessagesCount: count = 0 } = await queue.getProperties({ abortSignal });
  if (count === 0) return { count, ids: [], oldest: undefined };
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: peekAtMost, abortSignal });
  const [oldest] = peekedMessageItems.map(({ insertedOn }) => insertedOn).sort((a, b) => a.getTime() - b.getTime());
  return { count, ids: peekedMessageItems.flatMap(({ messageText }) => readMessage(messageText)?.id ?? []), oldest };
}

/** The clear part of a message as it stands in the queue; undefined for one that is not ours. */
export const readMessage = (messageText: string) =>
  readEnvelope(parseJson(Buffer.from(messageText, 'base64').toString('utf8')));
