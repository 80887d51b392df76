// `site show` and `site set`: the site row. A value is refused unless the row that results is valid; it is written by ETag, so that
// an edit in the portal in the meantime is not overwritten.
import { withoutBadLook } from '../../shared/look';
import { siteSchema, type Site } from '../../shared/site';
import { createSiteTable, sitePartition } from '../../shared/storage/siteTable';
import { updateRow } from '../../shared/storage/storage';
import { CliError } from '../support/errors';
import { fieldsOf, print, printable } from '../support/output';
import type { Call } from '../support/program';
import { openStorage, readEnvironment, readInput, requireConfig } from '../support/settings';

/** The columns of the row. */
export const columns: readonly string[] = Object.keys(siteSchema(false).shape);

const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

/** A logo is up to 14,000 characters long. */
const shorten = (text: string): string =>
  text.length > 300 ? `${text.slice(0, 40)}… (${text.length} characters)` : text;

export function openSite(call: Call) {
  const storage = openStorage(call);
  const table = storage.table('SiteSettings');
  const config = call.options.account === undefined ? requireConfig(call) : undefined;
  const siteId = config?.siteId ?? (readEnvironment(call)['SITE_ID']?.trim() || '1');
  const texts = storage.table('SiteTexts');
  const rows = createSiteTable(table, texts, siteId);
  // The rules are those of production, unless the settings say that this is development.
  const schema = siteSchema(config?.development ?? false);
  return {
    table,
    texts,
    rows,
    siteId,
    schema,
    /** Writes what the row does not have from the settings; nothing with `--account`, whose settings are not at hand. */
    seed: async () => {
      if (config !== undefined) await rows.fillIn(config.siteDefaults);
    },
    /** The row as the app uses it. @throws CliError if there is none, or it is not valid */
    readSite: async (): Promise<Site> => {
      const row = await rows.read();
      if (row === undefined) throw noRow(siteId);
      const { data } = schema.safeParse(withoutBadLook(row).row);
      if (data === undefined) throw new CliError('The site row is not valid: `npm run site -- show` says why.');
      return data;
    },
  };
}

const noRow = (siteId: string): CliError =>
  new CliError(`There is no site row ${siteId}. The app writes it when it runs; without --account this command does.`);

const problemsOf = (issues: readonly { path: PropertyKey[]; message: string }[] = []): string[] =>
  issues.map(({ path, message }) => `${path.join('.')} ${message}`);

/** Prints the row as it is, and what is wrong with it. An empty table is filled from the settings first. */
export async function showSite(call: Call): Promise<void> {
  const { rows, seed, schema, siteId } = openSite(call);
  if ((await rows.read()) === undefined) await seed();
  const row = await rows.read();
  if (row === undefined) throw noRow(siteId);
  const problems = problemsOf(schema.safeParse(row).error?.issues);
  const values = columns.filter((name) => row[name] !== undefined).map((name) => [name, textOf(row[name])] as const);
  const fields = values.map(([name, value]) => [name, shorten(value)] as const);
  print(call, { siteId, ...Object.fromEntries(values), problems }, fieldsOf(`Site ${siteId}`, fields));
  if (problems.length > 0) {
    const cure = 'Fix it with `npm run site -- set COLUMN VALUE`; until then the app uses the last valid row, if any.';
    throw new CliError([...problems.map((problem) => `${problem}.`), cure].join('\n'));
  }
}

export async function setColumn(call: Call<{ readonly dryRun?: true }>, column: string, given: string): Promise<void> {
  if (!columns.includes(column))
    throw new CliError(`There is no column ${column}. The columns are ${columns.join(', ')}.`, 2);
  const value = column === 'logo' && /\.png$/i.test(given) ? await readPng(call, given) : given;
  const { table, seed, schema, siteId } = openSite(call);
  const { json, dryRun } = call.options;
  if (dryRun !== true) await seed();
  const updated = await updateRow(table, sitePartition, siteId, (row) => {
    if (row === undefined) throw noRow(siteId);
    const checked = check(schema, row, column, value);
    const before = textOf(row[column]);
    const changed = before !== checked.stored;
    const written = changed && dryRun !== true ? { [column]: checked.stored } : undefined;
    return { columns: written, result: { ...checked, before, changed } };
  });
  if (updated.outcome === 'contended')
    throw new CliError('Others keep changing the row: nothing was written. Try again.');
  const { stored, stillWrong, before, changed } = updated.result;
  const shown = (text: string): string => (text === '' ? '(empty)' : shorten(text));
  const note = dryRun === true ? ' (dry run: nothing was written)' : '';
  const done = printable(`${column}: ${shown(before)} → ${shown(stored)}${note}`);
  const text = changed ? done : `${column} has this value already.`;
  print(call, { column, before, after: stored, changed, stillWrong }, `${text}\n`);
  if (json !== true) for (const problem of stillWrong) call.error(`Still wrong: ${problem}.\n`);
}

export const readPng = async (call: Call, file: string): Promise<string> =>
  `data:image/png;base64,${(await readInput(call, file)).toString('base64')}`;

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
  const own = problemsOf(issues.filter(({ path }) => wasValid || path[0] === column));
  if (own.length > 0) throw new CliError(['Refused; nothing was written:', ...own].join('\n  '));
  return { stored: value.trim(), stillWrong: problemsOf(issues) };
}
