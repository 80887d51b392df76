// The poison queue, for `npm run outbox`: what is in it and what became of each mail, and replay, which moves messages back to
// `outgoing-mail`, each mail once, also with two operators at once. Opens no seal: it needs no secret, and shows no address.
// A replay may be killed anywhere: first it writes the row (by ETag), then the copy, then it removes the original. The worker judges
// the mail's age by its row.
import type { DequeuedMessageItem, QueueClient } from '@azure/storage-queue';
import type { Clock } from '../../shared/clock';
import type { Delivery } from '../../shared/outbox/deliveries';
import type { Envelope } from '../../shared/outbox/outgoingMail';
import { readDeliveryRow } from '../../shared/storage/deliveriesTable';
import { readMessage } from '../../shared/storage/outgoingMailQueue';
import { codeOf, equals, storageCall, updateRow, type Columns, type TableStore } from '../../shared/storage/storage';

/** The service's own limit. */
const atMost = 32;
/** The service takes 15 comparisons in a filter. */
const idsPerScan = 15;

/** How many messages there are, approximately, and the oldest 32 of them. A queue that does not exist is empty. */
export async function listPoison(deliveries: TableStore, poisonQueue: QueueClient) {
  const { count, items } = await queueCallOr({ count: 0, items: [] }, ['QueueNotFound'], async (abortSignal) => {
    const { approximateMessagesCount = 0 } = await poisonQueue.getProperties({ abortSignal });
    const { peekedMessageItems } = await poisonQueue.peekMessages({ numberOfMessages: atMost, abortSignal });
    return { count: approximateMessagesCount, items: peekedMessageItems };
  });
  const messages = items.map(({ messageText, insertedOn }) => {
    const { id, attempt } = readMessage(messageText) ?? {}; // nothing in a message that is not one of the app's
    return { id, attempt, insertedOn };
  });
  const ids = messages.map(({ id }) => id);
  const rows = await findDeliveries(deliveries, ids);
  return { count, messages: messages.map((message) => ({ ...message, delivery: rows.get(message.id ?? '') })) };
}

