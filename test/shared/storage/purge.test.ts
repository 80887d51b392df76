import { purgeExpired } from '../../../shared/storage/purge';
import type { TableName } from '../../../shared/storage/storage';
import { createMemoryTableStore } from '../../fakes/memoryTableStore';
import { start } from '../../support/flow';

const daysAgo = (days: number): Date => new Date(start.getTime() - days * 86_400_000);

function createTables() {
  const tables = {
    SiteSettings: createMemoryTableStore(),
    SiteTexts: createMemoryTableStore(),
    Accounts: createMemoryTableStore(),
    ResetKeys: createMemoryTableStore(),
    Limits: createMemoryTableStore(),
    Deliveries: createMemoryTableStore(),
  };
  return { tables, run: (now = start) => purgeExpired((name: TableName) => tables[name], now) };
}

describe('purgeExpired', () => {
  it('deletes keys 7 days after their expiry, full buckets after a day, records and alerts after 30 days', async () => {
    const { tables, run } = createTables();
    tables.ResetKeys.edit('a', 'old', { expiresAt: daysAgo(7.01) });
    tables.ResetKeys.edit('a', 'young', { expiresAt: daysAgo(6.99) });
    tables.Limits.edit('b', 'old', { fullAt: daysAgo(1.01) });
    tables.Limits.edit('b', 'young', { fullAt: daysAgo(0.99) });
    tables.Deliveries.edit('c', 'old', { updatedAt: daysAgo(30.01) });
    tables.Deliveries.edit('c', 'young', { updatedAt: daysAgo(29.99) });
    tables.Deliveries.edit('alert', 'old', { at: daysAgo(30.01) });
    tables.Accounts.edit('d', '1', { passwordChangedAt: daysAgo(3000) });
    await expect(run()).resolves.toEqual({ ResetKeys: 1, Limits: 1, Deliveries: 2 });
    for (const table of [tables.ResetKeys, tables.Limits, tables.Deliveries]) {
      expect(table.rows().map(({ rowKey }) => rowKey)).toEqual(['young']);
    }
    expect(tables.Accounts.rows()).toHaveLength(1);
  });

  it('is bounded per run, and the next run goes on where the last one stopped', async () => {
    const { tables, run } = createTables();
    const total = 21_500;
    for (let row = 0; row < total; row++)
      tables.ResetKeys.edit(String(row).padStart(6, '0'), 'k', { expiresAt: daysAgo(8) });
    const first = (await run()).ResetKeys ?? 0;
    expect(first).toBeLessThan(total);
    const later = (await run()).ResetKeys ?? 0;
    const last = (await run()).ResetKeys ?? 0;
    expect(first + later + last).toBe(total);
    expect(tables.ResetKeys.rows()).toEqual([]);
  });

  it('leaves a row that changed while it was looked at', async () => {
    const { tables, run } = createTables();
    tables.ResetKeys.edit('a', 'k', { expiresAt: daysAgo(8) });
    tables.ResetKeys.intercept('remove', async (remove) => {
      tables.ResetKeys.edit('a', 'k', { expiresAt: start });
      return remove();
    });
    await expect(run()).resolves.toMatchObject({ ResetKeys: 0 });
    expect(tables.ResetKeys.rows()).toHaveLength(1);
  });
});
