// Opens the site row for the commands: the table, the row's id and the rules that its values have to keep.
import { siteSchema, type Site } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import type { Row, TableStore } from '../../shared/storage/tableStore';
import type { Io } from '../support/io';
import type { CommonOptions } from '../support/program';
import { openStorage, readEnvironment, requireConfig } from '../support/settings';

/** The partition of the one row, see siteTable.ts. */
export const sitePartition = 'site';

export interface OpenSite {
  readonly table: TableStore;
  readonly siteId: string;
  /** The rules are those of production, unless the settings say that this is development. */
  readonly schema: ReturnType<typeof siteSchema>;
  readonly read: () => Promise<Row | undefined>;
  /** Fills in from the settings what the row does not have; nothing with `--account`, whose settings are not at hand. */
  readonly seed: () => Promise<void>;
}

export async function openSite(io: Io, options: CommonOptions): Promise<OpenSite> {
  const table = (await openStorage(io, options)).table('SiteSettings');
  const config = options.account === undefined ? requireConfig(io, options) : undefined;
  const siteId = config?.siteId ?? (readEnvironment(io, options)['SITE_ID']?.trim() || '1');
  const defaults: Site | undefined = config?.siteDefaults;
  return {
    table,
    siteId,
    schema: siteSchema(config?.development ?? false),
    read: () => table.get(sitePartition, siteId, io.signal),
    seed: async () => {
      if (defaults !== undefined) await createSiteTable(table, siteId).fillIn(defaults, io.signal);
    },
  };
}
