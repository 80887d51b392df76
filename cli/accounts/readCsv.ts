// Reads accounts from a CSV file, row by row, with csv-parse. The first row names the columns.
import { parse, CsvError, type InfoRecord } from 'csv-parse';
import type { Readable } from 'node:stream';
import { CliError } from '../support/errors';
import { parseBoolean, type ImportRow } from './importRow';

const columnOf: ReadonlyMap<string, string> = new Map([
  ...['id', 'email', 'username', 'password', 'locale'].map((name) => [name, name] as const),
  ['is_active', 'isActive'],
  ['isactive', 'isActive'],
  ['active', 'isActive'],
  ['pk', 'id'],
]);
/** A row longer than this is a quote that was never closed. */
const maxRowChars = 64 * 1024;

interface Header {
  readonly names: readonly (string | undefined)[];
  /** Columns of the file that mean nothing here. */
  readonly ignored: readonly string[];
  readonly hasId: boolean;
}

/**
 * Streams the rows of a CSV file.
 * @param onHeader is told which columns are ignored, and whether the user name has to serve as the id
 * @throws CliError when the header lacks a column, or the file stops being CSV: its line is named
 */
export async function* readCsv(
  file: Readable,
  delimiter: string,
  onHeader: (header: Pick<Header, 'ignored' | 'hasId'>) => void,
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
      if (header === undefined) {
        header = readHeader(record);
        onHeader(header);
        continue;
      }
      yield readRow(`line ${info.lines}`, record, header);
    }
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    const line = typeof error['lines'] === 'number' ? ` near line ${error['lines']}` : '';
    throw new CliError(`The file is no proper CSV${line} (${error.code}). Mend it and import it again.`);
  }
  if (header === undefined)
    throw new CliError('The file is empty: the first row must name the columns, at least email,username.');
}

function readHeader(record: readonly string[]): Header {
  const titles = record.map((title) => title.trim());
  const names = titles.map((title) => columnOf.get(title.toLowerCase()));
  const missing = ['email', 'username'].filter((name) => !names.includes(name));
  if (missing.length > 0) {
    throw new CliError(
      `The first row must name the columns; ${missing.join(' and ')} is not among them. ` +
        'It takes email,username and, if there are, id,password,is_active,locale. (Another --delimiter?)',
    );
  }
  const twice = names.find((name, index) => name !== undefined && names.indexOf(name) !== index);
  if (twice !== undefined) throw new CliError(`The first row names the column ${twice} twice.`);
  return { names, ignored: titles.filter((_, index) => names[index] === undefined), hasId: names.includes('id') };
}

function readRow(where: string, record: readonly string[], { names, hasId }: Header): ImportRow {
  if (record.length !== names.length) {
    return { where, problems: [`has ${record.length} columns where the header has ${names.length}`] };
  }
  const values: Record<string, string> = {};
  for (const [index, name] of names.entries()) if (name !== undefined) values[name] = record[index] ?? '';
  const { email = '', username = '', password, locale, isActive: active = '' } = values;
  if (record.some((cell) => cell.includes('\ufffd'))) {
    return { where, email, problems: ['is not UTF-8: save the file as UTF-8'] };
  }
  const isActive = active.trim() === '' ? true : parseBoolean(active);
  if (isActive === undefined) return { where, email, problems: ['is_active is neither true nor false'] };
  return { where, input: { id: (hasId ? values['id'] : username) ?? '', email, username, password, locale, isActive } };
}
