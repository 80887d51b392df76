// What every TableStore promises; run for the memory table and for Azurite.
import { newId, withDeadline } from '../../../shared/clock';
import type { TableStore } from '../../../shared/storage/storage';

export function tableStoreContract(name: string, make: () => Promise<TableStore>): void {
  describe(`a table store (${name})`, () => {
    let table: TableStore;
    let partition: string;
    beforeAll(async () => {
      table = await make();
    });
    beforeEach(() => {
      partition = newId();
    });
    const insert = async (rowKey: string, columns = {}): Promise<string> => {
      const written = await table.insert(partition, rowKey, columns);
      if (written === 'exists') throw new Error('it exists');
      return written.etag;
    };
    const get = (rowKey: string) => table.get(partition, rowKey);
    const listed = async (filter: string, columns?: readonly string[]) => {
      const rows = [];
      for await (const row of table.list(filter, columns)) rows.push(row);
      return rows;
    };

    it('gives back what was inserted, with keys and ETag, and nothing that was undefined', async () => {
      const at = new Date('2026-03-01T12:00:00.123Z');
      const values = { text: "o'brien ☂", empty: '', whole: 7, fraction: 2.5, big: 2 ** 31, yes: true, at };
      const columns = { ...values, none: undefined };
      const etag = await insert('a', columns);
      const row = await get('a');
      expect(row).toMatchObject({ partitionKey: partition, rowKey: 'a', etag, ...values });
      expect(row).not.toHaveProperty('none');
    });

    it('lets exactly one of twenty concurrent inserts win', async () => {
      const inserts = Array.from({ length: 20 }, (_, n) => table.insert(partition, 'a', { n }));
      const won = (await Promise.all(inserts)).map((result) => result !== 'exists');
      expect(won.filter(Boolean)).toHaveLength(1);
      await expect(get('a')).resolves.toMatchObject({ n: won.indexOf(true) });
    });

    it('[T4] merges columns only into the row with this ETag, and gives it another one', async () => {
      const etag = await insert('a', { text: 'old', other: 1 });
      const merged = await table.merge(partition, 'a', { text: 'new' }, etag);
      expect(merged).not.toBe('stale');
      expect(merged).not.toEqual({ etag });
      await expect(get('a')).resolves.toMatchObject({ text: 'new', other: 1, ...(merged as { etag: string }) });
      await expect(table.merge(partition, 'a', { text: 'lost' }, etag)).resolves.toBe('stale');
      await expect(get('a')).resolves.toMatchObject({ text: 'new' });
    });

    it('[T4] lets exactly one of twenty concurrent merges win', async () => {
      const etag = await insert('a', { n: -1 });
      const merges = Array.from({ length: 20 }, (_, n) => table.merge(partition, 'a', { n }, etag));
      const results = await Promise.all(merges);
      expect(results.filter((result) => result !== 'stale')).toHaveLength(1);
      await expect(get('a')).resolves.toMatchObject({ n: results.findIndex((result) => result !== 'stale') });
    });

    it('[K12] removes only the row with this ETag, or any with *, and never makes it anew by a merge', async () => {
      const etag = await insert('a', { n: 1 });
      await table.merge(partition, 'a', { n: 2 }, etag);
      await expect(table.remove(partition, 'a', etag)).resolves.toBe('stale');
      await expect(table.remove(partition, 'a', '*')).resolves.toBe('removed');
      await expect(table.remove(partition, 'a', '*')).resolves.toBe('stale');
      for (const any of [etag, '*']) await expect(table.merge(partition, 'a', { n: 3 }, any)).resolves.toBe('stale');
      await expect(get('a')).resolves.toBeUndefined();
    });

    it('[T1] lists what a filter names and nothing else, in the order of the keys', async () => {
      for (const rowKey of ['b', 'a', "o'brien"]) await insert(rowKey, { n: 1 });
      await table.insert(`${partition}x`, 'c', { n: 1 });
      const keys = (await listed(`PartitionKey eq '${partition}'`)).map(({ rowKey }) => rowKey);
      expect(keys).toEqual(['a', 'b', "o'brien"]);
      await expect(listed(`PartitionKey eq '${partition}' and RowKey eq 'o''brien'`)).resolves.toHaveLength(1);
      await expect(listed(`PartitionKey eq '${partition}' and RowKey ge 'b'`)).resolves.toHaveLength(2);
      const [row] = await listed(`PartitionKey eq '${partition}'`, ['RowKey']);
      expect(row).toMatchObject({ rowKey: 'a' });
      expect(row).not.toHaveProperty('n');
    });

    it('compares times in a filter, and leaves rows without the column out', async () => {
      await insert('old', { at: new Date('2026-01-01T00:00:00Z') });
      await insert('new', { at: new Date('2026-06-01T00:00:00Z') });
      await insert('none', { n: 1 });
      const filter = `PartitionKey eq '${partition}' and at lt datetime'2026-03-01T00:00:00.000Z'`;
      expect((await listed(filter)).map(({ rowKey }) => rowKey)).toEqual(['old']);
    });

    it('[T5] lists and pages through more rows than one answer holds', async () => {
      const rowKeys = Array.from({ length: 1100 }, (_, n) => String(n).padStart(5, '0'));
      for (let from = 0; from < rowKeys.length; from += 50) {
        await Promise.all(rowKeys.slice(from, from + 50).map((rowKey) => insert(rowKey)));
      }
      const filter = `PartitionKey eq '${partition}'`;
      expect((await listed(filter)).map(({ rowKey }) => rowKey)).toEqual(rowKeys);
      const paged = [];
      let token: string | undefined;
      do {
        const page = await table.page(filter, token);
        paged.push(...page.rows.map(({ rowKey }) => rowKey));
        token = page.next;
      } while (token !== undefined);
      expect(paged).toEqual(rowKeys);
    });

    it.each(['get', 'page', 'insert', 'merge', 'remove'] as const)(
      'gives %s up once the deadline has passed',
      async (call) => {
        const calls = {
          get: () => table.get(partition, 'a'),
          page: () => table.page("RowKey eq 'a'", undefined),
          insert: () => table.insert(partition, 'a', {}),
          merge: () => table.merge(partition, 'a', {}, '*'),
          remove: () => table.remove(partition, 'a', '*'),
        };
        await expect(withDeadline<unknown>(AbortSignal.abort(), calls[call])).rejects.toThrow();
        await expect(get('a')).resolves.toBeUndefined();
      },
    );
  });
}
