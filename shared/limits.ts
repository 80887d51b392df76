// The limits, all of them token buckets. Mails: a bucket per client and one per address, in the table Limits for all instances; charged
// once per mail id while the mail is prepared, without telling the requester. HTTP calls: a bucket per client in this process's memory.
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import * as z from 'zod';
import { addressHashOf } from './address';
import type { Clock } from './clock';
import type { MailRequest } from './mailRequest';
import type { ResetDeps } from './resetDeps';
import { type Columns, type Decision, type Row, type TableStore, updateRow } from './storage/storage';

/** `3/5m`: three at once, then one every five minutes. */
export interface Rate {
  /** The bucket's size, 1–1000. */
  readonly burst: number;
  /** The interval after which one token comes back, in ms. */
  readonly refillMs: number;
  /** The most per UTC day, whatever the bucket holds; beyond it one per hour. */
  readonly perDay?: number | undefined;
}

/** A bucket as it is stored. */
export interface Bucket {
  /** Tokens left at `at`; may be a fraction. */
  readonly tokens: number;
  readonly at: Date;
  /** The mail ids charged last, newest at the end, at most `burst` of them: a repeat of one of them is free. */
  readonly charged: readonly string[];
  /** The UTC day (`2026-11-26`) of the last charge, and how many there were on it. */
  readonly day?: string | undefined;
  readonly dayCount?: number | undefined;
}

export type Taken = 'ok' | 'over' | 'contended';

/** The store of the buckets. Every call throws `StorageUnavailable` if it does not answer. */
export interface Limits {
  /**
   * Takes a token for a mail, by a conditional write.
   * @param bucket any name; it is hashed before it becomes a row key
   * @returns `ok` (also if this mail was charged before), `over`, or `contended` after several lost races: retry the mail later
   */
  take(bucket: string, rate: Rate, mailId: string, now: Date): Promise<Taken>;
  /** Returns the token of a mail that could not be sent. Best effort. */
  refund(bucket: string, rate: Rate, mailId: string, now: Date): Promise<void>;
}

/**
 * The arithmetic of a token bucket. Time never runs backwards in it, so that instances whose clocks disagree do not refill it
 * for each other. A bucket from further ahead than any working clock was written by a broken one and counts as one interval
 * old.
 * @returns the bucket after the charge, or `over`; `same` if this mail was charged before
 */
export function charge(bucket: Bucket | undefined, rate: Rate, mailId: string, now: Date): Bucket | 'over' | 'same' {
  const day = now.toISOString().slice(0, 10);
  if (bucket === undefined) return { tokens: rate.burst - 1, at: now, charged: [mailId], day, dayCount: 1 };
  if (bucket.charged.includes(mailId)) return 'same';
  const { tokens, at } = refilled(bucket, rate, now);
  const dayCount = bucket.day === day ? (bucket.dayCount ?? 0) + 1 : 1;
  // Beyond the day's number one per hour: strangers' requests must not shut the holder of an address out until midnight.
  const isOverDay = dayCount > (rate.perDay ?? Infinity) && now.getTime() - bucket.at.getTime() < overDayMs;
  if (tokens < 1 || isOverDay) return 'over';
  return { tokens: tokens - 1, at, charged: [...bucket.charged, mailId].slice(-rate.burst), day, dayCount };
}

const overDayMs = 3_600_000;

/** The bucket after a charge was taken back, or `same` if it was not charged for this mail. */
export function uncharge(bucket: Bucket, rate: Rate, mailId: string, now: Date): Bucket | 'same' {
  if (!bucket.charged.includes(mailId)) return 'same';
  const { tokens, at } = refilled(bucket, rate, now);
  const charged = bucket.charged.filter((id) => id !== mailId);
  const dayCount = Math.max(0, (bucket.dayCount ?? 0) - 1);
  return { ...bucket, tokens: Math.min(rate.burst, tokens + 1), at, charged, dayCount };
}

/** Azure Storage refuses a client whose clock is off by more (SharedKey, 15 minutes). */
const maxSkewMs = 15 * 60_000;

