// What the app uses of the storage SDKs, as one module: the bundler makes a file of its own of it, loaded with the first call. Both SDKs
// get an HTTP client on undici: kept-alive connections and plain text bodies, less than half the CPU of their own client.
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import type { StoragePipelineOptions } from '@azure/storage-queue';
import { type Dispatcher, EnvHttpProxyAgent } from 'undici';

export { TableClient } from '@azure/data-tables';
export { QueueClient } from '@azure/storage-queue';

/** Honours HTTPS_PROXY, as an operator's computer may need. */
const agent = new EnvHttpProxyAgent({ keepAliveTimeout: 60_000, connections: 50 });

interface Call {
  readonly url: string;
  readonly method: string;
  readonly headers: Record<string, string>;
  /** Both SDKs send text only. */
  readonly body?: unknown;
  readonly signal: AbortSignal | undefined;
}

interface Answer {
  readonly status: number;
  readonly headers: Record<string, string>;
  readonly text: string;
}

/** Through undici's lowest layer: no stream is made for an answer of a few hundred bytes. */
function send({ url, method, headers, body = null, signal }: Call): Promise<Answer> {
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
    agent.dispatch({ ...urlParts(url), method: method, headers, body }, handler);
  });
}

/** For the tables SDK. */
export const storageHttpClient: HttpClient = {
  sendRequest: async (request) => {
    const { url, method, body, abortSignal } = request;
    const signal = abortSignal as AbortSignal | undefined; // storageCall's own
    const answer = await send({ url, method, headers: request.headers.toJSON(), body, signal });
    return { request, status: answer.status, headers: createHttpHeaders(answer.headers), bodyAsText: answer.text };
  },
};

/** For the queue SDK, which keeps the client interface of its previous generation. */
export const queueHttpClient: NonNullable<StoragePipelineOptions['httpClient']> = {
  sendRequest: async (request) => {
    const { url, method, abortSignal } = request;
    const body: unknown = request.body;
    const signal = abortSignal as AbortSignal | undefined;
    const answer = await send({ url, method, headers: request.headers.toJson(), body, signal });
    const headers = request.headers.clone(); // its class is not exported
    for (const name of headers.headerNames()) headers.remove(name);
    for (const [name, value] of Object.entries(answer.headers)) headers.set(name, value);
    return { request, status: answer.status, headers, bodyAsText: answer.text };
  },
};

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
