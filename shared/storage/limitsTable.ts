// The Limits table: one row per bucket, keyed by the hash of its name, changed by conditional writes only.
import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { randomBetween } from '../clock';
import { charge, discharge, type Bucket, type Limits, type Rate } from '../limits';
import type { TableStore } from './tableStore';

const maxTries = 4;
const rowKey = 'bucket';
const columns = z.object({ etag: z.string(), tokens: z.number(), at: z.date(), charged: z.string() });

const partitionKeyOf = (bucket: string): string =>
  createHash('sha256').update(bucket, 'utf8').digest('hex').slice(0, 32);

const toColumns = (name: string, { tokens, at, charged }: Bucket, rate: Rate) => ({
  /** What the bucket limits (`ip`, `address`, …): the rest of the name is hashed. `doctor` counts by it. */
  kind: name.split(':', 1)[0],
  tokens,
  at,
  charged: charged.join(','),
  /** When the bucket is full again: from then on the row says nothing and may be purged. */
  fullAt: new Date(at.getTime() + (rate.burst - tokens) * rate.refillMs),
});

/** After a lost race: up to 50, 100, 200, 400 ms, so that the many mails of one client do not all lose again. */
const pause = (tries: number, signal: AbortSignal): Promise<void> =>
  sleep(randomBetween(5, 50 * 2 ** tries), undefined, { signal }).catch(() => undefined); // the next call says that time is up;

export function createLimitsTable(table: TableStore): Limits {
  const read = async (partitionKey: string, signal: AbortSignal) => {
    const row = await table.get(partitionKey, rowKey, signal);
    if (row === undefined) return { bucket: undefined, etag: undefined };
    const parsed = columns.safeParse(row);
    // A row that an operator broke counts as a full bucket and is written anew.
    if (!parsed.success) return { bucket: undefined, etag: row.etag };
    const { tokens, at, charged, etag } = parsed.data;
    return { bucket: { tokens, at, charged: charged === '' ? [] : charged.split(',') }, etag };
  };
  const write = (name: string, bucket: Bucket, rate: Rate, etag: string | undefined, signal: AbortSignal) => {
    const values = toColumns(name, bucket, rate);
    return etag === undefined
      ? table.insert(partitionKeyOf(name), rowKey, values, signal)
      : table.merge(partitionKeyOf(name), rowKey, values, etag, signal);
  };
  return {
    take: async (name, rate, mailId, now, signal) => {
      const partitionKey = partitionKeyOf(name);
      for (let tries = 0; tries < maxTries; tries++) {
        const { bucket, etag } = await read(partitionKey, signal);
        const after = charge(bucket, rate, mailId, now);
        if (after === 'same') return 'ok';
        if (after === 'over') return 'over';
        const written = await write(name, after, rate, etag, signal);
        if (typeof written === 'object') return 'ok';
        await pause(tries, signal);
      }
      return 'contended';
    },
    giveBack: async (name, rate, mailId, now, signal) => {
      const partitionKey = partitionKeyOf(name);
      for (let tries = 0; tries < maxTries; tries++) {
        const { bucket, etag } = await read(partitionKey, signal);
        if (bucket === undefined) return;
        const after = discharge(bucket, rate, mailId, now);
        if (after === 'same' || typeof (await write(name, after, rate, etag, signal)) === 'object') return;
      }
    },
  };
}