function refilled(bucket: Bucket, { burst, refillMs }: Rate, now: Date): Pick<Bucket, 'tokens' | 'at'> {
  const elapsedMs = now.getTime() - bucket.at.getTime();
  if (elapsedMs < -maxSkewMs) return { tokens: Math.min(burst, bucket.tokens + 1), at: now };
  if (elapsedMs < 0) return { tokens: bucket.tokens, at: bucket.at };
  return { tokens: Math.min(burst, bucket.tokens + elapsedMs / refillMs), at: now };
}

type LimitDeps = Pick<ResetDeps, 'settings' | 'clock' | 'limits'>;
type LimitName = 'ip' | 'address';

/** @param whose the client's bucket or the address hash; a site's own server may name no client */
export async function takeToken(
  deps: LimitDeps,
  name: LimitName,
  whose: string | undefined,
  mailId: string,
): Promise<Taken> {
  const rate = rateOf(deps, name);
  if (whose === undefined || rate === 'off') return 'ok';
  return deps.limits.take(`${name}:${whose}`, rate, mailId, deps.clock());
}

/** Returns the tokens of a mail that an outage kept from being sent; a refused one stays charged (decision 0008). */
export async function refundLimits(deps: LimitDeps, request: MailRequest, mailId: string): Promise<void> {
  if (request.kind !== 'resetAddress' && request.kind !== 'resetAccount') return;
  const addressHash = request.kind === 'resetAddress' ? addressHashOf(request.email) : request.addressHash;
  const charged = { ip: request.client, address: addressHash };
  for (const name of ['ip', 'address'] as const) {
    const [whose, rate] = [charged[name], rateOf(deps, name)];
    if (whose !== undefined && rate !== 'off') await deps.limits.refund(`${name}:${whose}`, rate, mailId, deps.clock());
  }
}

const rateOf = ({ settings: { limits } }: LimitDeps, name: LimitName): Rate | 'off' =>
  name === 'ip' ? limits.perIp : limits.perAddress;

// The table: one row per bucket, keyed by the hash of its name, changed by conditional writes only.
const rowKey = 'bucket';
const columns = z.lazy(() =>
  z.object({
    tokens: z.number(),
    at: z.date(),
    charged: z.string(),
    day: z.string().optional(),
    dayCount: z.int().optional(),
  }),
);

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
      const decide = (row: Row | undefined): Decision<Taken> => {
        const after = charge(bucketOf(row), rate, mailId, now);
        if (after === 'over') return { result: 'over' };
        return { columns: after === 'same' ? undefined : columnsOf(name, after, rate), result: 'ok' };
      };
      // Mostly absent: few people ask twice within a bucket's life, and a row that is there costs one call more.
      const updated = await updateRow(table, partitionKeyOf(name), rowKey, decide, 'absent');
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

/** Beyond it the client that was not seen for longest is dropped: memory stays bounded (about 2 MB). */
const maxClients = 20_000;

export interface IpBuckets {
  /** Takes a token. @returns undefined, or the seconds until the next one when the bucket is empty */
  take(client: string): number | undefined;
  /** Returns the token of a call that failed on our side: an outage must not use up a whole network's limit. */
  refund(client: string): void;
}

/**
 * The coarse limit in front of every call: it answers 429 before any storage call. The one that counts for mail is `takeToken`.
 * @param rate `LIMIT_PER_IP`
 */
export function createIpBuckets(rate: Rate | 'off', clock: Clock): IpBuckets {
  if (rate === 'off') return { take: () => undefined, refund: () => undefined };
  const buckets = new LRUCache<string, Bucket>({ maxSize: maxClients, sizeCalculation: () => 1 }); // `max` would allocate at once
  return {
    take: (client) => {
      const now = clock();
      const bucket = buckets.get(client);
      // A request has no id to be repeated under: every one is charged.
      const after = charge(bucket === undefined ? undefined : { ...bucket, charged: [] }, rate, '', now);
      if (typeof after === 'object') {
        buckets.set(client, after);
        return undefined;
      }
      const elapsedMs = bucket === undefined ? 0 : now.getTime() - bucket.at.getTime();
      const missing = 1 - (bucket?.tokens ?? 0);
      return Math.max(1, Math.ceil((missing * rate.refillMs - elapsedMs) / 1000));
    },
    refund: (client) => {
      const bucket = buckets.get(client);
      if (bucket !== undefined) buckets.set(client, { ...bucket, tokens: Math.min(rate.burst, bucket.tokens + 1) });
    },
  };
}
