// The tables SDK's HTTP client, on undici: kept-alive connections and plain text bodies. Less than half the CPU of the SDK's own client.
import { createHttpHeaders, type HttpClient } from '@azure/core-rest-pipeline';
import { EnvHttpProxyAgent } from 'undici';

/** Honours HTTPS_PROXY, as an operator's computer may need. */
const agent = new EnvHttpProxyAgent({ keepAliveTimeout: 60_000, connections: 50 });

/** Knows what that SDK sends: bodies are text, answers are JSON. */
export const storageHttpClient: HttpClient = {
  sendRequest: async (request) => {
    const { url, method, headers, body, abortSignal } = request;
    if (body !== undefined && typeof body !== 'string') throw new TypeError('only text bodies are sent to storage');
    const {
      statusCode,
      headers: answered,
      body: answer,
    } = await agent.request({
      ...urlParts(url),
      method: method,
      headers: headers.toJSON(),
      body: body ?? null,
      signal: abortSignal,
    });
    const plain: Record<string, string> = {};
    for (const [name, value] of Object.entries(answered)) {
      if (value !== undefined) plain[name] = typeof value === 'string' ? value : value.join(', ');
    }
    return { request, status: statusCode, headers: createHttpHeaders(plain), bodyAsText: await answer.text() };
  },
};

function urlParts(url: string): { readonly origin: string; readonly path: string } {
  const slash = url.indexOf('/', url.indexOf('://') + 3);
  return slash < 0 ? { origin: url, path: '/' } : { origin: url.slice(0, slash), path: url.slice(slash) };
}
