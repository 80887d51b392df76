// `accounts import FILE`: chooses the reader, shows the progress, prints the report.
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { CliError } from '../support/errors';
import { count, startProgress } from '../support/output';
import type { Call } from '../support/program';
import { openAccounts } from './changeAccounts';
import { createImportReport, importAccounts, type ImportRow } from './importAccounts';
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
