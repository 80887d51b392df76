// The requesting client as a bucket name, from the address that the trusted hop saw, and the coarse limit on it in this process's
// memory. It answers 429 before any storage call; the limit that counts for mail is the shared one in sendMail.
import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import type { Clock } from '../clock';
import { type Bucket, charge, type Rate } from '../limits';

/** All clients without a readable address share this bucket: no address is no way around a limit. */
export const unknownClient = 'unknown';

/**
 * The bucket of the requesting client from `X-Forwarded-For`. Only the entry that the outermost trusted proxy wrote counts; the
 * client can put anything to its left.
 * @param forwardedFor the header's value; several headers come joined by commas
 * @param trustedHops `TRUSTED_PROXY_HOPS`: 1 behind Azure's front end; 0 trusts no header at all
 * @returns an IPv4 address, an IPv6 /64, or `unknown`
 */
export function clientBucket(forwardedFor: string | null, trustedHops: number): string {
  if (forwardedFor === null || trustedHops === 0) return unknownClient;
  const entries = forwardedFor.split(',');
  return bucketOf(entries[entries.length - trustedHops] ?? '');
}

/**
 * The bucket of one address, with or without a port. IPv6 counts by its /64 (RFC 6177); IPv4-mapped and 6to4 addresses (RFC 3056)
 * count as the IPv4 address in them.
 */
export function bucketOf(entry: string): string {
  const text = entry.trim();
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1];
  const address = bracketed ?? withPort ?? text;
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return address;
  if (!ipaddr.IPv6.isValid(address) || address.includes('%')) return unknownClient;
  const ipv6 = ipaddr.IPv6.parse(address);
  if (ipv6.isIPv4MappedAddress()) return ipv6.toIPv4Address().toString();
  if (ipv6.range() === '6to4') return new ipaddr.IPv4(ipv6.toByteArray().slice(2, 6)).toString();
  const network = ipv6.parts.slice(0, 4).map((part) => part.toString(16));
  return `${network.join(':')}::/64`;
}

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
