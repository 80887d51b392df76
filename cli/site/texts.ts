// `site texts`: the site's own sentences, and languages added as data.
import type { Command } from 'commander';
import { builtInLanguages, messagesFor, type Catalog } from '../../shared/locales';
import {
  applyTexts,
  canonicalTag,
  flattenMessages,
  messageNames,
  type AppliedTexts,
  type TextOverride,
} from '../../shared/locales/overrides';
import type { TableStore } from '../../shared/storage/tableStore';
import { CliError } from '../support/errors';
import { count, printJson, printTable } from '../support/output';
import { addCommand, type CommonOptions, type Io } from '../support/program';
import { openStorage } from '../support/settings';
import { isIn, readTexts, readTextsFile, requireGood, requireTag, writeTexts } from './textsTable';

interface WriteOptions extends CommonOptions {
  readonly dryRun?: true;
}
interface ReadOptions extends CommonOptions {
  readonly all?: true;
}

const dryRun = ['--dry-run', 'check the texts and change nothing'] as const;
const soon = 'Takes effect within a minute.';

export function addTextCommands(program: Command, io: Io): void {
  const texts = program
    .command('texts')
    .description("sentences of mails and pages in the site's own words, and languages added as data");
  addCommand(texts, 'list [locale]', "list the site's own texts")
    .option('--all', 'list every text that mails and pages use, with its name')
    .action((locale: string | undefined, options: ReadOptions) => listTexts(io, locale, options));
  addCommand(texts, 'set <locale> <name> <text>', 'replace one text: set en passwordReset.thanks "See you soon!"')
    .option(...dryRun)
    .action((locale: string, name: string, text: string, options: WriteOptions) =>
      setText(io, locale, name, text, options),
    );
  addCommand(texts, 'unset <locale> [name]', 'go back to the built-in text')
    .option('--all', 'for every text of the language')
    .action((locale: string, name: string | undefined, options: ReadOptions) => unsetTexts(io, locale, name, options));
  addCommand(texts, 'export [locale]', "print the site's own texts as JSON")
    .option('--all', 'print every text, for translation: in English where the language lacks it')
    .action((locale: string | undefined, options: ReadOptions) => exportTexts(io, locale, options));
  addCommand(texts, 'import <file>', 'write the texts of a JSON file {locale: {name: text}}, or of "-", standard input')
    .option(...dryRun)
    .action((file: string, options: WriteOptions) => importTexts(io, file, options));
  addCommand(texts, 'check [locale]', 'name each text that is refused, missing or still in English').action(
    (locale: string | undefined, options: CommonOptions) => checkTexts(io, locale, options),
  );
}

const optionalTag = (locale: string | undefined): string | undefined =>
  locale === undefined ? undefined : requireTag(locale);

const tableOf = (io: Io, options: CommonOptions): TableStore => openStorage(io, options).table('SiteTexts');

async function listTexts(io: Io, locale: string | undefined, options: ReadOptions): Promise<void> {
  const wanted = isIn(optionalTag(locale));
  const own = await readTexts(tableOf(io, options));
  const rows =
    options.all === true
      ? textsInUse(applyTexts(builtInLanguages, own).catalog, locale)
      : own.map(({ locale: each, name, text }) => ({ locale: each, name, text }));
  const texts = rows.filter(wanted).map((row) => ({ ...row, problem: problemOf(row) }));
  if (options.json === true) return printJson(io, texts);
  if (texts.length === 0) {
    return io.out(
      'There are no texts of the site’s own. `npm run site -- texts list --all` lists the built-in ones.\n',
    );
  }
  const shown = ({ text, problem }: (typeof texts)[number]): string =>
    problem === undefined ? text.replaceAll('\n', ' ') : `(not used: ${problem})`;
  printTable(
    io,
    ['locale', 'name', 'text'],
    texts.map((row) => [row.locale, row.name, shown(row)]),
  );
}

/** Every text of the language, or of all; of a language that is not there yet, those of the nearest one. */
function textsInUse(catalog: Catalog, locale: string | undefined): TextOverride[] {
  const tag = optionalTag(locale);
  const tags = tag === undefined || catalog.has(tag) ? [...catalog.keys()] : [tag];
  return tags.flatMap((each) => {
    const texts = flattenMessages(messagesFor(each, catalog));
    return messageNames(each).map((name) => ({
      locale: each,
      name,
      text: texts.get(name) ?? texts.get(name.replace(/\.\w+$/, '.other')) ?? '', // a plural form that English lacks
    }));
  });
}

const problemOf = ({ locale, name, text }: TextOverride): string | undefined =>
  applyTexts(builtInLanguages, [{ locale, name, text }]).refused[0]?.problem;

async function setText(io: Io, locale: string, name: string, text: string, options: WriteOptions): Promise<void> {
  const tag = requireTag(locale);
  requireGood([{ locale: tag, name, text }]);
  const { written } = await writeTexts(tableOf(io, options), [{ locale: tag, name, text }], options.dryRun === true);
  if (options.json === true) return printJson(io, { locale: tag, name, text, changed: written > 0 });
  if (written === 0) return io.out('This is the text already.\n');
  io.out(options.dryRun === true ? 'The text is good (dry run: nothing was written).\n' : `Written. ${soon}\n`);
}

