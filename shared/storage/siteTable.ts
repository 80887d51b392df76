// The SiteSettings table (partition `site`, row = `SITE_ID`) and the SiteTexts table (partition = locale, row = message name).
import { StorageUnavailable } from '../errors';
import type { TextOverride } from '../locales/overrides';
import type { SiteRows } from '../site';
import { updateRow, type TableStore } from './tableStore';

export const sitePartition = 'site';
/** All sentences in twenty languages. */
const maxTexts = 4000;

export function createSiteTable(table: TableStore, texts: TableStore, siteId: string): SiteRows {
  return {
    read: () => table.get(sitePartition, siteId),
    readTexts: async () => {
      const overrides: TextOverride[] = [];
      for await (const { partitionKey: locale = '', rowKey: name = '', text } of texts.list("PartitionKey ge ''")) {
        overrides.push({ locale, name, text: typeof text === 'string' ? text : '' });
        if (overrides.length === maxTexts) break;
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
