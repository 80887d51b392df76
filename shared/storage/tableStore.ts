// One Azure table, as the adapters use it: conditional writes under the invocation's deadline. A missing table is an outage
// (`TableNotFound`): made anew on the way, an empty one would silently answer that nobody has an account.
import type { TableClient, TableEntity, TableEntityResult } from '@azure/data-tables';
import { setTimeout as sleep } from 'node:timers/promises';
import { randomBetween } from '../clock';
import { codeOf, statusOf, storageCall } from './storageCall';

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

/** A page of rows. */
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
  const pagesOf = (
    table: TableClient,
    filter: string,
    signal: AbortSignal,
    token?: string,
    select?: readonly string[],
  ) => {
    const queryOptions = { filter, ...(select && { select: [...select] }) };
    const pages = table.listEntities({ queryOptions, abortSignal: signal });
    return pages.byPage(token === undefined ? {} : { continuationToken: token })[Symbol.asyncIterator]();
  };
  const page = (filter: string, token: string | undefined, select?: readonly string[]): Promise<Page> =>
    call(async (table, signal) => {
      const next = await pagesOf(table, filter, signal, token, select).next();
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
        ({ etag }) => ({ etag: etag ?? '' }),
        resultIf(isThere, 'exists' as const),
      );
    },
    merge: (partitionKey, rowKey, columns, etag) => {
      const entity: TableEntity<Columns> = { ...columns, partitionKey, rowKey };
      return call((table, abortSignal) => table.updateEntity(entity, 'Merge', { etag, abortSignal }), isStale).then(
        (written) => ({ etag: written.etag ?? '' }),
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
