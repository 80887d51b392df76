// What the app uses of the storage SDKs, as one module: the bundler makes a file of its own of it, loaded with the first call. Both SDKs
// get the app's HTTP client.
import type { StoragePipelineOptions } from '@azure/storage-queue';
import { sendToStorage } from './storageHttp';

export { TableClient } from '@azure/data-tables';
export { QueueClient } from '@azure/storage-queue';
export { storageHttpClient } from './storageHttp';

/** For the queue SDK, which keeps the client interface of its previous generation. */
export const queueHttpClient: NonNullable<StoragePipelineOptions['httpClient']> = {
  sendRequest: async (request) => {
    const { url, method, abortSignal } = request;
    const body: unknown = request.body;
    const signal = abortSignal as AbortSignal | undefined;
    const answer = await sendToStorage({ url, method, headers: request.headers.toJson(), body, signal });
    const headers = request.headers.clone(); // its class is not exported
    for (const name of headers.headerNames()) headers.remove(name);
    for (const [name, value] of Object.entries(answer.headers)) headers.set(name, value);
    return { request, status: answer.status, headers, bodyAsText: answer.text };
  },
};
