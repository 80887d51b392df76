// `accounts import FILE`: chooses the reader, shows the progress, prints the report.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { AccountsAdmin } from '../../shared/storage/accountsAdmin';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { count } from '../support/output';
import type { CommonOptions } from '../support/program';
import { startProgress } from '../support/progress';
import { importAccounts } from './importAccounts';
import { createImportReport } from './importReport';
import type { ImportRow } from './importRow';
import { readCsv } from './readCsv';
import { readDumpdata } from './readDumpdata';

export interface ImportOptions extends CommonOptions {
  readonly format?: 'csv' | 'json';
  readonly model: string;
  readonly delimiter: string;
  readonly update?: true;
  readonly dryRun?: true;
  readonly parallel: string;
  readonly showAddresses?: true;
}

/** Imports a file. Fails when a row was refused, after everything else is in. */
export async function importFile(io: Io, admin: AccountsAdmin, name: string, options: ImportOptions): Promise<void> {
  const rules = { update: options.update === true, dryRun: options.dryRun === true, parallel: parallelOf(options) };
  const file = path.resolve(io.cwd, name);
  const { size } = await stat(file).catch(() => {
    throw new CliError(`The file ${name} cannot be read.`);
  });
  const format = options.format ?? formatOf(name);
  const knownIds = await readKnownIds(io, admin);
  const report = createImportReport(options.showAddresses === true);
  const progress = startProgress(io, 'Importing', size);
  const stream = createReadStream(file, { encoding: 'utf8', signal: io.signal });
  const showProgress = (): void => {
    progress.update(stream.bytesRead, `${count(report.done(), 'row')}, ${report.counts.refused} refused`);
  };
  try {
    const rows =
      format === 'csv' ? readCsv(stream, options.delimiter, noteHeader(io)) : readDumpdata(stream, options.model);
    await importAccounts(admin, withProgress(rows, showProgress), knownIds, rules, report, io.signal);
  } catch (error) {
    // Whatever was done is said before the reason why it is not all.
    if (report.done() > 0) report.print(io, options.json === true);
    throw error;
  } finally {
    stream.destroy();
    progress.stop();
  }
  report.print(io, options.json === true);
  if (report.counts.refused > 0) {
    throw new CliError('Mend the refused rows and import the file again: what is in already is left alone.');
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
  throw new CliError('The extension is neither .csv nor .json nor .jsonl: say --format csv or --format json.', 2);
}

/** The accounts that are there: on the first import none, else the keys alone, 1,000 a page. */
async function readKnownIds(io: Io, admin: AccountsAdmin): Promise<Map<string, string>> {
  const known = new Map<string, string>();
  for await (const { sub, id } of admin.listKeys(io.signal)) known.set(id, sub);
  return known;
}

const noteHeader =
  (io: Io) =>
  ({ ignored, hasId }: { readonly ignored: readonly string[]; readonly hasId: boolean }): void => {
    if (ignored.length > 0) io.error(`These columns are ignored: ${ignored.join(', ').slice(0, 500)}\n`);
    if (!hasId) io.error('There is no id column: the user name serves as the id.\n');
  };

/** Every hundredth row moves the bar. */
async function* withProgress(rows: AsyncIterable<ImportRow>, show: () => void): AsyncGenerator<ImportRow> {
  let seen = 0;
  for await (const row of rows) {
    if (seen++ % 100 === 0) show();
    yield row;
  }
  show();
}
