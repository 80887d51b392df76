// Puts a message into a queue by one REST call through the SDKs' own signing policies. It is the only storage call of a request for a
// reset: the queue client's XML and its other policies are a third of what such a request costs.
import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  RestError,
  type HttpClient,
  type PipelinePolicy,
} from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { storageSharedKeyCredentialPolicy } from '@azure/storage-common';
import type { StorageSettings } from '../settings/storageSettings';
import { storageHttpClient } from './storageHttp';

/**
 * Adds a message that never expires.
 * @param text without `<` and `&`: base64
 * @param visibilityTimeout seconds until it can be received
 * @throws RestError, or what the connection threw
 */
export type PutMessage = (queue: string, text: string, visibilityTimeout: number, signal: AbortSignal) => Promise<void>;

/** The queue service and how its calls are allowed: by a policy, or by a shared access signature in the query. */
interface Access {
  readonly endpoint: string;
  readonly policy?: PipelinePolicy | undefined;
  readonly signature?: string | undefined;
}

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
  const suffix = signature === undefined ? '' : `&${signature}`;
  return async (queue, text, visibilityTimeout, abortSignal) => {
    const request = createPipelineRequest({
      url: `${endpoint}/${queue}/messages?messagettl=-1&visibilitytimeout=${visibilityTimeout}${suffix}`,
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

function byIdentity(queueServiceUri: string, credential: TokenCredential | undefined): Access {
  if (credential === undefined) throw new Error('an identity needs a credential');
  const policy = bearerTokenAuthenticationPolicy({ credential, scopes: 'https://storage.azure.com/.default' });
  return { endpoint: queueServiceUri.replace(/\/$/, ''), policy };
}

function byConnectionString(connectionString: string): Access {
  const part = (name: string): string | undefined =>
    new RegExp(`(?:^|;)\\s*${name}=([^;]*)`, 'i').exec(connectionString)?.[1]?.trim();
  const accountName = part('AccountName') ?? '';
  const accountKey = part('AccountKey');
  const suffix = part('EndpointSuffix') ?? 'core.windows.net';
  const endpoint =
    part('QueueEndpoint') ?? `${part('DefaultEndpointsProtocol') ?? 'https'}://${accountName}.queue.${suffix}`;
  return {
    endpoint: endpoint.replace(/\/$/, ''),
    policy:
      accountKey === undefined
        ? undefined
        : storageSharedKeyCredentialPolicy({ accountName, accountKey: Buffer.from(accountKey, 'base64') }),
    signature: accountKey === undefined ? part('SharedAccessSignature')?.replace(/^\?/, '') : undefined,
  };
}
