// `accounts import FILE`: each row is checked; bounded inserts in parallel, safe to repeat. The report holds no password; addresses
// are masked unless asked for.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { addressHashOf } from '../../shared/address';
import { deadline } from '../../shared/clock';
import { StorageUnavailable } from '../../shared/errors';
import type { AccountsAdmin, Imported, ImportRules } from '../storage/accountsAdmin';
import { checkNewAccount, type ImportRow, type NewAccount } from '../storage/newAccount';
import { CliError } from '../support/errors';
import { count, maskAddress, print, printable, startProgress } from '../support/output';
import type { Call } from '../support/program';
import { openAccounts } from './changeAccounts';
import { readCsv } from './readCsv';
import { readDumpdata } from './readDumpdata';

interface ImportOptions {
  readonly format?: 'csv' | 'json';
  readonly model: string;
  readonly usernameField?: string;
  readonly delimiter: string;
  readonly update?: true;
  readonly passwords?: 'keep' | 'import';
  readonly dryRun?: true;
  readonly parallel: string;
  readonly showAddresses?: true;
}

/** Imports a file. Fails if a row was refused, after everything else is in. */
export async function importFile(call: Call<ImportOptions>, name: string): Promise<void> {
  const { options } = call;
  const { update = false, passwords = 'keep', dryRun = false } = options;
  const admin = openAccounts(call);
  const parallel = Number(options.parallel);
  if (options.passwords !== undefined && !update) throw new CliError('--passwords needs --update.', 2);
  if (!Number.isInteger(parallel) || parallel < 1 || parallel > 64) {
    throw new CliError('--parallel takes a whole number from 1 to 64.', 2);
  }
  const file = path.resolve(call.cwd, name);
  const { size } = await stat(file).catch(() => {
    throw new CliError(`The file ${name} cannot be read.`);
  });
  const format = options.format ?? formatOf(name);
  const knownIds = await admin.listKeys();
  const report = createImportReport(options.showAddresses === true);
  const progress = startProgress(call, 'Importing', size);
  const stream = createReadStream(file, { encoding: 'utf8', signal: call.signal });
  const showProgress = (): void =>
    progress.update(stream.bytesRead, `${count(report.done(), 'row')}, ${report.counts.refused} refused`);
  try {
    const note = (text: string): void => call.error(`${text}\n`);
    const rows = format === 'csv' ? readCsv(stream, options.delimiter, note) : readDumpdata(stream, options, note);
    const rules = { update, passwords, dryRun, parallel };
    await importAccounts(admin, withProgress(rows, showProgress), knownIds, rules, report);
  } catch (error) {
    // What was done is printed before the reason why it is not all.
    if (report.done() > 0) report.print(call);
    throw error;
  } finally {
    stream.destroy();
    progress.stop();
  }
  report.print(call);
  if (report.counts.refused > 0) {
    throw new CliError('Fix the refused rows and import the file again: rows that are in already are left alone.');
  }
}

function formatOf(name: string): 'csv' | 'json' {
  if (/\.csv$/i.test(name)) return 'csv';
  if (/\.jsonl?$/i.test(name)) return 'json';
  throw new CliError('The extension is none of .csv, .json and .jsonl: use --format csv or --format json.', 2);
}

/** Every hundredth row moves the bar. */
async function* withProgress(rows: AsyncIterable<ImportRow>, show: () => void): AsyncGenerator<ImportRow> {
  let seen = 0;
  for await (const row of rows) {
    if (seen++ % 100 === 0) show();
    yield row;
  }
  show();
}

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
  rows: AsyncGenerator<ImportRow>,
  knownIds: Map<string, string>,
  rules: ImportRules & { readonly dryRun: boolean; readonly parallel: number },
  report: ImportReport,
): Promise<void> {
  // All workers share the rows; the one that fails ends them for all.
  const worker = async (): Promise<void> => {
    for await (const row of rows) {
      const account = accept(row, knownIds, report);
      if (account === undefined) continue;
      report.add(row.where, account, rules.dryRun ? dryRun : await importOne(admin, account, rules));
    }
  };
  const ends = await Promise.allSettled(Array.from({ length: rules.parallel }, worker));
  for (const end of ends) if (end.status === 'rejected') throw end.reason;
}

