// What an error of a socket means for the mail: was it certainly not handed over, is it our settings? Called by the sendgrid and
// smtp backends. Only codes are read: an SDK's error object carries the API key, the address and the mail, and goes no further.

// No connection was made, so no byte of the mail left (getaddrinfo and connect errors of Node).
const REASONS_BY_CODE: ReadonlyMap<string, string> = new Map([
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
const TLS_CODE =
  /^(ERR_TLS_|ERR_SSL_|EPROTO$|ETLS$|CERT_|CRL_|DEPTH_ZERO_|SELF_SIGNED_|UNABLE_TO_|INVALID_CA$|INVALID_PURPOSE$|HOSTNAME_MISMATCH$|PATH_LENGTH_|ERROR_IN_CERT)/;

/** A property of an unknown thing, unknown in turn. */
export function property(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined;
}

/** The string `code`s of an error, of what it wraps, and of the attempts an AggregateError holds. */
function codesOf(error: unknown): string[] {
  const attempts = property(error, 'errors');
  const first: unknown = Array.isArray(attempts) ? attempts[0] : undefined;
  const candidates = [error, property(error, 'cause'), first].flatMap((each) => [
    property(each, 'code'),
    property(each, 'originalCode'),
  ]);
  return candidates.filter((code) => typeof code === 'string');
}

/**
 * A failure that certainly happened before the mail was handed over: `{reason, misconfigured}`; nothing for any other.
 * A failed TLS handshake counts as ours: nothing was sent, and somebody has to look at the settings (SM3).
 */
export function failureBeforeSending(error: unknown): { reason: string; misconfigured: boolean } | undefined {
  const codes = codesOf(error);
  if (codes.some((code) => TLS_CODE.test(code))) return { reason: 'tls', misconfigured: true };
  const reason = codes.map((code) => REASONS_BY_CODE.get(code)).find((known) => known !== undefined);
  if (reason !== undefined) return { reason, misconfigured: false };
  const connecting = [error, property(error, 'cause')].some((each) => property(each, 'syscall') === 'connect');
  return connecting ? { reason: 'unreachable', misconfigured: false } : undefined;
}
