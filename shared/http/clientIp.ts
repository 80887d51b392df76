// Who is asking, as far as the limits are concerned: the address that the trusted hop saw, as a bucket name.
import { isIP } from 'node:net';

/** All clients without a readable address share this bucket: no address is no way around a limit. */
export const unknownClient = 'unknown';

/**
 * The bucket of the asking client from `X-Forwarded-For`. Only the entry that the outermost trusted proxy wrote counts; what
 * stands to its left is the client's own invention.
 * @param forwardedFor the header's value; several headers come joined by commas
 * @param trustedHops `TRUSTED_PROXY_HOPS`: 1 behind Azure's front end; 0 trusts no header at all
 * @returns an IPv4 address, an IPv6 /64, or `unknown`
 */
export function clientBucket(forwardedFor: string | null, trustedHops: number): string {
  if (forwardedFor === null || trustedHops === 0) return unknownClient;
  const entries = forwardedFor.split(',');
  return bucketOf(entries[entries.length - trustedHops] ?? '');
}

/** The bucket of one address, with or without a port. IPv4-mapped forms count as IPv4, IPv6 by its /64 (RFC 6177). */
export function bucketOf(entry: string): string {
  const text = entry.trim();
  const bracketed = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text)?.[1];
  const withPort = /^([\d.]+):\d{1,5}$/.exec(text)?.[1];
  const address = bracketed ?? withPort ?? text;
  if (isIP(address) === 4) return address;
  if (isIP(address) !== 6 || address.includes('%')) return unknownClient;
  const groups = expandIPv6(address);
  const mapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  const [high = 0, low = 0] = groups.slice(6);
  if (mapped) return [high >> 8, high & 255, low >> 8, low & 255].join('.');
  return `${groups
    .slice(0, 4)
    .map((group) => group.toString(16))
    .join(':')}::/64`;
}

/** The eight 16-bit groups of a valid IPv6 address; the WHATWG URL parser normalizes every spelling of it. */
function expandIPv6(address: string): number[] {
  const [head = '', tail] = new URL(`http://[${address}]/`).hostname.slice(1, -1).split('::');
  const parse = (part: string): number[] => (part === '' ? [] : part.split(':').map((group) => parseInt(group, 16)));
  const left = parse(head);
  const right = tail === undefined ? [] : parse(tail);
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right];
}
