// What is in the poison queue and what became of each mail, for `npm run outbox`. Looks only. Opens no seal: it needs no secret, and
// shows no address.
import type { QueueClient } from '@azure/storage-queue';
import type { Delivery } from '../../shared/outbox/deliveries';
import { readDeliveryRow } from '../../shared/storage/deliveriesTable';
import { readMessage } from '../../shared/storage/outgoingMailQueue';
import { codeOf, equals, storageCall, type TableStore } from '../../shared/storage/storage';

/** A message of the poison queue, as peeked. */
export interface PoisonMessage {
  /** The mail's id; undefined if the message is not one of the app's. */
  readonly id: string | undefined;
  readonly attempt: number | undefined;
  readonly insertedOn: Date;
  /** The mail's row, if there is one. */
  readonly delivery: Delivery | undefined;
}

const peekAtMost = 32; // the service's own limit
/** The service takes 15 comparisons in a filter. */
const idsPerScan = 15;

/**
 * How many messages there are, approximately, and the oldest 32 of them. A queue that does not exist is empty.
 * @throws StorageUnavailable
 */
export async function listPoison(deliveries: TableStore, poisonQueue: QueueClient) {
  const { count, items } = await ifQueueExists({ count: 0, items: [] }, async (abortSignal) => {
    const { approximateMessagesCount = 0 } = await poisonQueue.getProperties({ abortSignal });
    const { peekedMessageItems } = await poisonQueue.peekMessages({ numberOfMessages: peekAtMost, abortSignal });
    return { count: approximateMessagesCount, items: peekedMessageItems };
  });
  const seen = items.map(({ messageText, insertedOn }) => ({ envelope: readMessage(messageText), insertedOn }));
  const ids = seen.flatMap(({ envelope }) => envelope?.id ?? []);
  const rows = await findDeliveries(deliveries, ids);
  const messages = seen.map(({ envelope, insertedOn }): PoisonMessage => {
    const { id, attempt } = envelope ?? {};
    return { id, attempt, insertedOn, delivery: rows.get(id ?? '') };
  });
  return { count, messages };
}

/** A call of a queue; `otherwise` if the queue does not exist. */
export async function ifQueueExists<T>(otherwise: T, call: (abortSignal: AbortSignal) => Promise<T>): Promise<T> {
  const isMissing = (error: unknown): boolean => codeOf(error) === 'QueueNotFound';
  try {
    return await storageCall('queue', call, isMissing);
  } catch (error) {
    if (isMissing(error)) return otherwise;
    throw error;
  }
}

/**
 * The rows of these mails, by a scan of the Deliveries table (30 days of mail).
 * @throws StorageUnavailable
 */
export async function findDeliveries(
  deliveries: TableStore,
  ids: readonly string[],
): Promise<ReadonlyMap<string, Delivery>> {
  const found = new Map<string, Delivery>();
  const unique = [...new Set(ids)];
  for (let start = 0; start < unique.length; start += idsPerScan) {
    const chunk = unique.slice(start, start + idsPerScan);
    for await (const row of deliveries.list(chunk.map((id) => equals('RowKey', id)).join(' or '))) {
      const delivery = readDeliveryRow(row); // an alert has the id of its mail, but is no delivery
      if (delivery !== undefined) found.set(delivery.id, delivery);
    }
  }
  return found;
}
