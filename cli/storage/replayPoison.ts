// `outbox replay`: moves messages from the poison queue back to `outgoing-mail`, each mail once, also with two operators at once.
// The order makes it safe to be killed anywhere: first the row (by ETag), then the copy, last the removal. The sealed inside is
// not touched: sendMail judges the mail's age by its row.
import type { QueueClient } from '@azure/storage-queue';
import type { Delivery } from '../deliveries';
import { deliveryOf } from './deliveriesTable';
import { receive, remove, send, type Held } from './heldMessages';
import type { OutboxAdmin } from './outboxAdmin';
import type { TableStore } from './tableStore';

export interface ReplayResult {
  /** The mail's id; absent when the message is unreadable. */
  readonly id?: string;
  readonly outcome: ReplayOutcome;
}

export type ReplayOutcome =
  /** On its way again, with 24 hours from now. */
  | 'replayed'
  /** Sent back as it is, by `force`: there is no row that could tell its age. */
  | 'sent_back'
  /** Accepted by the provider since: the message was removed, nothing was sent. */
  | 'already_sent'
  /** A worker holds it at this moment; left alone. */
  | 'being_sent'
  /** A limit forbade it; left alone. */
  | 'suppressed'
  /** There is no row of it (any more); left alone. */
  | 'no_record'
  /** None of our messages; left alone. */
  | 'unreadable';

export interface ReplayParts {
  readonly deliveries: TableStore;
  readonly outbox: Pick<OutboxAdmin, 'findByIds'>;
  readonly queue: QueueClient;
  readonly poisonQueue: QueueClient;
  readonly clock: () => Date;
}

const maxTries = 4;

/**
 * Replays the mails with these ids, or all.
 * @param force sends messages without a row back as they are; an unreadable one returns to the poison queue
 * @returns one result per message that was meant, in the order of the queue
 * @throws StorageUnavailable: say it again, no mail is sent twice by that
 */
export async function replayPoison(
  parts: ReplayParts,
  wanted: ReadonlySet<string> | 'all',
  force: boolean,
  signal: AbortSignal,
): Promise<ReplayResult[]> {
  const results: ReplayResult[] = [];
  const held = new Map<string, Held>();
  const seen = new Set<string>();
  try {
    for (;;) {
      const received = await receive(parts.poisonQueue, signal);
      for (const message of received) held.set(message.messageId, message);
      // What comes back while we work, the same message or a new one of the same mail, is for the next run.
      const fresh = received.filter(({ messageId, id = messageId }) => !seen.has(messageId) && !seen.has(id));
      if (fresh.length === 0) return results;
      for (const { messageId, id = messageId } of fresh) seen.add(messageId).add(id);
      const meant = fresh.filter(({ id }) => wanted === 'all' || (id !== undefined && wanted.has(id)));
      const rows = await parts.outbox.findByIds([...new Set(meant.flatMap(({ id }) => id ?? []))], signal);
      for (const message of meant) {
        const outcome = await replayOne(parts, message, rows.get(message.id ?? ''), force, signal);
        if (isGone(outcome)) held.delete(message.messageId);
        results.push({ ...(message.id !== undefined && { id: message.id }), outcome });
      }
    }
  } finally {
    // Visible at once, so that nobody has to wait for the hold to run out. Best effort: the hold does run out.
    const release = ({ messageId, popReceipt }: Held) =>
      parts.poisonQueue.updateMessage(messageId, popReceipt, undefined, 0);
    await Promise.allSettled([...held.values()].map(release));
  }
}

const isGone = (outcome: ReplayOutcome): boolean => ['replayed', 'sent_back', 'already_sent'].includes(outcome);

async function replayOne(
  { deliveries, queue, poisonQueue, clock }: ReplayParts,
  message: Held,
  found: Delivery | undefined,
  force: boolean,
  signal: AbortSignal,
): Promise<ReplayOutcome> {
  const { id, attempt = 0, envelope } = message;
  if (found === undefined && !force) return id === undefined ? 'unreadable' : 'no_record';
  let row = found;
  let text = message.messageText;
  for (let tries = 0; row !== undefined; tries++) {
    const judged = judge(row, clock());
    if (judged === 'already_sent') await remove(poisonQueue, message, signal);
    if (judged !== 'replay' || tries === maxTries) return judged === 'replay' ? 'being_sent' : judged;
    const next = Math.max(row.attempt, attempt) + 1;
    const columns = { state: 'waiting', reason: 'replayed', attempt: next, acceptedAt: clock(), updatedAt: clock() };
    if ((await deliveries.merge(row.sub, row.id, columns, row.etag, signal)) !== 'stale') {
      text = Buffer.from(JSON.stringify({ ...envelope, attempt: next }), 'utf8').toString('base64');
      break;
    }
    const now = await deliveries.get(row.sub, row.id, signal);
    row = now && deliveryOf(now);
    if (row === undefined && !force) return 'no_record';
  }
  await send(queue, text, signal);
  await remove(poisonQueue, message, signal);
  return row === undefined ? 'sent_back' : 'replayed';
}

function judge(row: Delivery, now: Date): 'replay' | 'already_sent' | 'suppressed' | 'being_sent' {
  switch (row.state) {
    case 'accepted':
      return 'already_sent';
    case 'suppressed':
      return 'suppressed';
    case 'sending':
      return row.leaseUntil !== undefined && row.leaseUntil > now ? 'being_sent' : 'replay';
    case 'waiting':
    case 'failed':
      return 'replay';
  }
}
