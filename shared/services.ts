// Builds every client and every part of the app from the settings: the only place that does. Lazy, once per process.
import { TableClient, type TableServiceClientOptions } from '@azure/data-tables';
import { QueueClient, type StoragePipelineOptions } from '@azure/storage-queue';
import { systemClock, type Clock } from './clock';
import type { Config, StorageSettings } from './config';
import type { Emit } from './events';
import { createClientShare, type ClientShare } from './http/clientShare';
import { createIpBuckets, type IpBuckets } from './http/ipBuckets';
import { createEmailBackend } from './mail/createBackend';
import { isBreachedPassword } from './password/breachedPasswords';
import type { ReportFlow } from './reportPoison';
import type { SendMailFlow } from './sendMail';
import { createSiteSource } from './site';
import { createAccountsTable } from './storage/accountsTable';
import { createBoundKeysTable } from './storage/boundKeysTable';
import { createDeliveriesTable } from './storage/deliveriesTable';
import { createLimitsTable } from './storage/limitsTable';
import { createOutgoingMailQueue, outgoingMailQueueName, poisonQueueName } from './storage/outgoingMailStorageQueue';
import { createPeekPoison } from './storage/poisonQueue';
import { createSiteTable } from './storage/siteTable';
import { createTableStore, type TableStore } from './storage/tableStore';

/** Everything the triggers need: the flow's parts and the front limit. */
export interface Services extends SendMailFlow, Omit<ReportFlow, 'settings'> {
  readonly settings: Config;
  readonly ipBuckets: IpBuckets;
  readonly clientShare: ClientShare;
  readonly storage: StorageClients;
}

/** The names of the tables, as operators see them in the portal. */
export const tableNames = ['SiteSettings', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'] as const;
export type TableName = (typeof tableNames)[number];

export interface StorageClients {
  table(name: TableName): TableStore;
  queue(name: string): QueueClient;
  /** Makes the tables and queues that are not there yet. In Azure infra/ has made them. Throws what the SDK throws. */
  createMissing(signal: AbortSignal): Promise<void>;
}

/** Our own retries stay below the 5 s in which every call must be answered (the SDKs' defaults do not). */
const tableOptions: TableServiceClientOptions = {
  retryOptions: { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 800 },
};
const queueOptions: StoragePipelineOptions = {
  retryOptions: { maxTries: 3, tryTimeoutInMs: 2000, retryDelayInMs: 200, maxRetryDelayInMs: 800 },
};

/**
 * Builds the app. Touches no network.
 * @param emit where events go; the triggers write them to the invocation's log
 */
export async function buildServices(config: Config, emit: Emit, clock: Clock = systemClock): Promise<Services> {
  const storage = await createStorageClients(config.storage);
  const { pwnedPasswordsUrl } = config.password;
  return {
    settings: config,
    clock,
    emit,
    storage,
    peekPoison: createPeekPoison(storage.queue(poisonQueueName)),
    clientShare: createClientShare(),
    ipBuckets: createIpBuckets(config.limits.perIp, clock),
    queue: createOutgoingMailQueue(storage.queue(outgoingMailQueueName), storage.queue(poisonQueueName)),
    accounts: createAccountsTable(storage.table('Accounts'), emit),
    boundKeys: createBoundKeysTable(storage.table('ResetKeys')),
    deliveries: createDeliveriesTable(storage.table('Deliveries')),
    limits: createLimitsTable(storage.table('Limits')),
    site: createSiteSource(
      createSiteTable(storage.table('SiteSettings'), config.siteId),
      config.siteDefaults,
      config.development,
      clock,
      emit,
    ),
    email: createEmailBackend(config.email, {
      write: (text) => process.stdout.write(text),
      log: (event) => emit({ ...event, level: 'warn' }),
    }),
    ...(pwnedPasswordsUrl !== undefined && {
      isBreached: (password: string) => isBreachedPassword(pwnedPasswordsUrl, password, emit),
    }),
  };
}

/** The storage clients, by connection string or by identity: the same choice as the bindings make. */
export async function createStorageClients(settings: StorageSettings): Promise<StorageClients> {
  const clients =
    settings.kind === 'connectionString' ? byConnectionString(settings.connectionString) : await byIdentity(settings);
  const tables = new Map<TableName, TableStore>();
  return {
    table: (name) => {
      const store = tables.get(name) ?? createTableStore(clients.table(name));
      tables.set(name, store);
      return store;
    },
    queue: clients.queue,
    createMissing: async (abortSignal) => {
      const queues = [outgoingMailQueueName, poisonQueueName];
      await Promise.all([
        ...tableNames.map((name) => clients.table(name).createTable({ abortSignal })),
        ...queues.map((name) => clients.queue(name).createIfNotExists({ abortSignal })),
      ]);
    },
  };
}

function byConnectionString(connectionString: string) {
  const allowInsecureConnection = connectionString.includes('http://'); // Azurite
  return {
    table: (name: string) =>
      TableClient.fromConnectionString(connectionString, name, { ...tableOptions, allowInsecureConnection }),
    queue: (name: string) => new QueueClient(connectionString, name, queueOptions),
  };
}

async function byIdentity(settings: Extract<StorageSettings, { kind: 'identity' }>) {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  const { clientId, managedIdentity, tableServiceUri, queueServiceUri } = settings;
  const credential = managedIdentity
    ? new ManagedIdentityCredential(clientId === undefined ? {} : { clientId })
    : new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
  return {
    table: (name: string) => new TableClient(tableServiceUri, name, credential, tableOptions),
    queue: (name: string) => new QueueClient(`${queueServiceUri.replace(/\/$/, '')}/${name}`, credential, queueOptions),
  };
}
