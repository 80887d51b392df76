// Looks at `outgoing-mail-poison` without taking anything out of it.
import type { QueueClient } from '@azure/storage-queue';
import type { PeekPoison } from '../reportPoison';
import { unavailable } from './tableStore';

const peekAtMost = 32; // the service's own limit

/** @param queue the poison queue; one that does not exist yet is empty */
export function createPeekPoison(queue: QueueClient): PeekPoison {
  return async (signal) => {
    try {
      const properties = await queue.getProperties({ abortSignal: signal });
      const count = properties.approximateMessagesCount ?? 0;
      if (count === 0) return { count, ids: [] };
      const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: peekAtMost, abortSignal: signal });
      const oldest = peekedMessageItems
        .map(({ insertedOn }) => insertedOn)
        .sort((a, b) => a.getTime() - b.getTime())[0];
      return {
        count,
        ids: peekedMessageItems.flatMap(({ messageText }) => idOf(messageText)),
        ...(oldest && { oldest }),
      };
    } catch (error) {
      const failure = unavailable('queue', error);
      if (failure.code === 'QueueNotFound') return { count: 0, ids: [] };
      throw failure;
    }
  };
}

/** The mail's id in the clear part of a message of ours. */
function idOf(messageText: string): string[] {
  const id = /"id":"([\w-]{22})"/.exec(Buffer.from(messageText, 'base64').toString('utf8'))?.[1];
  return id === undefined ? [] : [id];
}
