// A queue message while its function runs: kept hidden from others, then removed, released or moved to the poison queue.
import { type DequeuedMessageItem, type QueueClient, RestError } from '@azure/storage-queue';
import { errorText, type Log } from './log';

/** Where the message comes from and how long it is hidden at a time. */
export interface HoldOptions {
  queue: QueueClient;
  poisonQueue: QueueClient;
  holdSeconds: number;
  log: Log;
}

/** The three ends of a held message. Each ends the hold, and throws if the storage fails: then the message comes back by itself. */
export interface HeldMessage {
  remove(): Promise<void>;
  release(afterSeconds: number): Promise<void>;
  poison(): Promise<void>;
}

/** Starts to renew the message's hold at half time, until one of the ends is called. */
export function holdMessage(
  { queue, poisonQueue, holdSeconds, log }: HoldOptions,
  message: DequeuedMessageItem,
): HeldMessage {
  const { messageId, messageText } = message;
  // Each renewal makes the earlier pop receipt void, so the ends wait for a renewal in progress.
  let popReceipt = Promise.resolve(message.popReceipt);
  const renewal = setInterval(() => {
    popReceipt = popReceipt.then(async (current) => {
      try {
        return (await queue.updateMessage(messageId, current, undefined, holdSeconds, inTime())).popReceipt ?? current;
      } catch (error) {
        log('debug', 'host', `The hold of message ${messageId} was not renewed: ${storageErrorText(error)}`);
        return current;
      }
    });
  }, holdSeconds * 500);
  const endHold = (): Promise<string> => {
    clearInterval(renewal);
    return popReceipt;
  };
  const remove = async (): Promise<void> => {
    await queue.deleteMessage(messageId, await endHold(), inTime());
  };
  return {
    remove,
    async release(afterSeconds) {
      await queue.updateMessage(messageId, await endHold(), undefined, Math.round(afterSeconds), inTime());
    },
    async poison() {
      await endHold();
      await withQueue(poisonQueue, () => poisonQueue.sendMessage(messageText, inTime()));
      await remove();
    },
  };
}

/** Does something with a queue, which is made first if it is missing. */
export async function withQueue<T>(queue: QueueClient, operate: () => Promise<T>): Promise<T> {
  try {
    return await operate();
  } catch (error) {
    if (!(error instanceof RestError) || error.code !== 'QueueNotFound') throw error;
    await queue.createIfNotExists(inTime());
    return operate();
  }
}

/** The SDK's own message tells the URL and all of the answer; the code says enough. */
export function storageErrorText(error: unknown): string {
  return error instanceof RestError ? `(${error.code ?? error.name})` : errorText(error);
}

/** No call to the storage may hang. */
export function inTime(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(10_000) };
}
