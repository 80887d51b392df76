// `site show`: the row as it is, and what is wrong with it. An empty table is filled from the settings first, as the app would.
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { printFields, printJson } from '../support/output';
import type { CommonOptions } from '../support/program';
import { columns, textOf } from './setColumn';
import { openSite } from './siteRow';

export async function showSite(io: Io, options: CommonOptions): Promise<void> {
  const { read, seed, schema, siteId } = await openSite(io, options);
  if ((await read()) === undefined) await seed();
  const row = await read();
  if (row === undefined) {
    throw new CliError(
      `There is no site row ${siteId}. The app writes it from its settings when it runs; or say this without --account.`,
    );
  }
  const checked = schema.safeParse(row);
  const problems = checked.success
    ? []
    : checked.error.issues.map(({ path, message }) => `${path.join('.')} ${message}`);
  const values = Object.fromEntries(
    columns.flatMap((name) => (row[name] === undefined ? [] : [[name, textOf(row[name])]])),
  );
  if (options.json === true) printJson(io, { siteId, ...values, problems });
  else printFields(io, `Site ${siteId}`, Object.entries(values));
  if (problems.length > 0) {
    const cure =
      'Mend it by `npm run site -- set COLUMN VALUE`; until then the app uses the last good row, if it has one.';
    throw new CliError([...problems.map((problem) => `${problem}.`), cure].join('\n'));
  }
}
