// Azure Storage as the app uses it: clients, whose SDKs are loaded with the first call; tables with conditional writes; and the retries of
// every call. A missing table is an outage (`TableNotFound`): made anew on the way, an empty one would silently answer that nobody has an
// account.
import type { TableClient, TableEntity, TableEntityResult } from '@azure/data-tables';
import type { TokenCredential } from '@azure/identity';
import type { QueueClient } from '@azure/storage-queue';
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline, randomBetween, tryTimeoutMs, withTimer } from '../clock';
import type { StorageSettings } from '../settings/storageSettings';
import { StorageUnavailable } from '../errors';
import type { PutMessage } from './storageHttp';

/** The names of the tables, as operators see them in the portal. */
export const tableNames = ['SiteSettings', 'SiteTexts', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'] as const;
export type TableName = (typeof tableNames)[number];

/** The queue that sendMail listens on; the host derives the poison queue's name from it. */
export const outgoingMailQueueName = 'outgoing-mail';
export const poisonQueueName = `${outgoingMailQueueName}-poison`;

export interface StorageClients {
  table(name: TableName): TableStore;
  queue(name: string): Promise<QueueClient>;
  /** Adds messages to queues. */
  readonly putMessage: () => Promise<PutMessage>;
  /** Makes the tables and queues that are not there yet. In Azure infra/ has made them. Throws what the SDK throws. */
  createMissing(): Promise<void>;
}

interface Clients {
  table(name: string): TableClient;
  queue(name: string): QueueClient;
}

/** By connection string or by identity, as the bindings. Touches no network and loads nothing until the first call. */
export function createStorageClients(settings: StorageSettings): StorageClients {
  let loading: Promise<Clients> | undefined;
  const clients = (): Promise<Clients> =>
    (loading ??= settings.kind === 'connectionString' ? byConnectionString(settings) : byIdentity(settings));
  let putting: Promise<PutMessage> | undefined;
  const tables = new Map<string, Promise<TableClient>>();
  const queues = new Map<string, Promise<QueueClient>>();
  const tableClient = (name: string) => kept(tables, name, async () => (await clients()).table(name));
  const queueClient = (name: string) => kept(queues, name, async () => (await clients()).queue(name));
  return {
    table: (name) => createTableStore(() => tableClient(name)),
    queue: queueClient,
    putMessage: () => (putting ??= putMessageBy(settings)),
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
/** The tables SDK's policies that are not used with storage; the HTTP client handles proxies. */
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

type IdentitySettings = Extract<StorageSettings, { kind: 'identity' }>;

async function credentialOf({ clientId, managedIdentity }: IdentitySettings): Promise<TokenCredential> {
  const { DefaultAzureCredential, ManagedIdentityCredential } = await import('@azure/identity');
  return managedIdentity
    ? new ManagedIdentityCredential(clientId === undefined ? {} : { clientId })
    : new DefaultAzureCredential(clientId === undefined ? {} : { managedIdentityClientId: clientId });
}

async function putMessageBy(settings: StorageSettings): Promise<PutMessage> {
  const { createPutMessage } = await import('./storageHttp');
  const credential = settings.kind === 'identity' ? await credentialOf(settings) : undefined;
  return createPutMessage(settings, credential);
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

async function byIdentity(settings: IdentitySettings): Promise<Clients> {
  const { TableClient, QueueClient, storageHttpClient: httpClient, queueHttpClient } = await import('./storageSdk');
  const { tableServiceUri, queueServiceUri } = settings;
  const credential = await credentialOf(settings);
  return {
    table: (name) => lean(new TableClient(tableServiceUri, name, credential, { httpClient })),
    queue: (name) =>
      new QueueClient(`${queueServiceUri.replace(/\/$/, '')}/${name}`, credential, {
        ...queueOptions,
        httpClient: queueHttpClient,
      }),
  };
}

/** A row as read: its columns, its keys and its ETag. */
export type Row = TableEntityResult<Record<string, unknown>>;
/** Columns to write; `undefined` is not written. */
export type Columns = Record<string, string | number | boolean | Date | undefined>;

/** Every call throws `StorageUnavailable`. */
export interface TableStore {
  get(partitionKey: string, rowKey: string): Promise<Row | undefined>;
  /** All rows that an OData filter selects, over all pages. */
  list(filter: string, columns?: readonly string[]): AsyncIterable<Row>;
  /** One page of them, with the token of the next; a page may be empty and yet have a next one. */
  page(filter: string, token: string | undefined): Promise<Page>;
  insert(partitionKey: string, rowKey: string, columns: Columns): Promise<{ etag: string } | 'exists'>;
  /** Changes the given columns if the row still has this ETag. `stale` also if the row is gone. */
  merge(partitionKey: string, rowKey: string, columns: Columns, etag: string): Promise<{ etag: string } | 'stale'>;
  remove(partitionKey: string, rowKey: string, etag: string): Promise<'removed' | 'stale'>;
}

export interface Page {
  readonly rows: readonly Row[];
  /** Opaque; undefined on the last page. */
  readonly next: string | undefined;
}

/** @param client made with the first call */
export function createTableStore(client: () => Promise<TableClient>): TableStore {
  const call = <T>(
    run: (client: TableClient, signal: AbortSignal) => Promise<T>,
    expected?: (error: unknown) => boolean,
  ): Promise<T> =>
    // Outside of the call's time: in a cold process the SDK is loaded first.
    client().then((table) => storageCall('tables', (signal) => run(table, signal), expected));
  const page = (filter: string, token: string | undefined, select?: readonly string[]): Promise<Page> =>
    call(async (table, abortSignal) => {
      const queryOptions = { filter, ...(select && { select: [...select] }) };
      const pages = table.listEntities({ queryOptions, abortSignal });
      const next = await pages.byPage(token === undefined ? {} : { continuationToken: token }).next();
      if (next.done === true) return { rows: [], next: undefined };
      const following = 'continuationToken' in next.value ? next.value.continuationToken : undefined;
      return { rows: next.value, next: typeof following === 'string' && following !== '' ? following : undefined };
    });
  return {
    page,
    get: (partitionKey, rowKey) =>
      call((table, abortSignal) => table.getEntity(partitionKey, rowKey, { abortSignal }), isRowMissing).catch(
        resultIf(isRowMissing, undefined),
      ),
    list: async function* (filter, select) {
      let token: string | undefined;
      do {
        const { rows, next } = await page(filter, token, select);
        yield* rows;
        token = next;
      } while (token !== undefined);
    },
    insert: (partitionKey, rowKey, columns) => {
      const entity: TableEntity<Columns> = { ...columns, partitionKey, rowKey };
      return call((table, abortSignal) => table.createEntity(entity, { abortSignal }), isThere).then(
        etagOf,
        resultIf(isThere, 'exists' as const),
      );
    },
    merge: (partitionKey, rowKey, columns, etag) => {
      const entity: TableEntity<Columns> = { ...columns, partitionKey, rowKey };
      return call((table, abortSignal) => table.updateEntity(entity, 'Merge', { etag, abortSignal }), isStale).then(
        etagOf,
        resultIf(isStale, 'stale' as const),
      );
    },
    remove: (partitionKey, rowKey, etag) =>
      call((table, abortSignal) => table.deleteEntity(partitionKey, rowKey, { etag, abortSignal }), isStale).then(
        () => 'removed' as const,
        resultIf(isStale, 'stale' as const),
      ),
  };
}

const etagOf = ({ etag = '' }: { readonly etag?: string }): { readonly etag: string } => ({ etag });

const isTableMissing = (error: unknown): boolean => statusOf(error) === 404 && codeOf(error) === 'TableNotFound';
const isRowMissing = (error: unknown): boolean => statusOf(error) === 404 && !isTableMissing(error);
const isStale = (error: unknown): boolean => statusOf(error) === 412 || isRowMissing(error);
const isThere = (error: unknown): boolean => statusOf(error) === 409 && codeOf(error) === 'EntityAlreadyExists';

/** A rejection handler: an expected failure becomes a result. */
const resultIf =
  <T>(expected: (error: unknown) => boolean, result: T) =>
  (error: unknown): T => {
    if (expected(error)) return result;
    throw error;
  };

/** An OData filter on one text column. */
export const equals = (column: string, value: string): string => `${column} eq '${value.replaceAll("'", "''")}'`;

/** What to write into a row, if anything, and what that means for the caller. */
export interface Decision<T> {
  readonly columns?: Columns | undefined;
  readonly result: T;
}

export type Updated<T> =
  { readonly outcome: 'done'; readonly result: T; readonly etag: string } | { readonly outcome: 'contended' };

const maxRaces = 5;

/**
 * Reads a row, decides, and writes on the condition that nobody else has written; after a lost race it looks again, five times.
 * @param decide pure; `undefined` stands for a row that is not there, and its columns are inserted then
 * @param known the row as the caller has just read it, or `absent` where that is likely: the first look costs no call
 */
export async function updateRow<T>(
  table: TableStore,
  partitionKey: string,
  rowKey: string,
  decide: (row: Row | undefined) => Decision<T>,
  known?: Row | 'absent',
): Promise<Updated<T>> {
  let look = async (): Promise<Row | undefined> => (known === 'absent' ? undefined : (known ?? read()));
  const read = () => table.get(partitionKey, rowKey);
  for (let races = known === undefined ? 1 : 0; races <= maxRaces; races++) {
    // Up to 50, 100, 200, 400 ms, so that many writers of one row do not all lose again.
    if (races > 1) await sleep(randomBetween(5, 12.5 * 2 ** races));
    const row = await look();
    look = read;
    const { columns, result } = decide(row);
    if (columns === undefined) return { outcome: 'done', result, etag: row?.etag ?? '' };
    const written =
      row === undefined
        ? await table.insert(partitionKey, rowKey, columns)
        : await table.merge(partitionKey, rowKey, columns, row.etag);
    if (typeof written === 'object') return { outcome: 'done', result, etag: written.etag };
  }
  return { outcome: 'contended' };
}

const maxTries = 3;

/**
 * Makes one storage call: bounded per try and by the invocation's deadline, retried, and each failure turned into `StorageUnavailable`.
 * The SDKs' own retries are off: their per-try time-outs do not end a stalled connection.
 * @param call idempotent, or such that its caller recognizes a repeat: a reply may be lost
 * @throws StorageUnavailable, or whatever `expected` accepts, as it is
 */
export async function storageCall<T>(
  part: 'tables' | 'queue',
  call: (signal: AbortSignal) => Promise<T>,
  expected: (error: unknown) => boolean = () => false,
): Promise<T> {
  const whole = deadline();
  for (let tries = 1; ; tries++) {
    try {
      return await withTimer(tryTimeoutMs(), call, whole);
    } catch (error) {
      if (expected(error)) throw error;
      if (tries === maxTries || whole.aborted || !isTransient(error)) throw unavailable(part, error);
    }
    await sleep(randomBetween(50, 150 * 2 ** tries), undefined, { signal: whole }).catch(() => undefined);
  }
}

/** What both SDKs throw for an answer of the service. Read by shape, so that no SDK is loaded for it. */
interface RestError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly details?: { readonly odataError?: { readonly code?: unknown } };
}
const isRestError = (error: unknown): error is RestError => error instanceof Error && error.name === 'RestError';

const statusOf = (error: unknown): number | undefined => (isRestError(error) ? error.statusCode : undefined);

/** The service's error code; the tables SDK leaves it in the parsed body (`odataError`). */
export function codeOf(error: unknown): string | undefined {
  if (!isRestError(error)) return undefined;
  const code = error.details?.odataError?.code ?? error.code;
  return typeof code === 'string' ? code : undefined;
}

function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status === 408 || status === 429 || status >= 500;
}

/** The exception for what a storage SDK threw. */
function unavailable(part: 'tables' | 'queue', error: unknown): StorageUnavailable {
  if (error instanceof StorageUnavailable) return error;
  const isTimeout = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
  const code = isTimeout ? 'timeout' : (codeOf(error) ?? statusOf(error)?.toString() ?? 'connection');
  return new StorageUnavailable(part, code, { cause: error });
}
