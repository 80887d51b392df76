// Deletes what has served its time: bounded per run, and resumed where the last run stopped. Called by the timer purgeExpired.
import { odata } from '@azure/data-tables';
import type { TableName } from '../services';
import type { Page, Row, TableStore } from './tableStore';

/** What is purged: rows whose column is older than so many days. */
const rules: readonly { readonly table: TableName; readonly column: string; readonly days: number }[] = [
  { table: 'ResetKeys', column: 'expiresAt', days: 7 }, // kept for the resend button of dead links
  { table: 'Limits', column: 'fullAt', days: 1 }, // a full bucket says nothing
  { table: 'Deliveries', column: 'updatedAt', days: 30 },
  { table: 'Deliveries', column: 'at', days: 30 }, // alerts nobody was there to read
];
const maxPagesPerRule = 20;
const parallelDeletes = 16;
/** Where a run stopped: a row per rule, beside the buckets, whose partitions are 32 hex digits. */
const cursorPartition = 'purge';

/**
 * One run.
 * @param signal bounds it in time; what was deleted stays deleted
 * @returns the number of rows deleted, by table
 */
export async function purgeExpired(
  table: (name: TableName) => TableStore,
  now: Date,
  signal: AbortSignal,
): Promise<Partial<Record<TableName, number>>> {
  const deleted: Partial<Record<TableName, number>> = {};
  for (const rule of rules) {
    const store = table(rule.table);
    const before = new Date(now.getTime() - rule.days * 86_400_000);
    const filter = `${rule.column} lt ${odata`${before}`}`;
    const cursor = `${rule.table}-${rule.column}`;
    const stored = await table('Limits').get(cursorPartition, cursor, signal);
    let token = typeof stored?.['token'] === 'string' && stored['token'] !== '' ? stored['token'] : undefined;
    for (let pages = 0; pages < maxPagesPerRule; pages++) {
      const page: Page = await store.page(filter, token, signal);
      deleted[rule.table] = (deleted[rule.table] ?? 0) + (await removeAll(store, page.rows, signal));
      token = page.next;
      if (token === undefined) break;
    }
    await keepCursor(table('Limits'), cursor, stored, token, signal);
  }
  return deleted;
}

async function removeAll(store: TableStore, rows: readonly Row[], signal: AbortSignal): Promise<number> {
  let removed = 0;
  for (let start = 0; start < rows.length; start += parallelDeletes) {
    const batch = rows.slice(start, start + parallelDeletes);
    const outcomes = await Promise.all(
      batch.map(({ partitionKey = '', rowKey = '', etag }) => store.remove(partitionKey, rowKey, etag, signal)),
    );
    removed += outcomes.filter((outcome) => outcome === 'removed').length; // a row that changed meanwhile stays
  }
  return removed;
}

async function keepCursor(
  limits: TableStore,
  cursor: string,
  stored: Row | undefined,
  token: string | undefined,
  signal: AbortSignal,
) {
  if (stored === undefined && token === undefined) return;
  const columns = { token: token ?? '' };
  if (stored === undefined) await limits.insert(cursorPartition, cursor, columns, signal);
  else await limits.merge(cursorPartition, cursor, columns, stored.etag, signal);
}
