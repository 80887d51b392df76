// Messages of the poison queue while replayPoison.ts has them in hand: hidden from everybody else for five minutes.
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import { readMessage } from './outboxAdmin';
import { unavailable } from './tableStore';

/** A message as received, and its clear part if it is one of ours. */
export type Held = DequeuedMessageItem & ReturnType<typeof readMessage>;

const batch = 32;
/** So long a message stays hidden from other operators while it is worked on, in seconds. */
const holdSeconds = 300;

/** The next messages, at most 32; none from a queue that does not exist yet. */
export async function receive(queue: QueueClient, signal: AbortSignal): Promise<Held[]> {
  const options = { numberOfMessages: batch, visibilityTimeout: holdSeconds, abortSignal: signal };
  try {
    const { receivedMessageItems } = await queue.receiveMessages(options);
    return receivedMessageItems.map((item) => ({ ...item, ...readMessage(item.messageText) }));
  } catch (error) {
    const failure = unavailable('queue', error);
    if (failure.code === 'QueueNotFound') return [];
    throw failure;
  }
}

/** Adds a text as it is (base64 already); the queue is made when it is missing. */
export async function send(queue: QueueClient, text: string, signal: AbortSignal): Promise<void> {
  try {
    await queue.createIfNotExists({ abortSignal: signal });
    await queue.sendMessage(text, { abortSignal: signal });
  } catch (error) {
    throw unavailable('queue', error);
  }
}

/** A message that another operator has taken over meanwhile is theirs: they find its mail on its way. */
export async function remove(queue: QueueClient, { messageId, popReceipt }: Held, signal: AbortSignal): Promise<void> {
  try {
    await queue.deleteMessage(messageId, popReceipt, { abortSignal: signal });
  } catch (error) {
    const failure = unavailable('queue', error);
    if (!['MessageNotFound', 'PopReceiptMismatch', '404'].includes(failure.code)) throw failure;
  }
}
