// Do the tables answer, are all five there, and may we write to them?
import { StorageUnavailable } from '../../shared/errors';
import type { StorageClients, TableName } from '../../shared/services';
import { probeTable } from '../../shared/storage/storageProbe';
import { storageCure } from '../support/errors';
import { fail, ok, questionMs, warn, type Check, type Finding, type Patient } from './finding';

const check = 'tables';
const tableNames: readonly TableName[] = ['SiteSettings', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'];

export const checkTables: Check = async ({ storage }) => {
  const findings: Finding[] = [];
  for (const name of tableNames) {
    try {
      if ((await probeTable(storage.table(name), AbortSignal.timeout(questionMs))) === 'there') continue;
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      // The other tables would say the same.
      return [
        fail(
          check,
          `Table storage does not do what the app needs (${error.code}).`,
          `What to look at: ${storageCure(error)}`,
        ),
      ];
    }
    findings.push(
      warn(
        check,
        `The table ${name} is missing.`,
        'The app makes it when it first needs it. If it does not, its identity lacks the role "Storage Table Data Contributor"; ' +
          'or make it yourself in the Storage browser.',
      ),
    );
  }
  return findings.length > 0
    ? findings
    : [ok(check, `All ${tableNames.length} tables are there and can be written to.`)];
};

/** Checks of a table's content have nothing to say about one that is missing or does not answer. */
export async function isThere({ storage }: Patient, name: TableName): Promise<boolean> {
  return (await stateOf(storage, name)) === 'there';
}

export async function stateOf(storage: StorageClients, name: TableName): Promise<'there' | 'missing' | 'failed'> {
  return probeTable(storage.table(name), AbortSignal.timeout(questionMs)).catch(() => 'failed' as const);
}
