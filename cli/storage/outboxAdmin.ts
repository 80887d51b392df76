// What is in the poison queue and what became of each mail, for `npm run outbox`. Looks only. Opens no seal: it needs no secret, and
// shows no address.
import type { QueueClient } from '@azure/storage-queue';
import type { Delivery } from '../../shared/outbox/deliveries';
import { readDeliveryRow } from '../../shared/storage/deliveriesTable';
import { readMessage } from '../../shared/storage/outgoingMailQueue';
import { codeOf, storageCall } from '../../shared/storage/storageCall';
import { equals, type TableStore } from '../../shared/storage/tableStore';

const peekAtMost = 32; // the service's own limit
/** The service takes 15 comparisons in a filter. */
const idsPerScan = 15;

/**
 * How many messages there are, approximately, and the oldest 32 of them. A queue that does not exist is empty.
 * @throws StorageUnavailable
 */
export async function listPoison(deliveries: TableStore, poisonQueue: QueueClient) {
  const { count, items } = await queueCallOr({ count: 0, items: [] }, ['QueueNotFound'], async (abortSignal) => {
    const { approximateMessagesCount = 0 } = await poisonQueue.getProperties({ abortSignal });
    const { peekedMessageItems } = await poisonQueue.peekMessages({ numberOfMessages: peekAtMost, abortSignal });
    return { count: approximateMessagesCount, items: peekedMessageItems };
  });
  const messages = items.map(({ messageText, insertedOn }) => {
    const { id, attempt } = readMessage(messageText) ?? {}; // nothing in a message that is not one of the app's
    return { id, attempt, insertedOn };
  });
  const rows = await findDeliveries(
    deliveries,
    messages.flatMap(({ id }) => id ?? []),
  );
  return { count, messages: messages.map((message) => ({ ...message, delivery: rows.get(message.id ?? '') })) };
}

/** A call of a queue; `otherwise` if it fails with one of these codes. */
export async function queueCallOr<T>(
  otherwise: T,
  codes: readonly string[],
  call: (abortSignal: AbortSignal) => Promise<T>,
): Promise<T> {
  const isExpected = (error: unknown): boolean => codes.includes(codeOf(error) ?? '');
  try {
    return await storageCall('queue', call, isExpected);
  } catch (error) {
    if (isExpected(error)) return otherwise;
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
