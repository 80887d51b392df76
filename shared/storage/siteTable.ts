// The SiteSettings table: partition `site`, row = `SITE_ID`. Writes only columns that are missing.
import { StorageUnavailable } from '../errors';
import type { Site, SiteRows } from '../site';
import type { TableStore } from './tableStore';

const partitionKey = 'site';
const maxTries = 4;

export function createSiteTable(table: TableStore, siteId: string): SiteRows {
  const read = (signal: AbortSignal) => table.get(partitionKey, siteId, signal);
  return {
    read,
    fillIn: async (defaults: Site, signal) => {
      const wanted = Object.entries(defaults).filter((entry): entry is [string, string] => entry[1] !== undefined);
      for (let tries = 0; tries < maxTries; tries++) {
        const row = await read(signal);
        const missing = wanted.filter(([name]) => row?.[name] === undefined);
        if (missing.length === 0) return [];
        const columns = Object.fromEntries(missing);
        const written =
          row === undefined
            ? await table.insert(partitionKey, siteId, columns, signal)
            : await table.merge(partitionKey, siteId, columns, row.etag, signal);
        if (written !== 'exists' && written !== 'stale') return missing.map(([name]) => name);
      }
      throw new StorageUnavailable('tables', 'contended');
    },
  };
}
