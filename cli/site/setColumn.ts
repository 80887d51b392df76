// `site set COLUMN VALUE`: one column of the site row, refused unless the row that results is good; written by ETag, so that an
// edit in the portal meanwhile is not overwritten.
import { siteSchema } from '../../shared/site';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { printable, printJson } from '../support/output';
import type { CommonOptions } from '../support/program';
import { openSite, sitePartition, type OpenSite } from './siteRow';

export interface SetOptions extends CommonOptions {
  readonly dryRun?: true;
}

/** The columns of the row, by the schema itself. */
export const columns: readonly string[] = Object.keys(siteSchema(false).shape);

/** A value of the row: text, or whatever somebody put there. */
export const textOf = (value: unknown): string =>
  typeof value === 'string' ? value : value === undefined ? '' : JSON.stringify(value);

export async function setColumn(io: Io, column: string, value: string, options: SetOptions): Promise<void> {
  if (!columns.includes(column))
    throw new CliError(`There is no column ${column}. There are: ${columns.join(', ')}.`, 2);
  const site = await openSite(io, options);
  if (options.dryRun !== true) await site.seed();
  const row = await site.read();
  if (row === undefined) {
    throw new CliError(
      'There is no site row yet. The app writes it from its settings when it runs; or say this without --account.',
    );
  }
  const { stored, stillWrong } = check(site.schema, row, column, value);
  const before = textOf(row[column]);
  if (options.dryRun !== true && before !== stored) {
    const written = await site.table.merge(sitePartition, site.siteId, { [column]: stored }, row.etag, io.signal);
    if (written === 'stale')
      throw new CliError(
        'The row was changed at the same moment by somebody else: nothing was written. Look at it, and say it again.',
      );
  }
  const changed = before !== stored;
  if (options.json === true) return printJson(io, { column, before, after: stored, changed, stillWrong });
  const done = options.dryRun === true ? ' (dry run: nothing was written)' : '';
  io.out(
    changed
      ? printable(`${column}: ${before === '' ? '(empty)' : before} → ${stored === '' ? '(empty)' : stored}${done}`) +
          '\n'
      : `${column} has this value already.\n`,
  );
  for (const problem of stillWrong) io.error(`Still wrong: ${problem}.\n`);
}

/**
 * What is to be written, and what remains wrong in a row that was broken before.
 * @throws CliError when the value is refused, or makes a good row bad
 */
function check(
  schema: OpenSite['schema'],
  row: Readonly<Record<string, unknown>>,
  column: string,
  value: string,
): { stored: string; stillWrong: string[] } {
  const checked = schema.safeParse({ ...row, [column]: value });
  if (checked.success) {
    const parsed: Readonly<Record<string, unknown>> = checked.data;
    const stored = parsed[column];
    return { stored: typeof stored === 'string' ? stored : '', stillWrong: [] };
  }
  const wasGood = schema.safeParse(row).success;
  const own = checked.error.issues.filter(({ path }) => wasGood || path[0] === column);
  const problems = checked.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  if (own.length > 0) {
    throw new CliError(
      ['Refused; nothing was written:', ...own.map(({ path, message }) => `  ${path.join('.')} ${message}`)].join('\n'),
    );
  }
  return { stored: value.trim(), stillWrong: problems };
}
