// Deletes rows that have served their time: bounded per run, and resumed where the last run stopped.
import { type Row, type TableName, type TableStore, updateRow } from './storage';

/** What is purged: rows whose `column` is older than `days`. */
const rules: readonly { readonly table: TableName; readonly column: string; readonly days: number }[] = [
  { table: 'ResetKeys', column: 'expiresAt', days: 7 }, // kept for the resend button of dead links
  { table: 'Limits', column: 'fullAt', days: 1 }, // a full bucket says nothing
  { table: 'Deliveries', column: 'updatedAt', days: 30 },
  { table: 'Deliveries', column: 'at', days: 7 }, // alerts
];
const maxPagesPerRule = 20;
const parallelDeletes = 16;
/** Where a run stopped: a row per rule, beside the buckets, whose partitions are 32 hex digits. */
const cursorPartition = 'purge';

/**
 * One run, as far as the deadline allows; what was deleted stays deleted.
 * @returns the number of rows deleted, by table
 */
export async function purgeExpired(
  table: (name: TableName) => TableStore,
  now: Date,
): Promise<Partial<Record<TableName, number>>> {
  const deleted: Partial<Record<TableName, number>> = {};
  for (const rule of rules) {
    const store = table(rule.table);
    const before = new Date(now.getTime() - rule.days * 86_400_000);
    const filter = `${rule.column} lt datetime'${before.toISOString()}'`;
    const cursor = `${rule.table}-${rule.column}`;
    const stored = await table('Limits').get(cursorPartition, cursor);
    let token = typeof stored?.['token'] === 'string' && stored['token'] !== '' ? stored['token'] : undefined;
    for (let pages = 0; pages < maxPagesPerRule; pages++) {
      const { rows, next } = await store.page(filter, token);
      deleted[rule.table] = (deleted[rule.table] ?? 0) + (await removeAll(store, rows));
      token = next;
      if (token === undefined) break;
    }
    if (stored !== undefined || token !== undefined) {
      const columns = { token: token ?? '' };
      const decide = () => ({ columns, result: undefined });
      await updateRow(table('Limits'), cursorPartition, cursor, decide, stored ?? 'absent');
    }
  }
  return deleted;
}

async function removeAll(store: TableStore, rows: readonly Row[]): Promise<number> {
  let removed = 0;
  for (let start = 0; start < rows.length; start += parallelDeletes) {
    const batch = rows.slice(start, start + parallelDeletes);
    const outcomes = await Promise.all(
      batch.map(({ partitionKey = '', rowKey = '', etag }) => store.remove(partitionKey, rowKey, etag)),
    );
    removed += outcomes.filter((outcome) => outcome === 'removed').length; // a row that changed meanwhile stays
  }
  return removed;
}
