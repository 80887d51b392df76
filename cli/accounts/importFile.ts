// `accounts import FILE`: chooses the reader, shows the progress, prints the report.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { AccountsAdmin } from '../storage/accountsAdmin';
import { CliError } from '../support/errors';
import { count, startProgress } from '../support/output';
import type { CommonOptions, Io } from '../support/program';
import { createImportReport, importAccounts, type ImportRow } from './importAccounts';
import { readCsv } from './readCsv';
import { readDumpdata } from './readDumpdata';

export interface ImportOptions extends CommonOptions {
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
export async function importFile(io: Io, admin: AccountsAdmin, name: string, options: ImportOptions): Promise<void> {
  const { update, passwords = 'keep', dryRun } = options;
  if (options.passwords !== undefined && update !== true) throw new CliError('--passwords needs --update.', 2);
  const rules = { update: update === true, passwords, dryRun: dryRun === true, parallel: parallelOf(options) };
  const file = path.resolve(io.cwd, name);
  const { size } = await stat(file).catch(() => {
    throw new CliError(`The file ${name} cannot be read.`);
  });
  const format = options.format ?? formatOf(name);
  // On the first import none, else the keys alone, 1,000 a page.
  const knownIds = new Map<string, string>();
  for await (const { addressHash, id } of admin.listKeys()) knownIds.set(id, addressHash);
  const report = createImportReport(options.showAddresses === true);
  const progress = startProgress(io, 'Importing', size);
  const stream = createReadStream(file, { encoding: 'utf8', signal: io.signal });
  const showProgress = (): void =>
    progress.update(stream.bytesRead, `${count(report.done(), 'row')}, ${report.counts.refused} refused`);
  try {
    const note = (text: string): void => io.error(`${text}\n`);
    const rows = format === 'csv' ? readCsv(stream, options.delimiter, note) : readDumpdata(stream, options, note);
    await importAccounts(admin, withProgress(rows, showProgress), knownIds, rules, report);
  } catch (error) {
    // What was done is printed before the reason why it is not all.
    if (report.done() > 0) report.print(io, options.json === true);
    throw error;
  } finally {
    stream.destroy();
    progress.stop();
  }
  report.print(io, options.json === true);
  if (report.counts.refused > 0) {
    throw new CliError('Fix the refused rows and import the file again: rows that are in already are left alone.');
  }
}

function parallelOf({ parallel }: ImportOptions): number {
  const number = Number(parallel);
  if (Number.isInteger(number) && number >= 1 && number <= 64) return number;
  throw new CliError('--parallel takes a whole number from 1 to 64.', 2);
}

function formatOf(name: string): 'csv' | 'json' {
  const extension = path.extname(name).toLowerCase();
  if (extension === '.csv') return 'csv';
  if (['.json', '.jsonl'].includes(extension)) return 'json';
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
