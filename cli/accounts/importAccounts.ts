// Writes the rows of an import file into the table: each checked, bounded inserts in parallel, safe to repeat. Knows no file format.
// The report holds no password; addresses are masked unless asked for.
import { setTimeout as sleep } from 'node:timers/promises';
import { addressHashOf } from '../../shared/address';
import { deadline } from '../../shared/clock';
import { StorageUnavailable } from '../../shared/errors';
import type { AccountsAdmin, Imported, ImportRules } from '../storage/accountsAdmin';
import { checkNewAccount, type AccountInput, type NewAccount } from '../storage/newAccount';
import { count, maskAddress, printable, printJson } from '../support/output';
import type { Io } from '../support/program';

/** A row as the file has it. `where` is `line 12` or `pk 7`: it names the row without quoting it. */
export type ImportRow =
  | { readonly where: string; readonly input: AccountInput }
  /** `email` only if it could be read, to help finding the row; it is masked before it is shown. */
  | { readonly where: string; readonly problems: readonly string[]; readonly email?: string | undefined };

/** Waits before another try if the table is overloaded or away for a moment, in ms; then the import stops. */
const retryDelaysMs = [1000, 2000, 4000, 8000, 16_000];
const passing = new Set([
  ...['timeout', 'connection', 'ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN'],
  ...['contended', 'ServerBusy', 'OperationTimedOut', 'InternalError', '500', '503'],
]);

/**
 * Imports all rows.
 * @param knownIds of the accounts that are in the table: their partitions by id; rows of the file are added to it. An id is one
 *   account, so a row whose id is known under another address is refused: an old dump must not bring an old address back
 * @param rules `parallel`: how many inserts at a time, 1–64
 * @throws StorageUnavailable if the table stays away; what is in by then stays, and the same import again goes on
 */
export async function importAccounts(
  admin: Pick<AccountsAdmin, 'importAccount'>,
  rows: AsyncIterable<ImportRow>,
  knownIds: Map<string, string>,
  rules: ImportRules & { readonly dryRun: boolean; readonly parallel: number },
  report: ImportReport,
): Promise<void> {
  const iterator = rows[Symbol.asyncIterator]();
  const stop = new AbortController(); // the first failure ends all workers
  const worker = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const next = await iterator.next();
      if (next.done === true) return;
      const account = accept(next.value, knownIds, report);
      if (account === undefined) continue;
      if (rules.dryRun) report.add(next.value.where, account, { outcome: 'checked' });
      else report.add(next.value.where, account, await importOne(admin, account, rules));
    }
  };
  const failures: unknown[] = [];
  const workers = Array.from({ length: rules.parallel }, () =>
    worker().catch((error: unknown) => {
      failures.push(error);
      stop.abort();
    }),
  );
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
}

/** The checked account of a row, or undefined after its refusal was noted. */
function accept(row: ImportRow, knownIds: Map<string, string>, report: ImportReport): NewAccount | undefined {
  if ('problems' in row) return report.refuse(row.where, row.problems, row.email);
  const checked = checkNewAccount(row.input);
  if ('problems' in checked) return report.refuse(row.where, checked.problems, row.input.email);
  const { id, email } = checked.account;
  const addressHash = addressHashOf(email);
  if ((knownIds.get(id) ?? addressHash) !== addressHash) {
    return report.refuse(
      row.where,
      ['its id belongs to an account with another address: see `accounts set-email`'],
      email,
    );
  }
  knownIds.set(id, addressHash);
  return checked.account;
}

async function importOne(
  admin: Pick<AccountsAdmin, 'importAccount'>,
  account: NewAccount,
  rules: ImportRules,
): Promise<Imported> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await admin.importAccount(account, rules);
    } catch (error) {
      const signal = deadline();
      if (!(error instanceof StorageUnavailable && passing.has(error.code)) || signal.aborted) throw error;
      await sleep(delayMs, undefined, { signal });
    }
  }
  return admin.importAccount(account, rules);
}

const words = {
  added: 'added',
  existing: 'existing already, left as they are',
  updated: 'updated',
  unchanged: 'existing already and the same',
  checked: 'would be imported (dry run)',
} as const;
type Counted = keyof typeof words;
const isCounted = (outcome: string): outcome is Counted => outcome in words;

interface ListedRow {
  readonly where: string;
  readonly problems?: readonly string[];
  readonly email: string | undefined;
}

/** How many rows are listed. */
const maxListed = 1000;

export type ImportReport = ReturnType<typeof createImportReport>;

/** What an import did, in numbers; which rows it refused and why; and which keep a password that was set here. */
export function createImportReport(showAddresses: boolean) {
  const counts = { added: 0, existing: 0, updated: 0, unchanged: 0, checked: 0, refused: 0, kept: 0, unusable: 0 };
  const refused: ListedRow[] = [];
  const kept: ListedRow[] = [];
  const shownAddress = (email: string): string | undefined => {
    const text = email.slice(0, 254);
    return text.trim() === '' ? undefined : showAddresses ? text : maskAddress(text);
  };
  const refuse = (where: string, problems: readonly string[], email = ''): undefined => {
    counts.refused += 1;
    if (refused.length < maxListed) refused.push({ where, email: shownAddress(email), problems });
  };
  const list = (io: Io, rows: readonly ListedRow[], total: number): void => {
    for (const { where, email, problems } of rows) {
      const address = email === undefined ? '' : ` (${email})`;
      io.out(`${printable(`  ${where}${address}${problems === undefined ? '' : `: ${problems.join('; ')}`}`)}\n`);
    }
    if (total > rows.length) io.out(`  and ${count(total - rows.length, 'more row')}\n`);
  };
  const print = (io: Io): void => {
    for (const name of Object.keys(words).filter(isCounted)) {
      if (counts[name] > 0) io.out(`${count(counts[name], 'account')} ${words[name]}.\n`);
    }
    if (counts.unusable > 0) {
      io.out(`${count(counts.unusable, 'of them has', 'of them have')} no usable password: no reset mail for them.\n`);
    }
    if (counts.kept > 0) {
      const keep = count(counts.kept, 'account keeps', 'accounts keep');
      io.out(`${keep} a password that was set here after the export (--passwords=import replaces it):\n`);
      list(io, kept, counts.kept);
    }
    if (counts.refused === 0) return io.out('No row was refused.\n');
    io.out(`${count(counts.refused, 'row')} refused:\n`);
    list(io, refused, counts.refused);
  };
  return {
    counts,
    done: () => Object.keys(words).reduce((sum, name) => (isCounted(name) ? sum + counts[name] : sum), counts.refused),
    refuse,
    add: (where: string, account: NewAccount, imported: Imported | { readonly outcome: 'checked' }): void => {
      const { outcome } = imported;
      if (outcome === 'broken') return refuse(where, ['its row in the table is not a valid account'], account.email);
      if (outcome === 'contended') return refuse(where, ['others keep changing its row'], account.email);
      counts[outcome] += 1;
      if (account.password.startsWith('!')) counts.unusable += 1;
      if (!('kept' in imported) || !imported.kept) return;
      counts.kept += 1;
      if (kept.length < maxListed) kept.push({ where, email: shownAddress(account.email) });
    },
    print: (io: Io, json: boolean): void => {
      if (json) printJson(io, { ...counts, refusedRows: refused, keptRows: kept });
      else print(io);
    },
  };
}
