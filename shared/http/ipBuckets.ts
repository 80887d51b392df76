// The coarse limit in front of the HTTP functions: token buckets in this process's memory. It answers 429 before any storage
// call; the limit that counts for mail is the shared one in sendMail.
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock';
import { charge, type Bucket, type Rate } from '../limits';

/** More clients than that push out the longest unseen one: memory stays bounded (about 2 MB). */
const maxClients = 20_000;

export interface IpBuckets {
  /** Takes a token. @returns undefined, or the seconds until the next one when the bucket is empty */
  take(client: string): number | undefined;
  /** Returns the token of a call that failed on our side: an outage must not use up a whole network's limit. */
  refund(client: string): void;
}

/** @param rate `LIMIT_PER_IP` */
export function createIpBuckets(rate: Rate | 'off', clock: Clock): IpBuckets {
  if (rate === 'off') return { take: () => undefined, refund: () => undefined };
  const buckets = new LRUCache<string, Bucket>({ max: maxClients });
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
