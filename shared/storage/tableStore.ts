// One Azure table, as the adapters use it: conditional writes, bounded time, the table made when it is missing, and every
// failure turned into `StorageUnavailable`. The only place that reads an SDK error of the tables.
import { RestError, type TableClient, type TableEntity, type TableEntityResult } from '@azure/data-tables';
import { StorageUnavailable } from '../errors';

/** A row as read: its columns, its keys and its ETag. */
export type Row = TableEntityResult<Record<string, unknown>>;
/** Columns to write; `undefined` is not written. */
export type Columns = Record<string, string | number | boolean | Date | undefined>;

export interface TableStore {
  get(partitionKey: string, rowKey: string, signal: AbortSignal): Promise<Row | undefined>;
  /** All rows that an OData filter names, over all pages. */
  list(filter: string, signal: AbortSignal, columns?: readonly string[]): AsyncIterable<Row>;
  /** One page of them, with the token of the next; a page may be empty and yet have a next one. */
  page(filter: string, token: string | undefined, signal: AbortSignal): Promise<Page>;
  insert(
    partitionKey: string,
    rowKey: string,
    columns: Columns,
    signal: AbortSignal,
  ): Promise<{ etag: string } | 'exists'>;
  /** Changes the given columns if the row still has this ETag. `stale` also when the row is gone. */
  merge(
    partitionKey: string,
    rowKey: string,
    columns: Columns,
    etag: string,
    signal: AbortSignal,
  ): Promise<{ etag: string } | 'stale'>;
  remove(partitionKey: string, rowKey: string, etag: string, signal: AbortSignal): Promise<'removed' | 'stale'>;
}

/** A page of rows. */
export interface Page {
  readonly rows: readonly Row[];
  /** Opaque; undefined on the last page. */
  readonly next: string | undefined;
}

/** A store on a table client. The client's retry policy bounds single calls; `signal` bounds the whole. */
export function createTableStore(client: TableClient): TableStore {
  /** Runs a call; makes the table and runs it once more when there is none. */
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      return await run();
    } catch (error) {
      if (!isTableMissing(error)) throw error;
      await client.createTable();
      return run();
    }
  };
  return {
    get: (partitionKey, rowKey, signal) =>
      guard(async () => {
        try {
          return await call(() => client.getEntity(partitionKey, rowKey, { abortSignal: signal }));
        } catch (error) {
          if (statusOf(error) === 404) return undefined;
          throw error;
        }
      }),
    list: async function* (filter, signal, columns) {
      const queryOptions = { filter, ...(columns && { select: [...columns] }) };
      const pages = client.listEntities({ queryOptions, abortSignal: signal }).byPage()[Symbol.asyncIterator]();
      for (;;) {
        const page = await guard(() => call(() => pages.next()));
        if (page.done === true) return;
        yield* page.value;
      }
    },
    page: (filter, token, signal) =>
      guard(async () => {
        const entities = client.listEntities({ queryOptions: { filter }, abortSignal: signal });
        const pages = entities.byPage(token === undefined ? {} : { continuationToken: token })[Symbol.asyncIterator]();
        const page = await call(() => pages.next());
        if (page.done === true) return { rows: [], next: undefined };
        const next = 'continuationToken' in page.value ? page.value.continuationToken : undefined;
        return { rows: page.value, next: typeof next === 'string' && next !== '' ? next : undefined };
      }),
    insert: (partitionKey, rowKey, columns, signal) =>
      guard(async () => {
        try {
          const entity: TableEntity<Columns> = { ...columns, partitionKey, rowKey };
          const written = await call(() => client.createEntity(entity, { abortSignal: signal }));
          return { etag: written.etag ?? '' };
        } catch (error) {
          if (error instanceof RestError && error.code === 'EntityAlreadyExists') return 'exists';
          if (statusOf(error) === 409 && codeOf(error) === 'EntityAlreadyExists') return 'exists';
          throw error;
        }
      }),
    merge: (partitionKey, rowKey, columns, etag, signal) =>
      guard(async () => {
        try {
          const entity: TableEntity<Columns> = { ...columns, partitionKey, rowKey };
          const written = await client.updateEntity(entity, 'Merge', { etag, abortSignal: signal });
          return { etag: written.etag ?? '' };
        } catch (error) {
          if (isStale(error)) return 'stale';
          throw error;
        }
      }),
    remove: (partitionKey, rowKey, etag, signal) =>
      guard(async () => {
        try {
          await client.deleteEntity(partitionKey, rowKey, { etag, abortSignal: signal });
          return 'removed';
        } catch (error) {
          if (isStale(error)) return 'stale';
          throw error;
        }
      }),
  };
}

const statusOf = (error: unknown): number | undefined => (error instanceof RestError ? error.statusCode : undefined);
const isStale = (error: unknown): boolean =>
  statusOf(error) === 412 || (statusOf(error) === 404 && !isTableMissing(error));
const isTableMissing = (error: unknown): boolean => statusOf(error) === 404 && codeOf(error) === 'TableNotFound';

/** The service's error code; the SDK leaves it in the parsed body (`odataError`). */
function codeOf(error: unknown): string | undefined {
  if (!(error instanceof RestError)) return undefined;
  const details = error.details as { odataError?: { code?: unknown } } | undefined;
  const code = details?.odataError?.code ?? error.code;
  return typeof code === 'string' ? code : undefined;
}

async function guard<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    throw unavailable('tables', error);
  }
}

/** The exception for what a storage SDK threw. A 403 is mostly a clock that is off, or a missing role: its code says which. */
export function unavailable(part: 'tables' | 'queue', error: unknown): StorageUnavailable {
  if (error instanceof StorageUnavailable) return error;
  if (error instanceof Error && error.name === 'AbortError')
    return new StorageUnavailable(part, 'timeout', { cause: error });
  return new StorageUnavailable(part, codeOf(error) ?? statusOf(error)?.toString() ?? 'connection', { cause: error });
}
