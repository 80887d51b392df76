// The SiteSettings table: partition `site`, row = `SITE_ID`. Writes only columns that are missing.
import { StorageUnavailable } from '../errors';
import type { SiteRows } from '../site';
import { updateRow, type TableStore } from './tableStore';

export const sitePartition = 'site';

export function createSiteTable(table: TableStore, siteId: string): SiteRows {
  return {
    read: () => table.get(sitePartition, siteId),
    fillIn: async (defaults) => {
      const wanted = Object.entries(defaults).filter((entry): entry is [string, string] => entry[1] !== undefined);
      const updated = await updateRow<string[]>(table, sitePartition, siteId, (row) => {
        const missing = wanted.filter(([name]) => row?.[name] === undefined);
        const columns = missing.length > 0 ? Object.fromEntries(missing) : undefined;
        return { columns, result: missing.map(([name]) => name) };
      });
      if (updated.outcome === 'contended') throw new StorageUnavailable('tables', 'contended');
      return updated.result;
    },
  };
}
