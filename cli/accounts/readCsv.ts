// Reads accounts from a CSV file, row by row, with csv-parse. The first row names the columns.
import { parse, CsvError, type InfoRecord } from 'csv-parse';
import type { Readable } from 'node:stream';
import { CliError } from '../support/errors';
import type { ImportRow } from '../storage/newAccount';

const columnOf: ReadonlyMap<string, string> = new Map([
  ...['id', 'email', 'username', 'password', 'locale'].map((name) => [name, name] as const),
  ...['is_active', 'isactive', 'active'].map((name) => [name, 'isActive'] as const),
  ...['created_at', 'createdat', 'date_joined'].map((name) => [name, 'createdAt'] as const),
  ['pk', 'id'],
]);
const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', '1'].map((word) => [word, true] as const),
  ...['false', 'f', 'no', 'n', '0'].map((word) => [word, false] as const),
  ['', true],
]);
/** A longer row is a quote that was never closed. */
const maxRowChars = 64 * 1024;

interface Header {
  readonly names: readonly (string | undefined)[];
  readonly hasId: boolean;
}

/**
 * @param note is told which columns are ignored, and whether the user name serves as the id
 * @throws CliError if the header lacks a column, or the file stops being CSV: its line is named
 */
export async function* readCsv(
  file: Readable,
  delimiter: string,
  note: (text: string) => void,
): AsyncGenerator<ImportRow> {
  const parser = parse({
    ...{ delimiter, bom: true, info: true, skip_empty_lines: true, relax_column_count: true },
    max_record_size: maxRowChars,
  });
  file.on('error', (error) => parser.destroy(error)).pipe(parser);
  let header: Header | undefined;
  try {
    for await (const item of parser) {
      const { record, info } = item as { record: string[]; info: InfoRecord }; // what `info: true` gives
      if (header === undefined) header = readHeader(record, note);
      else yield readRow(`line ${info.lines}`, record, header);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? ` near line ${error['lines']}` : '';
    throw new CliError(`The file is not valid CSV${line} (${error.code}). Fix it and import it again.`);
  }
  if (header === undefined)
    throw new CliError('The file is empty: the first row must name the columns, at least email,username.');
}

function readHeader(record: readonly string[], note: (text: string) => void): Header {
  const titles = record.map((title) => title.trim());
  const names = titles.map((title) => columnOf.get(title.toLowerCase()));
  const missing = ['email', 'username'].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    const known = 'Also known: id, password, is_active, locale, created_at. (Another --delimiter?)';
    throw new CliError(`The first row must name the columns; ${missing.join(' and ')} is not among them. ${known}`);
  }
  const twice = names.find((name, index) => name !== undefined && names.indexOf(name) !== index);
  if (twice !== undefined) throw new CliError(`The first row names the column ${twice} twice.`);
  const ignored = titles.filter((_, index) => names[index] === undefined);
  if (ignored.length > 0) note(`These columns are ignored: ${ignored.join(', ').slice(0, 500)}`);
  const hasId = names.includes('id');
  if (!hasId) note('There is no id column: the user name serves as the id.');
  return { names, hasId };
}

function readRow(where: string, record: readonly string[], { names, hasId }: Header): ImportRow {
  if (record.length !== names.length) {
    return { where, problems: [`has ${record.length} columns where the header has ${names.length}`] };
  }
  const values: Record<string, string> = {};
  for (const [index, name] of names.entries()) if (name !== undefined) values[name] = record[index] ?? '';
  const { email = '', username = '', password, locale, isActive: active = '', createdAt } = values;
  if (record.some((cell) => cell.includes('\ufffd'))) {
    return { where, email, problems: ['is not UTF-8: save the file as UTF-8'] };
  }
  const isActive = booleans.get(active.trim().toLowerCase());
  if (isActive === undefined) return { where, email, problems: ['is_active is neither true nor false'] };
  const id = (hasId ? values['id'] : username) ?? '';
  return { where, input: { id, email, username, password, locale, isActive, createdAt } };
}
