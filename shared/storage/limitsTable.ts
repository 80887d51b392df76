// The Limits table: one row per bucket, keyed by the hash of its name, changed by conditional writes only.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { charge, uncharge, type Bucket, type Limits, type Rate } from '../limits';
import { updateRow, type Columns, type Row, type TableStore } from './tableStore';

const rowKey = 'bucket';
const columns = z.object({
  tokens: z.number(),
  at: z.date(),
  charged: z.string(),
  day: z.string().optional(),
  dayCount: z.int().optional(),
});

const partitionKeyOf = (bucket: string): string =>
  createHash('sha256').update(bucket, 'utf8').digest('hex').slice(0, 32);

/** A row that an operator broke counts as a full bucket and is written anew. */
function bucketOf(row: Row | undefined): Bucket | undefined {
  const parsed = columns.safeParse(row);
  if (!parsed.success) return undefined;
  const { charged, ...rest } = parsed.data;
  return { ...rest, charged: charged === '' ? [] : charged.split(',') };
}

const columnsOf = (name: string, { tokens, at, charged, day, dayCount }: Bucket, rate: Rate): Columns => ({
  /** What the bucket limits (`ip`, `address`, …); the rest of the name is hashed. `doctor` counts by it. */
  kind: name.split(':', 1)[0],
  tokens,
  at,
  charged: charged.join(','),
  day,
  dayCount,
  /** When the bucket is full again: from then on the row says nothing and may be purged. */
  fullAt: new Date(at.getTime() + Math.max((rate.burst - tokens) * rate.refillMs, rate.perDay ? 86_400_000 : 0)),
});

export function createLimitsTable(table: TableStore): Limits {
  return {
    take: async (name, rate, mailId, now) => {
      const updated = await updateRow<'ok' | 'over'>(
        table,
        partitionKeyOf(name),
        rowKey,
        (row) => {
          const after = charge(bucketOf(row), rate, mailId, now);
          if (after === 'over') return { result: 'over' };
          return { columns: after === 'same' ? undefined : columnsOf(name, after, rate), result: 'ok' };
        },
        'absent',
      ); // mostly: few people ask twice within a bucket's life, and a row that is there costs one call more
      return updated.outcome === 'contended' ? 'contended' : updated.result;
    },
    refund: async (name, rate, mailId, now) => {
      await updateRow(table, partitionKeyOf(name), rowKey, (row) => {
        const bucket = bucketOf(row);
        const after = bucket === undefined ? 'same' : uncharge(bucket, rate, mailId, now);
        return { columns: after === 'same' ? undefined : columnsOf(name, after, rate), result: undefined };
      });
    },
  };
}