const dryRun = { outcome: 'checked', kept: false } as const;

/** The checked account of a row, or undefined after its refusal was noted. */
function accept(row: ImportRow, knownIds: Map<string, string>, report: ImportReport): NewAccount | undefined {
  if ('problems' in row) return report.refuse(row.where, row.problems, row.email);
  const checked = checkNewAccount(row.input);
  if ('problems' in checked) return report.refuse(row.where, checked.problems, row.input.email);
  const { id, email } = checked.account;
  const addressHash = addressHashOf(email);
  if ((knownIds.get(id) ?? addressHash) !== addressHash) {
    const problem = 'its id belongs to an account with another address: see `accounts set-email`';
    return report.refuse(row.where, [problem], email);
  }
  knownIds.set(id, addressHash);
  return checked.account;
}

async function importOne(
  admin: Pick<AccountsAdmin, 'importAccount'>,
  account: NewAccount,
  rules: ImportRules,
): Promise<Imported> {
  for (let tries = 0; ; tries++) {
    try {
      return await admin.importAccount(account, rules);
    } catch (error) {
      const delayMs = error instanceof StorageUnavailable && passing.has(error.code) ? retryDelaysMs[tries] : undefined;
      if (delayMs === undefined || deadline().aborted) throw error;
      await sleep(delayMs, undefined, { signal: deadline() });
    }
  }
}

const words = [
  ['added', 'added'],
  ['existing', 'existing already, left as they are'],
  ['updated', 'updated'],
  ['unchanged', 'existing already and the same'],
  ['checked', 'would be imported (dry run)'],
] as const;

interface ListedRow {
  readonly where: string;
  readonly problems?: readonly string[];
  readonly email: string | undefined;
}

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
  const list = (rows: readonly ListedRow[], total: number): string[] => {
    const lines = rows.map(({ where, email, problems }) => {
      const address = email === undefined ? '' : ` (${email})`;
      return printable(`  ${where}${address}${problems === undefined ? '' : `: ${problems.join('; ')}`}`);
    });
    return total > rows.length ? [...lines, `  and ${count(total - rows.length, 'more row')}`] : lines;
  };
  const lines = (): string[] => {
    const done = words.filter(([name]) => counts[name] > 0);
    const all = done.map(([name, word]) => `${count(counts[name], 'account')} ${word}.`);
    if (counts.unusable > 0) {
      all.push(`${count(counts.unusable, 'of them has', 'of them have')} no usable password: no reset mail for them.`);
    }
    if (counts.kept > 0) {
      const keep = count(counts.kept, 'account keeps', 'accounts keep');
      all.push(`${keep} a password that was set here after the export (--passwords=import replaces it):`);
      all.push(...list(kept, counts.kept));
    }
    if (counts.refused === 0) return [...all, 'No row was refused.'];
    return [...all, `${count(counts.refused, 'row')} refused:`, ...list(refused, counts.refused)];
  };
  return {
    counts,
    done: () => words.reduce((sum, [name]) => sum + counts[name], counts.refused),
    refuse,
    add: (where: string, { email, password }: NewAccount, imported: Imported | typeof dryRun): void => {
      const { outcome } = imported;
      if (outcome === 'broken') return refuse(where, ['its row in the table is not a valid account'], email);
      if (outcome === 'contended') return refuse(where, ['others keep changing its row'], email);
      counts[outcome] += 1;
      if (password.startsWith('!')) counts.unusable += 1;
      if (!imported.kept) return;
      counts.kept += 1;
      if (kept.length < maxListed) kept.push({ where, email: shownAddress(email) });
    },
    print: (call: Call): void =>
      print(call, { ...counts, refusedRows: refused, keptRows: kept }, `${lines().join('\n')}\n`),
  };
}
