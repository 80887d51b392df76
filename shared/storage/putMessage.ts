// Puts a message into a queue by one REST call. It is the only storage call of a request for a reset, so it does without the SDK: its
// XML, its pipeline and its loading are most of what such a request costs.
import { createHmac } from 'node:crypto';
import type { TokenCredential } from '@azure/identity';
import type { StorageSettings } from '../settings/storageSettings';

/**
 * Adds a message that never expires.
 * @param text without `<` and `&`: base64
 * @param visibilityTimeout seconds until it can be received
 * @throws an error of the shape of the SDKs' `RestError`, or what the connection threw
 */
export type PutMessage = (queue: string, text: string, visibilityTimeout: number, signal: AbortSignal) => Promise<void>;

/** How a call is allowed: what is added to its headers or its query. */
interface Access {
  /** Of the queue service. */
  readonly endpoint: string;
  readonly query?: string | undefined;
  authorization?(call: { path: string; query: string; length: number; date: string }): Promise<string> | string;
}

const version = '2024-11-04'; // of the service's API
const contentType = 'application/xml';
const scope = 'https://storage.azure.com/.default';

export async function createPutMessage(
  settings: StorageSettings,
  credentialOf: (settings: Extract<StorageSettings, { kind: 'identity' }>) => Promise<TokenCredential>,
): Promise<PutMessage> {
  const { sendToStorage } = await import('./storageHttp');
  const access =
    settings.kind === 'identity'
      ? byToken(settings.queueServiceUri, await credentialOf(settings))
      : byConnectionString(settings.connectionString);
  const { pathname } = new URL(access.endpoint);
  return async (queue, text, visibilityTimeout, signal) => {
    const body = `<QueueMessage><MessageText>${text}</MessageText></QueueMessage>`;
    const call = {
      path: `${pathname === '/' ? '' : pathname}/${queue}/messages`,
      query: `messagettl=-1&visibilitytimeout=${visibilityTimeout}`,
      length: Buffer.byteLength(body),
      date: new Date().toUTCString(),
    };
    const headers: Record<string, string> = {
      'Content-Type': contentType,
      'x-ms-date': call.date,
      'x-ms-version': version,
    };
    const authorization = await access.authorization?.(call);
    if (authorization !== undefined) headers['Authorization'] = authorization;
    const query = access.query === undefined ? call.query : `${call.query}&${access.query}`;
    const url = `${access.endpoint}/${queue}/messages?${query}`;
    const { status, headers: answered } = await sendToStorage({ url, method: 'POST', headers, body, signal });
    if (status === 201) return;
    const error = new Error(`the queue answered ${status}`);
    throw Object.assign(error, { name: 'RestError', statusCode: status, code: answered['x-ms-error-code'] });
  };
}

function byToken(queueServiceUri: string, credential: TokenCredential): Access {
  let token: { readonly token: string; readonly expiresOnTimestamp: number } | undefined;
  return {
    endpoint: queueServiceUri.replace(/\/$/, ''),
    authorization: async () => {
      // Five minutes early, as the SDKs do.
      if (token === undefined || token.expiresOnTimestamp - Date.now() < 5 * 60_000) {
        token = (await credential.getToken(scope)) ?? undefined;
      }
      return `Bearer ${token?.token ?? ''}`;
    },
  };
}

/** By the account's key, or by a shared access signature. */
function byConnectionString(connectionString: string): Access {
  const part = (name: string): string | undefined =>
    new RegExp(`(?:^|;)\\s*${name}=([^;]*)`, 'i').exec(connectionString)?.[1]?.trim();
  const account = part('AccountName') ?? '';
  const suffix = part('EndpointSuffix') ?? 'core.windows.net';
  const endpoint =
    part('QueueEndpoint') ?? `${part('DefaultEndpointsProtocol') ?? 'https'}://${account}.queue.${suffix}`;
  const key = Buffer.from(part('AccountKey') ?? '', 'base64');
  const signature = part('SharedAccessSignature')?.replace(/^\?/, '');
  return {
    endpoint: endpoint.replace(/\/$/, ''),
    ...(key.length === 0 ? { query: signature } : { authorization: (call) => sharedKey(account, key, call) }),
  };
}

/** @see https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key */
function sharedKey(
  account: string,
  key: Buffer,
  { path, query, length, date }: { path: string; query: string; length: number; date: string },
): string {
  const conditions = ['', '', '', '', '', '']; // Date, If-Modified-Since, If-Match, If-None-Match, If-Unmodified-Since, Range
  const resource = [`/${account}${path}`, ...query.split('&').map((item) => item.replace('=', ':'))];
  const text = [
    ...['POST', '', '', String(length), '', contentType],
    ...conditions,
    ...[`x-ms-date:${date}`, `x-ms-version:${version}`],
    ...resource,
  ].join('\n');
  return `SharedKey ${account}:${createHmac('sha256', key).update(text, 'utf8').digest('base64')}`;
}
