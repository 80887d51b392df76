// The one grammar for e-mail addresses, and what an address becomes in a table: a hash. Used at the HTTP edge,
// by the accounts and by the CLIs. Never logs an address.
import { createHash } from 'node:crypto';

const maxAddressBytes = 254; // RFC 5321 §4.5.3.1.3 less the angle brackets
const maxLocalBytes = 64; // RFC 5321 §4.5.3.1.1
const maxLabelBytes = 63; // RFC 1035 §2.3.4
// RFC 5322 atext, and letters, digits and marks of any script (RFC 6531); never an invisible character such as U+3164.
const localAtom = /^[\p{L}\p{N}\p{M}!#$%&'*+/=?^_`{|}~-]+$/u;
const domainLabel = /^[\p{L}\p{N}](?:[\p{L}\p{N}\p{M}-]*[\p{L}\p{N}\p{M}])?$/u;
const invisible = /\p{Default_Ignorable_Code_Point}/u;

/**
 * Reads what a person typed as an e-mail address. ASCII blanks around it are trimmed; nothing else is changed.
 * Accepts a dot-atom local part and a domain of one or more labels, ≤254 octets of UTF-8. Refuses everything cleverer:
 * comments, quotes, lists, groups, address literals, control and invisible characters.
 * @returns the trimmed address, or undefined for anything else. Linear in the length; a text that is too long is refused without being read.
 * @see RFC 5321 §4.1.2, RFC 6531 §3.3
 */
export function parseAddress(text: string): string | undefined {
  if (text.length > 4 * maxAddressBytes) return undefined;
  const address = text.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');
  if (Buffer.byteLength(address) > maxAddressBytes || invisible.test(address)) return undefined;
  const at = address.indexOf('@');
  if (at < 1) return undefined;
  const local = address.slice(0, at);
  if (Buffer.byteLength(local) > maxLocalBytes || !local.split('.').every((atom) => localAtom.test(atom)))
    return undefined;
  const labels = address.slice(at + 1).split('.');
  if (!labels.every((label) => Buffer.byteLength(label) <= maxLabelBytes && domainLabel.test(label))) return undefined;
  return address;
}

/** The form in which addresses are compared: ASCII letters lower-cased, everything else as it is (CVE-2019-19844). */
export function normalizeAddress(address: string): string {
  return address.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/**
 * The `sub` of an address: the first 128 bits of SHA-256 of its normalized form, as 22 base64url characters.
 * It is the partition key of every row about the address, so that no table key holds an address.
 */
export function addressHashOf(address: string): string {
  return createHash('sha256').update(normalizeAddress(address), 'utf8').digest().subarray(0, 16).toString('base64url');
}
