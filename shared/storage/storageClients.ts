// The clients of Azure Storage, by connection string or by identity: the same choice as the bindings make. The SDKs are loaded
// with the first call.
import type { TableClient } from '@azure/data-tables';
import type { QueueClient } from '@azure/storage-queue';
import { deadline } from '../clock';
import type { StorageSettings } from '../settings/storageSettings';
import { createTableStore, type TableStore } from './tableStore';

/** The names of the tables, as operators see them in the portal. */
export const tableNames = ['SiteSettings', 'SiteTexts', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'] as const;
export type TableName = (typeof tableNames)[number];

/** The queue that sendMail listens on; the host derives the poison queue's name from it. */
export const outgoingMailQueueName = 'outgoing-mail';
export const poisonQueueName = `${outgoingMailQueueName}-poison`;

export interface StorageClients {
  table(name: TableName): TableStore;
  queue(name: string): Promise<QueueClient>;
  /** Makes the tables and queues that are not there yet. In Azure infra/ has made them. Throws what the SDK throws. */
  createMissing(): Promise<void>;
}

interface Clients {
  table(name: string): TableClient;
  queue(name: string): QueueClient;
}

/** Touches no network and loads nothing until the first call. */
export function createStorageClients(settings: StorageSettings): StorageClients {
  let loading: Promise<Clients> | undefined;
  const clients = (): Promise<Clients> =>
    (loading ??= settings.kind === 'connectionString' ? byConnectionString(settings) : byIdentity(settings));
  const tables = new Map<string, Promise<TableClient>>();
  const queues = new Map<string, Promise<QueueClient>>();
  const tableClient = (name: string) => kept(tables, name, async () => (await clients()).table(name));
  const queueClient = (name: string) => kept(queues, name, async () => (await clients()).queue(name));
  return {
    table: (name) => createTableStore(() => tableClient(name)),
    queue: queueClient,
    createMissing: async () => {
      const abortSignal = deadline();
      await Promise.all([
        ...tableNames.map(async (name) => (await tableClient(name)).createTable({ abortSignal })),
        ...[outgoingMailQueueName, poisonQueueName].map(async (name) =>
          (await queueClient(name)).createIfNotExists({ abortSignal }),
        ),
      ]);
    },
  };
}

function kept<T>(all: Map<string, Promise<T>>, name: string, make: () => Promise<T>): Promise<T> {
  const made = all.get(name) ?? make();
  all.set(name, made);
  return made;
}

const queueOptions = { retryOptions: { maxTries: 1 } }; // storageCall retries
/** The tables SDK's policies that are not used with storage; proxies are the HTTP client's affair. */
const unusedPolicies = [
  'proxyPolicy',
  'decompressResponsePolicy',
  'wrapAbortSignalLikePolicy',
  'formDataPolicy',
  'multipartPolicy',
  'defaultRetryPolicy',
  'tracingPolicy',
  'redirectPolicy',
  'logPolicy',
];

/** Without what is not used: each policy is a function call and some allocations per request. */
function lean(client: TableClient): TableClient {
  for (const name of unusedPolicies) client.pipeline.removePolicy({ name });
  return client;
}

async function byConnectionString({
  connectionString,
}: Extract<StorageSettings, { kind: 'connectionString' }>): Promise<Clients> {
  const { TableClient, QueueClient, storageHttpClient: httpClient, queueHttpClient } = await import('./storageSdk');
  const options = { httpClient, allowInsecureConnection: connectionString.includes('http://') }; // Azurite
  return {
    table: (name) => lean(TableClient.fromConnectionString(connectionString, name, options)),
    queue: (name) => new QueueClient(connectionString, name, { ...queueOptions, httpClient: queueHttpClient }),
  };
}

async function byIdentity(settings: Extract<StorageSettings, { kind: 'identity' }>): Promise<Clients> {
  const { TableClient, QueueClient, storageHttpClient: httpClient, queueHttpClient } = await import('./storageSdk');
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  const { clientId, managedIdentity, tableServiceUri, queueServiceUri } = settings;
  const credential = managedIdentity
    ? new ManagedIdentityCredential(clientId === undefined ? {} : { clientId })
    : new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
  return {
    table: (name) => lean(new TableClient(tableServiceUri, name, credential, { httpClient })),
    queue: (name) =>
      new QueueClient(`${queueServiceUri.replace(/\/$/, '')}/${name}`, credential, {
        ...queueOptions,
        httpClient: queueHttpClient,
      }),
  };
}
