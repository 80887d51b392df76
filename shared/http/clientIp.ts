// The requesting client, as far as the limits are concerned: the address that the trusted hop saw, as a bucket name.
import ipaddr from 'ipaddr.js';

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
