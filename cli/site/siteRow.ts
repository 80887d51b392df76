// `site show` and `site set`: the site row. A value is refused unless the row that results is valid; it is written by ETag, so that
// an edit in the portal in the meantime is not overwritten.
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { siteSchema } from '../../shared/site';
import { createSiteTable, sitePartition } from '../../shared/storage/siteTable';
import { updateRow } from '../../shared/storage/tableStore';
import { CliError } from '../support/errors';
import { printable, printFields, printJson } from '../support/output';
import type { CommonOptions, Io } from '../support/program';
import { openStorage, readEnvironment, requireConfig } from '../support/settings';

export interface SetOptions extends CommonOptions {
  readonly dryRun?: true;
}

/** The columns of the row. */
export const columns: readonly string[] = Object.keys(siteSchema(false).shape);

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

/** A logo is up to 14,000 characters long. */
const shorten = (text: string): string =>
  text.length > 300 ? `${text.slice(0, 40)}… (${text.length} characters)` : text;

export function openSite(io: Io, options: CommonOptions) {
  const storage = openStorage(io, options);
  const table = storage.table('SiteSettings');
  const textsTable = storage.table('SiteTexts');
  const config = options.account === undefined ? requireConfig(io, options) : undefined;
  const siteId = config?.siteId ?? (readEnvironment(io, options)['SITE_ID']?.trim() || '1');
  return {
    table,
    textsTable,
    siteId,
    // The rules are those of production, unless the settings say that this is development.
    schema: siteSchema(config?.development ?? false),
    /** Writes what the row does not have from the settings; nothing with `--account`, whose settings are not at hand. */
    seed: async () => {
      if (config !== undefined) await createSiteTable(table, textsTable, siteId).fillIn(config.siteDefaults);
    },
  };
}

const noRow = (siteId: string): CliError =>
  new CliError(
    `There is no site row ${siteId}. The app writes it from its settings when it runs; without --account this command does.`,
  );

/** Prints the row as it is, and what is wrong with it. An empty table is filled from the settings first. */
export async function showSite(io: Io, options: CommonOptions): Promise<void> {
  const { table, seed, schema, siteId } = openSite(io, options);
  if ((await table.get(sitePartition, siteId)) === undefined) await seed();
  const row = await table.get(sitePartition, siteId);
  if (row === undefined) throw noRow(siteId);
  const issues = schema.safeParse(row).error?.issues ?? [];
  const problems = issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  const values = columns.filter((name) => row[name] !== undefined).map((name) => [name, textOf(row[name])] as const);
  if (options.json === true) printJson(io, { siteId, ...Object.fromEntries(values), problems });
  else {
    const fields = values.map(([name, value]) => [name, shorten(value)] as const);
    printFields(io, `Site ${siteId}`, fields);
  }
  if (problems.length > 0) {
    const cure = 'Fix it with `npm run site -- set COLUMN VALUE`; until then the app uses the last valid row, if any.';
    throw new CliError([...problems.map((problem) => `${problem}.`), cure].join('\n'));
  }
}

export async function setColumn(io: Io, column: string, given: string, options: SetOptions): Promise<void> {
  if (!columns.includes(column))
    throw new CliError(`There is no column ${column}. The columns are ${columns.join(', ')}.`, 2);
  const value = column === 'logo' && /\.png$/i.test(given) ? await readPng(path.resolve(io.cwd, given)) : given;
  const { table, seed, schema, siteId } = openSite(io, options);
  const isDryRun = options.dryRun === true;
  if (!isDryRun) await seed();
  const updated = await updateRow(table, sitePartition, siteId, (row) => {
    if (row === undefined) throw noRow(siteId);
    const checked = check(schema, row, column, value);
    const before = textOf(row[column]);
    const changed = before !== checked.stored;
    const written = changed && !isDryRun ? { [column]: checked.stored } : undefined;
    return { columns: written, result: { ...checked, before, changed } };
  });
  if (updated.outcome === 'contended')
    throw new CliError('Others keep changing the row: nothing was written. Try again.');
  const { stored, stillWrong, before, changed } = updated.result;
  if (options.json === true) return printJson(io, { column, before, after: stored, changed, stillWrong });
  const shown = (text: string): string => (text === '' ? '(empty)' : shorten(text));
  const note = isDryRun ? ' (dry run: nothing was written)' : '';
  io.out(
    changed
      ? `${printable(`${column}: ${shown(before)} → ${shown(stored)}${note}`)}\n`
      : `${column} has this value already.\n`,
  );
  for (const problem of stillWrong) io.error(`Still wrong: ${problem}.\n`);
}

/** A PNG file as `data:` URL. */
export async function readPng(file: string): Promise<string> {
  try {
    return `data:image/png;base64,${await readFile(file, 'base64')}`;
  } catch {
    throw new CliError(`There is no file ${file}, or it cannot be read.`);
  }
}

/**
 * What is to be written, and what remains wrong in a row that was invalid before.
 * @throws CliError if the value is refused, or makes a valid row invalid
 */
function check(
  schema: ReturnType<typeof siteSchema>,
  row: Readonly<Record<string, unknown>>,
  column: string,
  value: string,
): { stored: string; stillWrong: string[] } {
  const checked = schema.safeParse({ ...row, [column]: value });
  if (checked.success) {
    const parsed: Readonly<Record<string, unknown>> = checked.data;
    return { stored: textOf(parsed[column]), stillWrong: [] };
  }
  const wasValid = schema.safeParse(row).success;
  const { issues } = checked.error;
  const words = ({ path, message }: (typeof issues)[number]): string => `${path.join('.')} ${message}`;
  const own = issues.filter(({ path }) => wasValid || path[0] === column);
  if (own.length > 0) {
    throw new CliError(['Refused; nothing was written:', ...own.map((issue) => `  ${words(issue)}`)].join('\n'));
  }
  return { stored: value.trim(), stillWrong: issues.map(words) };
}
