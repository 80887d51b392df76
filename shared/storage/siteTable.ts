// The SiteSettings table (partition `site`, row = `SITE_ID`) and the SiteTexts table (partition = locale, row = message name).
import { StorageUnavailable } from '../errors';
import { maxTextChars, maxTexts, type TextOverride } from '../locales/overrides';
import type { SiteRows } from '../site';
import { updateRow, type TableStore } from './storage';

export const sitePartition = 'site';

export function createSiteTable(table: TableStore, texts: TableStore, siteId: string): SiteRows {
  return {
    read: () => table.get(sitePartition, siteId),
    readTexts: async (most = maxTexts + 1) => {
      const overrides: TextOverride[] = [];
      const rows = texts.list("PartitionKey ge ''", ['PartitionKey', 'RowKey', 'text']);
      for await (const { partitionKey: locale = '', rowKey: name = '', text } of rows) {
        // Enough to be refused; the rest need not stay in memory.
        overrides.push({ locale, name, text: typeof text === 'string' ? text.slice(0, maxTextChars + 1) : '' });
        if (overrides.length >= most) break;
      }
      return overrides;
    },
    // Writes only columns that are missing.
    fillIn: async (defaults) => {
      const wanted = Object.entries(defaults).filter(
        (entry): entry is [string, string | boolean] => entry[1] !== undefined,
      );
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
