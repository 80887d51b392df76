// One queue message on its way to a function: decoding, and the trigger metadata the real host sends along.
import type { DequeuedMessageItem } from '@azure/storage-queue';
import type { TriggerInput } from './functionApp';
import type { QueueSettings } from './hostJson';

/**
 * Decodes a message's text.
 * @returns undefined if it is not base64 though it should be.
 */
export function decodeMessage(text: string, encoding: QueueSettings['messageEncoding']): string | undefined {
  if (encoding === 'none') return text;
  const compact = text.replace(/\s/g, '');
  const isBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(compact);
  return isBase64 ? Buffer.from(compact, 'base64').toString('utf8') : undefined;
}

/**
 * The function's input. The text goes as `string`, as from the real host: the library itself parses what is JSON.
 * @param message as received.
 * @param text its decoded text.
 */
export function toTriggerInput(message: DequeuedMessageItem, text: string): TriggerInput {
  return {
    data: { string: text },
    metadata: {
      QueueTrigger: { string: text },
      Id: { string: message.messageId },
      PopReceipt: { string: message.popReceipt },
      DequeueCount: { json: JSON.stringify(message.dequeueCount) },
      InsertionTime: { json: JSON.stringify(message.insertedOn) },
      ExpirationTime: { json: JSON.stringify(message.expiresOn) },
      NextVisibleTime: { json: JSON.stringify(message.nextVisibleOn) },
    },
  };
}
