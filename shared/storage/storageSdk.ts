// What the app uses of the storage SDKs, as one module: the bundler makes a file of its own of it, loaded with the first call.
export { TableClient } from '@azure/data-tables';
export { QueueClient } from '@azure/storage-queue';
export { queueHttpClient, storageHttpClient } from './storageHttpClient';