async function unsetTexts(io: Io, locale: string, name: string | undefined, options: ReadOptions): Promise<void> {
  if ((name === undefined) !== (options.all === true)) throw new CliError('Give either a name or --all.', 2);
  const table = tableOf(io, options);
  // As the table has it, too: a row with a malformed tag must be removable.
  const tag = canonicalTag(locale, builtInLanguages);
  const rows = (await readTexts(table)).filter(
    (row) => (row.locale === locale || (tag !== undefined && isIn(tag)(row))) && (name ?? row.name) === row.name,
  );
  for (const row of rows) {
    if ((await table.remove(row.locale, row.name, row.etag)) === 'stale') {
      throw new CliError(`${row.locale} ${row.name} was changed in the meantime and is still there. Try again.`);
    }
  }
  if (options.json === true) return printJson(io, { removed: rows.length });
  io.out(rows.length === 0 ? 'There is no such text.\n' : `Removed ${count(rows.length, 'text')}. ${soon}\n`);
}

async function exportTexts(io: Io, locale: string | undefined, options: ReadOptions): Promise<void> {
  const own = await readTexts(tableOf(io, options));
  const texts = options.all === true ? textsInUse(applyTexts(builtInLanguages, own).catalog, locale) : own;
  const byLocale = new Map<string, Record<string, string>>();
  for (const { locale: each, name, text } of texts.filter(isIn(optionalTag(locale)))) {
    byLocale.set(each, { ...byLocale.get(each), [name]: text });
  }
  printJson(io, Object.fromEntries(byLocale));
}

async function importTexts(io: Io, file: string, options: WriteOptions): Promise<void> {
  const texts = await readTextsFile(io, file);
  const { written, after } = await writeTexts(tableOf(io, options), texts, options.dryRun === true);
  const locales = new Set(texts.map(({ locale }) => locale));
  const missing = [...applyTexts(builtInLanguages, after).missing].filter(([locale]) => locales.has(locale));
  const unchanged = texts.length - written;
  if (options.json === true) return printJson(io, { written, unchanged, missing: Object.fromEntries(missing) });
  const note = options.dryRun === true ? ' (dry run: nothing was written)' : `. ${soon}`;
  io.out(`Written: ${count(written, 'text')}, unchanged: ${unchanged}${note}\n`);
  for (const [locale, names] of missing) {
    if (names.length > 0) io.out(`Missing in ${locale}, so in English: ${names.join(', ')}\n`);
  }
}

async function checkTexts(io: Io, locale: string | undefined, options: CommonOptions): Promise<void> {
  const tag = optionalTag(locale);
  const own = await readTexts(tableOf(io, options));
  const applied = applyTexts(builtInLanguages, own); // all, since pt-BR is based on pt
  const refused = applied.refused.filter(isIn(tag));
  const allMissing = [...applied.missing].flatMap(([each, names]) => names.map((name) => ({ locale: each, name })));
  const missing = allMissing.filter(isIn(tag));
  const notes = notesOn(applied, own).filter(isIn(tag));
  if (tag !== undefined && !applied.catalog.has(tag)) {
    throw new CliError(
      `There are no texts in ${tag}. \`npm run site -- texts export ${tag} --all\` starts a translation.`,
    );
  }
  if (options.json === true) printJson(io, { refused, missing, notes });
  else {
    for (const { locale: each, name, problem } of refused) io.out(`${each} ${name} ${problem}: it is not used\n`);
    for (const { locale: each, name } of missing) io.out(`${each} ${name} is missing: it is in English\n`);
    for (const { locale: each, name, note } of notes) io.out(`${each} ${name} ${note}\n`);
  }
  if (refused.length + missing.length > 0) {
    throw new CliError(`Refused: ${refused.length}, missing: ${missing.length}.`);
  }
  if (options.json !== true)
    io.out(`${count(own.filter(isIn(tag)).length, 'text')}: none is refused, and none is missing.\n`);
}

/** What a translator may have overlooked. */
function notesOn({ catalog, missing }: AppliedTexts, own: readonly TextOverride[]) {
  const english = flattenMessages(messagesFor('en'));
  const same = own
    .filter(({ locale, name, text }) => missing.has(locale) && english.get(name) === text)
    .map(({ locale, name }) => ({ locale, name, note: 'is the same as in English' }));
  // WCAG 2.5.3: who speaks to a computer says what is on the button.
  const labels = [...new Set(own.map(({ locale }) => canonicalTag(locale, builtInLanguages) ?? ''))].flatMap(
    (locale) => {
      const texts = catalog.get(locale)?.newPassword;
      if (texts === undefined) return [];
      return (['show', 'hide'] as const)
        .filter((button) => !texts[`${button}Label`].toLowerCase().includes(texts[button].toLowerCase()))
        .map((button) => ({
          locale,
          name: `newPassword.${button}Label`,
          note: `lacks the words of newPassword.${button}`,
        }));
    },
  );
  return [...same, ...labels];
}
