// What stays in the poison queue and what became of each mail, for `npm run outbox`. Looks only; replayPoison.ts moves messages.
// Opens no seal: it needs no signing secret, and shows no address.
import { odata } from '@azure/data-tables';
import type { QueueClient } from '@azure/storage-queue';
import type { Delivery } from '../deliveries';
import { openOutgoingMail } from '../outgoingMail';
import { deliveryOf } from './deliveriesTable';
import { unavailable, type TableStore } from './tableStore';

/** A message of the poison queue, as peeked. */
export interface PoisonMessage {
  /** The mail's id; absent when the message is none of ours. */
  readonly id?: string;
  readonly attempt?: number;
  readonly insertedOn: Date;
  /** The mail's row; absent when there is none (any more). */
  readonly delivery?: Delivery;
}

/** The contract. Every call throws `StorageUnavailable`. */
export interface OutboxAdmin {
  /** How many messages there are, about, and the oldest of them: the queue service shows at most 32. */
  list(signal: AbortSignal): Promise<{ readonly count: number; readonly messages: readonly PoisonMessage[] }>;
  /** The rows of these mails, by a scan of the Deliveries table (30 days of mail). */
  findByIds(ids: readonly string[], signal: AbortSignal): Promise<ReadonlyMap<string, Delivery>>;
}

const peekAtMost = 32;
/** The service takes 15 comparisons in a filter. */
const idsPerScan = 15;

/** @param poisonQueue one that does not exist yet is empty */
export function createOutboxAdmin(deliveries: TableStore, poisonQueue: QueueClient): OutboxAdmin {
  const findByIds: OutboxAdmin['findByIds'] = async (ids, signal) => {
    const found = new Map<string, Delivery>();
    for (let start = 0; start < ids.length; start += idsPerScan) {
      const chunk = ids.slice(start, start + idsPerScan);
      for await (const row of deliveries.list(chunk.map((id) => odata`RowKey eq ${id}`).join(' or '), signal)) {
        const delivery = deliveryOf(row); // an alert has the id of its mail, but is no delivery
        if (delivery !== undefined) found.set(delivery.id, delivery);
      }
    }
    return found;
  };
  return {
    findByIds,
    list: async (signal) => {
      const { count, items } = await peek(poisonQueue, signal);
      const seen = items.map(({ messageText, insertedOn }) => ({ ...readMessage(messageText), insertedOn }));
      const rows = await findByIds([...new Set(seen.flatMap(({ id }) => id ?? []))], signal);
      const messages = seen.map(({ id, attempt, insertedOn }) => {
        const delivery = rows.get(id ?? '');
        return {
          ...(id !== undefined && { id }),
          ...(attempt !== undefined && { attempt }),
          insertedOn,
          ...(delivery && { delivery }),
        };
      });
      return { count, messages };
    },
  };
}

async function peek(queue: QueueClient, signal: AbortSignal) {
  try {
    const { approximateMessagesCount = 0 } = await queue.getProperties({ abortSignal: signal });
    const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: peekAtMost, abortSignal: signal });
    return { count: approximateMessagesCount, items: peekedMessageItems };
  } catch (error) {
    const failure = unavailable('queue', error);
    if (failure.code === 'QueueNotFound') return { count: 0, items: [] };
    throw failure;
  }
}

/** The clear part of a message of ours, and all of it as it stands; nothing of a message that is none. */
export function readMessage(messageText: string): { id?: string; attempt?: number; envelope?: object } {
  let message: unknown;
  try {
    message = JSON.parse(Buffer.from(messageText, 'base64').toString('utf8'));
  } catch {
    return {};
  }
  const opened = openOutgoingMail([], message); // without any secret: the clear part is checked, the seal is not touched
  if (opened.outcome !== 'notYet' || typeof message !== 'object' || message === null) return {};
  return { id: opened.envelope.id, attempt: opened.envelope.attempt, envelope: message };
}