/** A call of a queue; `otherwise` if it fails with one of these codes. */
async function queueCallOr<T>(
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

/** The rows of these mails, by a scan of the Deliveries table (30 days of mail). */
export async function findDeliveries(deliveries: TableStore, ids: readonly (string | undefined)[]) {
  const found = new Map<string, Delivery>();
  const unique = [...new Set(ids)].filter((id) => id !== undefined);
  for (let start = 0; start < unique.length; start += idsPerScan) {
    const chunk = unique.slice(start, start + idsPerScan);
    for await (const row of deliveries.list(chunk.map((id) => equals('RowKey', id)).join(' or '))) {
      const delivery = readDeliveryRow(row); // an alert has the id of its mail, but is no delivery
      if (delivery !== undefined) found.set(delivery.id, delivery);
    }
  }
  return found;
}

/** What became of a message, and what an operator reads about it. */
export const replayOutcomes = {
  replayed: 'on its way again',
  sent_back: 'sent back as it is',
  already_sent: 'was sent in the meantime; nothing was sent again',
  being_sent: 'is being sent right now; left alone',
  unsure: 'may have been sent; left alone (--force sends it again)',
  suppressed: 'was suppressed by a limit; left alone',
  no_account: 'no account has its address any more (moved or removed); left alone. The user has to ask for a new mail.',
  no_record: 'has no record; left alone (--force sends it back as it is)',
  unreadable: 'is not a message of this app; left alone (--force sends it back as it is)',
  contended: 'is being changed by others; left alone, try again',
} as const;
export type ReplayOutcome = keyof typeof replayOutcomes;

interface ReplayDeps {
  readonly deliveries: TableStore;
  readonly queue: QueueClient;
  readonly poisonQueue: QueueClient;
  /** Does any account have the address with this hash? Undefined if only the site can tell. */
  readonly hasAccount: ((addressHash: string) => Promise<boolean>) | undefined;
  readonly clock: Clock;
}

/** How long a message is hidden from other operators while it is worked on. */
const holdSeconds = 300;

/** A message as received, and its clear part if it is one of the app's. */
type Held = DequeuedMessageItem & { readonly envelope: Envelope | undefined };

/**
 * Replays the mails with these ids, or all.
 * @param force also sends back what has no row or no account, or may have been sent; an unreadable message returns to the poison queue
 * @returns one result per message that was meant, in the order of the queue; an unreadable one has no id
 * @throws StorageUnavailable: repeat the call, no mail is sent twice by that
 */
export async function replayPoison(
  deps: ReplayDeps,
  wanted: ReadonlySet<string> | 'all',
  force: boolean,
): Promise<{ id: string | undefined; outcome: ReplayOutcome }[]> {
  const { deliveries, poisonQueue } = deps;
  const results: { id: string | undefined; outcome: ReplayOutcome }[] = [];
  const held = new Map<string, Held>();
  const seen = new Set<string>();
  try {
    for (;;) {
      const received = await receive(poisonQueue);
      for (const message of received) held.set(message.messageId, message);
      // What comes back meanwhile, the same message or a new one of the same mail, is for the next run.
      const fresh = received.filter((message) => keysOf(message).every((key) => !seen.has(key)));
      if (fresh.length === 0) return results;
      for (const message of fresh) for (const key of keysOf(message)) seen.add(key);
      const meant = fresh.filter(({ envelope }) => wanted === 'all' || wanted.has(envelope?.id ?? ''));
      const ids = meant.map(({ envelope }) => envelope?.id);
      const rows = await findDeliveries(deliveries, ids);
      for (const message of meant) {
        const { id } = message.envelope ?? {};
        const outcome = await replayOne(deps, message, rows.get(id ?? ''), force);
        if (['replayed', 'sent_back', 'already_sent'].includes(outcome)) held.delete(message.messageId);
        results.push({ id, outcome });
      }
    }
  } finally {
    // Visible at once, so that nobody has to wait for the hold to run out. Best effort.
    const release = ({ messageId, popReceipt }: Held) =>
      poisonQueue.updateMessage(messageId, popReceipt, undefined, 0, { abortSignal: AbortSignal.timeout(10_000) });
    await Promise.allSettled([...held.values()].map(release));
  }
}

const keysOf = ({ messageId, envelope }: Held): string[] => [messageId, envelope?.id ?? messageId];

async function replayOne(
  deps: ReplayDeps,
  message: Held,
  found: Delivery | undefined,
  force: boolean,
): Promise<ReplayOutcome> {
  const { envelope } = message;
  if (envelope === undefined || found === undefined) {
    if (!force) return envelope === undefined ? 'unreadable' : 'no_record';
    await sendBack(deps, message, message.messageText);
    return 'sent_back';
  }
  const { addressHash, id } = found;
  if (!force && (await deps.hasAccount?.(addressHash)) === false) return 'no_account';
  let attempt = envelope.attempt;
  const updated = await updateRow<ReplayOutcome>(deps.deliveries, addressHash, id, (row) => {
    const delivery = row && readDeliveryRow(row);
    if (delivery === undefined) return { result: 'no_record' };
    const now = deps.clock();
    const outcome = judge(delivery, now, force);
    if (outcome !== 'replayed') return { result: outcome };
    attempt = Math.max(delivery.attempt, envelope.attempt) + 1;
    const columns: Columns = { state: 'waiting', reason: 'replayed', attempt, acceptedAt: now, updatedAt: now };
    return { columns, result: outcome };
  });
  if (updated.outcome === 'contended') return 'contended';
  if (updated.result === 'already_sent') await remove(deps.poisonQueue, message);
  if (updated.result === 'replayed') {
    const copy = Buffer.from(JSON.stringify({ ...envelope, attempt }), 'utf8').toString('base64');
    await sendBack(deps, message, copy);
  }
  return updated.result;
}

function judge(row: Delivery, now: Date, force: boolean): ReplayOutcome {
  switch (row.state) {
    case 'accepted':
      return 'already_sent';
    case 'suppressed':
      return 'suppressed';
    case 'unsure':
      return force ? 'replayed' : 'unsure';
    case 'sending':
      return row.leaseUntil > now ? 'being_sent' : 'replayed';
    case 'waiting':
    case 'failed':
      return 'replayed';
  }
}

const receive = (queue: QueueClient): Promise<Held[]> =>
  queueCallOr([], ['QueueNotFound'], async (abortSignal) => {
    const options = { numberOfMessages: atMost, visibilityTimeout: holdSeconds, abortSignal };
    const { receivedMessageItems } = await queue.receiveMessages(options);
    return receivedMessageItems.map((item) => ({ ...item, envelope: readMessage(item.messageText) }));
  });

/** A copy that never expires, as the app's own messages do not; then the original can go. */
async function sendBack({ queue, poisonQueue }: ReplayDeps, message: Held, text: string): Promise<void> {
  await storageCall('queue', (abortSignal) => queue.sendMessage(text, { messageTimeToLive: -1, abortSignal }));
  await remove(poisonQueue, message);
}

/** A message that another operator has taken over meanwhile stays: that operator finds its mail on its way. */
const remove = (queue: QueueClient, { messageId, popReceipt }: Held): Promise<unknown> =>
  queueCallOr(undefined, ['MessageNotFound', 'PopReceiptMismatch'], async (abortSignal) => {
    await queue.deleteMessage(messageId, popReceipt, { abortSignal });
  });
