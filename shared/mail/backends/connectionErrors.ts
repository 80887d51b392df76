// What a socket error means for the mail: whether it was definitely not handed over, and whether a setting is wrong. Only codes are read: an
// SDK's error object carries the API key, the address and the mail.
import type { SendResult } from '../emailBackend';

// No connection was made, so no byte of the mail left (getaddrinfo and connect errors of Node).
const reasonsByCode: ReadonlyMap<string, string> = new Map([
  ['ECONNREFUSED', 'connection_refused'],
  ['ENOTFOUND', 'dns'],
  ['EAI_AGAIN', 'dns'],
  ['EAI_FAIL', 'dns'],
  ['EDNS', 'dns'],
  ['EHOSTUNREACH', 'unreachable'],
  ['ENETUNREACH', 'unreachable'],
  ['EADDRNOTAVAIL', 'unreachable'],
]);
// OpenSSL's verification codes (Node docs, "X509 certificate error codes") and Node's own TLS errors.
const tlsCode =
  /^(ERR_TLS_|ERR_SSL_|EPROTO$|ETLS$|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|PATH_LENGTH_|ERROR_IN_CERT)/;

export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The string `code`s of an error, of its cause, and of the first attempt of an AggregateError. */
function codesOf(error: unknown): string[] {
  const attempts = property(error, 'errors');
  const first: unknown = Array.isArray(attempts) ? attempts[0] : undefined;
  const candidates = [error, property(error, 'cause'), first].flatMap((each) => [
    property(each, 'code'),
    property(each, 'originalCode'),
  ]);
  return candidates.filter((code) => typeof code === 'string');
}

/** Our own settings are wrong; the provider did not accept the mail. */
export const misconfigured = (reason: string) =>
  ({ outcome: 'transient', reason, surelyNotAccepted: true, misconfigured: true }) as const;

/**
 * The result of a failure that definitely happened before the mail was handed over; undefined for any other failure.
 * A failed TLS handshake is a misconfiguration: nothing was sent, and trying again does not help (SM3).
 */
export function failureBeforeSending(error: unknown): (SendResult & { outcome: 'transient' }) | undefined {
  const codes = codesOf(error);
  if (codes.some((code) => tlsCode.test(code))) return misconfigured('tls');
  const connecting = [error, property(error, 'cause')].some((each) => property(each, 'syscall') === 'connect');
  const known = codes.map((code) => reasonsByCode.get(code)).find((each) => each !== undefined);
  const reason = known ?? (connecting ? 'unreachable' : undefined);
  return reason === undefined ? undefined : { outcome: 'transient', reason, surelyNotAccepted: true };
}
