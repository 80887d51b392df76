// Calls to Azure Storage by HTTP, on undici: kept-alive connections and text bodies. Less than half the CPU of the SDKs' own client.
// A message is put by one REST call through the SDKs' own signing policies: it is the only storage call of a request for a reset, and
// the queue client's XML and its other policies would be a third of what such a request costs.
import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type PipelinePolicy,
  RestError,
} from '@azure/core-rest-pipeline';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';
import type { TokenCredential } from '@azure/identity';
import { storageSharedKeyCredentialPolicy } from '@azure/storage-common';
import type { StorageSettings } from '../settings/storageSettings';

/** Honours HTTPS_PROXY, as an operator's computer may need. */
const agent = new EnvHttpProxyAgent({ keepAliveTimeout: 60_000, connections: 50 });

interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  /** Text only. */
  readonly body?: unknown;
  readonly signal: AbortSignal | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** Through undici's lowest layer: no stream is made for an answer of a few hundred bytes. */
export function sendToStorage({ url, method, headers, body = null, signal }: Call): Promise<Answer> {
  if (body !== null && typeof body !== 'string') throw new TypeError('only text bodies are sent to storage');
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let [status, answered]: [number, Record<string, string>] = [0, {}];
    let begun: Dispatcher.DispatchController | undefined;
    // At once, also while the connection is being made.
    const abort = (): void => {
      const reason = signal?.reason instanceof Error ? signal.reason : new Error('aborted');
      begun?.abort(reason);
      reject(reason);
    };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: (controller) => {
        begun = controller;
        if (signal?.aborted === true) abort();
      },
      onResponseStart: (_controller, statusCode, received) => {
        status = statusCode;
        answered = plain(received);
      },
      onResponseData: (_controller, chunk) => void chunks.push(chunk),
      onResponseEnd: () => {
        signal?.removeEventListener('abort', abort);
        resolve({ status, headers: answered, text: Buffer.concat(chunks).toString('utf8') });
      },
      onResponseError: (_controller, error) => {
        signal?.removeEventListener('abort', abort);
        reject(error);
      },
    };
    signal?.addEventListener('abort', abort, { once: true });
    agent.dispatch({ ...urlParts(url), method, headers, body }, handler);
  });
}

function plain(received: Record<string, string | string[] | undefined>): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(received)) {
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

function urlParts(url: string): { readonly origin: string; readonly path: string } {
  const slash = url.indexOf('/', url.indexOf('://') + 3);
  return slash < 0 ? { origin: url, path: '/' } : { origin: url.slice(0, slash), path: url.slice(slash) };
}

/** For the tables SDK and putMessage. */
export const storageHttpClient: HttpClient = {
  sendRequest: async (request) => {
    const { url, method, body, abortSignal } = request;
    const signal = abortSignal as AbortSignal | undefined; // storageCall's own
    const answer = await sendToStorage({ url, method, headers: request.headers.toJSON(), body, signal });
    return { request, status: answer.status, headers: createHttpHeaders(answer.headers), bodyAsText: answer.text };
  },
};

/**
 * Adds a message that never expires.
 * @param text without `<` and `&`: base64
 * @param visibilityTimeout seconds until it can be received
 * @throws RestError, or what the connection threw
 */
export type PutMessage = (queue: string, text: string, visibilityTimeout: number, signal: AbortSignal) => Promise<void>;

const apiVersion = '2024-11-04';

/**
 * @param credential of the identity; undefined with a connection string
 * @param httpClient for tests
 */
export function createPutMessage(
  settings: StorageSettings,
  credential: TokenCredential | undefined,
  httpClient: HttpClient = storageHttpClient,
): PutMessage {
  const { endpoint, policy, signature } =
    settings.kind === 'identity'
      ? byIdentity(settings.queueServiceUri, credential)
      : byConnectionString(settings.connectionString);
  const pipeline = createEmptyPipeline();
  if (policy !== undefined) pipeline.addPolicy(policy);
  const base = endpoint.replace(/\/$/, '');
  const suffix = signature === undefined ? '' : `&${signature}`;
  return async (queue, text, visibilityTimeout, abortSignal) => {
    const request = createPipelineRequest({
      url: `${base}/${queue}/messages?messagettl=-1&visibilitytimeout=${visibilityTimeout}${suffix}`,
      method: 'POST',
      headers: createHttpHeaders({ 'Content-Type': 'application/xml', 'x-ms-version': apiVersion }),
      body: `<QueueMessage><MessageText>${text}</MessageText></QueueMessage>`,
      abortSignal,
    });
    const { status, headers } = await pipeline.sendRequest(httpClient, request);
    if (status === 201) return;
    const code = headers.get('x-ms-error-code');
    throw new RestError(`the queue answered ${status}`, { statusCode: status, ...(code !== undefined && { code }) });
  };
}

/** How calls of the queue service are allowed: by a policy, or by a shared access signature in the query. */
interface Access {
  readonly endpoint: string;
  readonly policy?: PipelinePolicy;
  readonly signature?: string | undefined;
}

function byIdentity(endpoint: string, credential: TokenCredential | undefined): Access {
  if (credential === undefined) throw new Error('an identity needs a credential');
  const policy = bearerTokenAuthenticationPolicy({ credential, scopes: 'https://storage.azure.com/.default' });
  return { endpoint, policy };
}

function byConnectionString(connectionString: string): Access {
  const part = (name: string): string | undefined =>
    new RegExp(`(?:^|;)\\s*${name}=([^;]*)`, 'i').exec(connectionString)?.[1]?.trim();
  const [accountName = '', accountKey] = [part('AccountName'), part('AccountKey')];
  const [protocol = 'https', suffix = 'core.windows.net'] = [part('DefaultEndpointsProtocol'), part('EndpointSuffix')];
  const endpoint = part('QueueEndpoint') ?? `${protocol}://${accountName}.queue.${suffix}`;
  if (accountKey === undefined) return { endpoint, signature: part('SharedAccessSignature')?.replace(/^\?/, '') };
  const credential = { accountName, accountKey: Buffer.from(accountKey, 'base64') };
  return { endpoint, policy: storageSharedKeyCredentialPolicy(credential) };
}
