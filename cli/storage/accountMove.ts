// Changes an account's address. The partition is the hash of the address, so the row moves: first the new row is inserted, then
// the old one removed by its ETag. A crash in between leaves both, and the same call again finishes it. Used by accountsAdmin.ts.
import { odata } from '@azure/data-tables';
import { parseAddress, addressHashOf } from '../address';
import { StorageUnavailable } from '../errors';
import type { Columns, Row, TableStore } from './tableStore';

export type Moved =
  | 'changed'
  /** The account has exactly this address already. */
  | 'unchanged'
  /** At the new address there is another row with this id: nothing was changed. */
  | 'target_exists'
  /** Not a plain address. */
  | 'bad_address'
  /** The row has a column of a type that would not survive the move (Int64 beyond 2³¹, Binary). */
  | 'uncopyable_column'
  | 'stale_row';

const maxTries = 4;
const notColumns = new Set(['partitionKey', 'rowKey', 'etag', 'timestamp', 'movedFrom']);

/**
 * @param row the row as read; it may be one whose address was edited in the portal, which is how such a row is mended
 * @throws StorageUnavailable: say it again
 */
export async function moveAccount(table: TableStore, row: Row, email: string, signal: AbortSignal): Promise<Moved> {
  if (parseAddress(email) !== email) return 'bad_address';
  const from = row.partitionKey ?? '';
  const id = row.rowKey ?? '';
  const to = addressHashOf(email);
  let now: Row | undefined = row;
  for (let tries = 0; tries < maxTries; tries++) {
    if (now === undefined) return 'stale_row';
    if (to === from) {
      if (now['email'] === email) return 'unchanged';
      const columns = { email, generation: nextGeneration(now) };
      if ((await table.merge(from, id, columns, now.etag, signal)) !== 'stale') return 'changed';
    } else {
      const copy = copyOf(now);
      if (copy === undefined) return 'uncopyable_column';
      const target = await insertOrFind(table, to, id, { ...copy, email, movedFrom: from }, signal);
      if (target === 'taken') return 'target_exists';
      if ((await table.remove(from, id, now.etag, signal)) === 'removed') return 'changed';
      // The old row changed since it was copied, for example by a redemption: the copy is out of date. Undo it and look again.
      const row = await table.get(from, id, signal);
      if (row === undefined) return settle(table, from, id, to, signal);
      await table.remove(to, id, target.etag, signal);
    }
    now = await table.get(from, id, signal);
  }
  throw new StorageUnavailable('tables', 'contended');
}

/**
 * The old row is gone, but not by us as far as we know: either only the reply to the removal was lost, or another operator moved
 * the account elsewhere at the same time. Of the rows that came from there the first stays, whoever looks.
 */
async function settle(table: TableStore, from: string, id: string, to: string, signal: AbortSignal): Promise<Moved> {
  const rows: Row[] = [];
  for await (const row of table.list(odata`RowKey eq ${id} and movedFrom eq ${from}`, signal)) rows.push(row);
  const [first, ...others] = rows.sort((a, b) => ((a.partitionKey ?? '') < (b.partitionKey ?? '') ? -1 : 1));
  for (const { partitionKey = '', etag } of others) await table.remove(partitionKey, id, etag, signal);
  return first?.partitionKey === to ? 'changed' : 'stale_row';
}

/** Inserts the moved row. One that is there already is ours when it says that it came from the same partition. */
async function insertOrFind(
  table: TableStore,
  to: string,
  id: string,
  columns: Columns,
  signal: AbortSignal,
): Promise<{ readonly etag: string } | 'taken'> {
  const inserted = await table.insert(to, id, columns, signal);
  if (inserted !== 'exists') return inserted;
  const there = await table.get(to, id, signal);
  return there !== undefined && there['movedFrom'] === columns['movedFrom'] ? there : 'taken';
}

/** Every column, also those that a site added for itself; undefined when one of them cannot be copied faithfully. */
function copyOf(row: Row): Columns | undefined {
  const columns: Columns = {};
  for (const [name, value] of Object.entries(row)) {
    if (notColumns.has(name) || name.startsWith('odata') || value === null || value === undefined) continue;
    const plain = typeof value === 'bigint' && value === BigInt.asIntN(32, value) ? Number(value) : value;
    if (!isColumn(plain)) return undefined;
    columns[name] = plain;
  }
  return { ...columns, generation: nextGeneration(row) };
}

const isColumn = (value: unknown): value is string | number | boolean | Date =>
  ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Date;

function nextGeneration(row: Row): number {
  const generation = Number(row['generation'] ?? 0);
  return Number.isSafeInteger(generation) ? generation + 1 : 1;
}
