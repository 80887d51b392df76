// A table in memory that behaves as Azure's as far as TableStore promises: ETags, conditional writes, key order, OData filters of the
// kind we write. The real adapters run on it; the same contract suites run on it and on Azurite. Faults come in by `intercept`.
import { deadline } from '../../shared/clock';
import type { Columns, Row, TableStore } from '../../shared/storage/storage';

/** The calls of a TableStore that a test may count or break. */
export type TableCall = 'get' | 'list' | 'page' | 'insert' | 'merge' | 'remove';

/** Runs instead of a call; `run` is the call itself. What it returns or throws is what the adapter sees. */
type Interceptor = (run: () => Promise<unknown>) => unknown;

export interface MemoryTableStore extends TableStore {
  readonly calls: TableCall[];
  /** All rows, by partition and row key. */
  rows(): Row[];
  /** Writes a row past all conditions, as an operator does in the portal; `undefined` removes a column. */
  edit(partitionKey: string, rowKey: string, columns: Record<string, unknown>): void;
  /** Removes a row as an operator does. */
  drop(partitionKey: string, rowKey: string): void;
  /** The next so many calls of this kind go through `how`. */
  intercept(call: TableCall, how: Interceptor, times?: number): void;
}

// Columns are plain values and dates; structuredClone would make dates of another realm than jest's.
const copyOf = (row: Row | undefined): Row | undefined => row && { ...row };
const pageSize = 1000;
const separator = '\u0000';

export function createMemoryTableStore(): MemoryTableStore {
  const stored = new Map<string, Row>();
  const calls: TableCall[] = [];
  const interceptors: { readonly call: TableCall; readonly how: Interceptor }[] = [];
  let version = 0;

  const keyOf = (partitionKey: string, rowKey: string): string => `${partitionKey}${separator}${rowKey}`;
  const sorted = (): Row[] =>
    [...stored].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)).map(([, row]) => ({ ...row }));
  const write = (partitionKey: string, rowKey: string, columns: Record<string, unknown>): { etag: string } => {
    const etag = `W/"${++version}"`;
    const merged = { ...stored.get(keyOf(partitionKey, rowKey)), ...columns };
    const present = Object.fromEntries(Object.entries(merged).filter(([, value]) => value !== undefined));
    stored.set(keyOf(partitionKey, rowKey), { ...present, partitionKey, rowKey, etag });
    return { etag };
  };
  /** One call: counted, given up when the time is over, and run through the next interceptor of its kind. */
  async function call<T>(name: TableCall, run: () => T): Promise<T> {
    calls.push(name);
    deadline().throwIfAborted();
    const index = interceptors.findIndex((interceptor) => interceptor.call === name);
    if (index < 0) return run();
    const [interceptor] = interceptors.splice(index, 1);
    return (await interceptor?.how(() => Promise.resolve().then(run))) as T;
  }
  const fits = (row: Row | undefined, etag: string): boolean =>
    row !== undefined && (etag === '*' || row.etag === etag);

  return {
    calls,
    rows: sorted,
    edit: (partitionKey, rowKey, columns) => void write(partitionKey, rowKey, columns),
    drop: (partitionKey, rowKey) => void stored.delete(keyOf(partitionKey, rowKey)),
    intercept: (name, how, times = 1) => {
      for (let time = 0; time < times; time++) interceptors.push({ call: name, how });
    },
    get: (partitionKey, rowKey) => call('get', () => copyOf(stored.get(keyOf(partitionKey, rowKey)))),
    list: async function* (filter, columns) {
      const rows = await call('list', () => sorted().filter(predicateOf(filter)));
      for (const row of rows) yield columns === undefined ? row : picked(row, columns);
    },
    page: (filter, token) =>
      call('page', () => {
        // As in Azure the token names the next row: what was deleted meanwhile shifts nothing.
        const key = ({ partitionKey = '', rowKey = '' }: Row): string => keyOf(partitionKey, rowKey);
        const rows = sorted().filter((row) => key(row) >= (token ?? '') && predicateOf(filter)(row));
        const next = rows[pageSize];
        return { rows: rows.slice(0, pageSize), next: next && key(next) };
      }),
    insert: (partitionKey, rowKey, columns) =>
      call('insert', () =>
        stored.has(keyOf(partitionKey, rowKey)) ? 'exists' : write(partitionKey, rowKey, defined(columns)),
      ),
    merge: (partitionKey, rowKey, columns, etag) =>
      call('merge', () =>
        fits(stored.get(keyOf(partitionKey, rowKey)), etag) ? write(partitionKey, rowKey, defined(columns)) : 'stale',
      ),
    remove: (partitionKey, rowKey, etag) =>
      call('remove', () => {
        if (!fits(stored.get(keyOf(partitionKey, rowKey)), etag)) return 'stale';
        stored.delete(keyOf(partitionKey, rowKey));
        return 'removed';
      }),
  };
}

const defined = (columns: Columns): Columns =>
  Object.fromEntries(Object.entries(columns).filter(([, value]) => value !== undefined));

/** Azure gives the selected columns and, through the SDK, the ETag. */
function picked(row: Row, columns: readonly string[]): Row {
  const names: Record<string, string> = { PartitionKey: 'partitionKey', RowKey: 'rowKey' };
  return Object.fromEntries([
    ['etag', row.etag],
    ...columns.map((name) => [names[name] ?? name, row[names[name] ?? name]]),
  ]) as Row;
}

const comparison = /^(\w+) (eq|ne|lt|le|gt|ge) (?:'((?:[^']|'')*)'|datetime'([^']*)'|(-?\d+(?:\.\d+)?)|(true|false))$/;

/** The filters that our adapters write: comparisons of one column with one literal, joined by `and`, or by `or`. */
function predicateOf(filter: string): (row: Row) => boolean {
  if (filter.includes(' or ')) return (row) => filter.split(' or ').some((part) => predicateOf(part)(row));
  const tests = filter.split(' and ').map((part) => {
    const [, column = '', operator, text, date, number, flag] = comparison.exec(part) ?? [];
    if (operator === undefined) throw new Error(`memoryTableStore cannot read the filter ${filter}`);
    const wanted =
      text !== undefined
        ? text.replaceAll("''", "'")
        : date !== undefined
          ? new Date(date).getTime()
          : number !== undefined
            ? Number(number)
            : flag === 'true';
    const name = column === 'PartitionKey' ? 'partitionKey' : column === 'RowKey' ? 'rowKey' : column;
    return (row: Row): boolean => {
      const value = row[name] instanceof Date ? row[name].getTime() : row[name];
      if (typeof value !== typeof wanted) return false; // a row without the column is in no result
      const [a, b] = [value as string | number, wanted as string | number];
      return { eq: a === b, ne: a !== b, lt: a < b, le: a <= b, gt: a > b, ge: a >= b }[operator] === true;
    };
  });
  return (row) => tests.every((test) => test(row));
}
