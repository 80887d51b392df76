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
import { CliError } from '../support/errors';
import { count, print, tableOf } from '../support/output';
import { addCommand, type Call, type Io } from '../support/program';
import { openSite } from './siteRow';
import { isIn, readTextsFile, requireGood, requireTag, writeTexts } from './textsTable';

type Writing = Call<{ readonly dryRun?: true }>;
type Reading = Call<{ readonly all?: true }>;

const soon = 'Takes effect within a minute.';

export function addTextCommands(program: Command, io: Io): void {
  const texts = program
    .command('texts')
    .description("sentences of mails and pages in the site's own words, and languages added as data");
  const withDryRun = (command: Command): Command => command.option('--dry-run', 'check the texts and change nothing');
  const withAll = (command: Command, what: string): Command => command.option('--all', what);
  const listing = addCommand(texts, io, 'list [locale]', "list the site's own texts", listTexts);
  withAll(listing, 'list every text that mails and pages use, with its name');
  const setting = 'replace one text: set en passwordReset.thanks "See you soon!"';
  withDryRun(addCommand(texts, io, 'set <locale> <name> <text>', setting, setText));
  const unsetting = addCommand(texts, io, 'unset <locale> [name]', 'go back to the built-in text', unsetTexts);
  withAll(unsetting, 'for every text of the language');
  const exporting = addCommand(texts, io, 'export [locale]', "print the site's own texts as JSON", exportTexts);
  withAll(exporting, 'print every text, for translation: in English where the language lacks it');
  const importing = 'write the texts of a JSON file {locale: {name: text}}, or of "-", standard input';
  withDryRun(addCommand(texts, io, 'import <file>', importing, importTexts));
  addCommand(texts, io, 'check [locale]', 'name each text that is refused, missing or still in English', checkTexts);
}

const optionalTag = (locale: string | undefined): string | undefined =>
  locale === undefined ? undefined : requireTag(locale);

/** The site's own texts, or with `--all` every text in use. */
async function selectTexts(call: Reading, locale: string | undefined): Promise<TextOverride[]> {
  const wanted = isIn(optionalTag(locale));
  const own = await openSite(call).rows.readTexts(Infinity);
  const texts = call.options.all === true ? textsInUse(applyTexts(builtInLanguages, own).catalog, locale) : own;
  return texts.filter(wanted);
}

async function listTexts(call: Reading, locale?: string): Promise<void> {
  const selected = await selectTexts(call, locale);
  const texts = selected.map(({ locale: each, name, text }) => {
    const { refused } = applyTexts(builtInLanguages, [{ locale: each, name, text }]);
    return { locale: each, name, text, problem: refused[0]?.problem };
  });
  const rows = texts.map((row) => {
    const shown = row.problem === undefined ? row.text.replaceAll('\n', ' ') : `(not used: ${row.problem})`;
    return [row.locale, row.name, shown];
  });
  const none = 'There are no texts of the site’s own. `npm run site -- texts list --all` lists the built-in ones.\n';
  print(call, texts, rows.length === 0 ? none : tableOf(['locale', 'name', 'text'], rows));
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

async function setText(call: Writing, locale: string, name: string, text: string): Promise<void> {
  const dryRun = call.options.dryRun === true;
  const row = { locale: requireTag(locale), name, text };
  requireGood([row]);
  const { written } = await writeTexts(openSite(call), [row], dryRun);
  const done = dryRun ? 'The text is good (dry run: nothing was written).' : `Written. ${soon}`;
  print(call, { ...row, changed: written > 0 }, `${written === 0 ? 'This is the text already.' : done}\n`);
}

async function unsetTexts(call: Reading, locale: string, name?: string): Promise<void> {
  if ((name === undefined) !== (call.options.all === true)) throw new CliError('Give either a name or --all.', 2);
  const { rows: site, texts } = openSite(call);
  // As the table has it, too: a row with a malformed tag must be removable.
  const tag = canonicalTag(locale, builtInLanguages);
  const rows = (await site.readTexts(Infinity)).filter(
    (row) => (row.locale === locale || (tag !== undefined && isIn(tag)(row))) && (name ?? row.name) === row.name,
  );
  for (const row of rows) await texts.remove(row.locale, row.name, '*');
  const done = `Removed ${count(rows.length, 'text')}. ${soon}\n`;
  print(call, { removed: rows.length }, rows.length === 0 ? 'There is no such text.\n' : done);
}

async function exportTexts(call: Reading, locale?: string): Promise<void> {
  const byLocale: Record<string, Record<string, string>> = {};
  for (const { locale: each, name, text } of await selectTexts(call, locale)) {
    byLocale[each] = { ...byLocale[each], [name]: text };
  }
  call.out(`${JSON.stringify(byLocale, undefined, 2)}\n`);
}

async function importTexts(call: Writing, file: string): Promise<void> {
  const dryRun = call.options.dryRun === true;
  const texts = await readTextsFile(call, file);
  const { written, after } = await writeTexts(openSite(call), texts, dryRun);
  const locales = new Set(texts.map(({ locale }) => locale));
  const missing = [...applyTexts(builtInLanguages, after).missing].filter(([locale]) => locales.has(locale));
  const unchanged = texts.length - written;
  const note = dryRun ? ' (dry run: nothing was written)' : `. ${soon}`;
  const lines = [`Written: ${count(written, 'text')}, unchanged: ${unchanged}${note}`];
  for (const [locale, names] of missing) {
    if (names.length > 0) lines.push(`Missing in ${locale}, so in English: ${names.join(', ')}`);
  }
  print(call, { written, unchanged, missing: Object.fromEntries(missing) }, `${lines.join('\n')}\n`);
}

async function checkTexts(call: Call, locale?: string): Promise<void> {
  const tag = optionalTag(locale);
  const own = await openSite(call).rows.readTexts(Infinity);
  const applied = applyTexts(builtInLanguages, own); // all, since pt-BR is based on pt
  const refused = applied.refused.filter(isIn(tag));
  const allMissing = [...applied.missing].flatMap(([each, names]) => names.map((name) => ({ locale: each, name })));
  const missing = allMissing.filter(isIn(tag));
  const notes = notesOn(applied, own).filter(isIn(tag));
  if (tag !== undefined && !applied.catalog.has(tag)) {
    throw new CliError(`There are no texts in ${tag}. \`site texts export ${tag} --all\` starts a translation.`);
  }
  const isGood = refused.length + missing.length === 0;
  const lines = [
    ...refused.map(({ locale: each, name, problem }) => `${each} ${name} ${problem}: it is not used`),
    ...missing.map(({ locale: each, name }) => `${each} ${name} is missing: it is in English`),
    ...notes.map(({ locale: each, name, note }) => `${each} ${name} ${note}`),
  ];
  if (isGood) lines.push(`${count(own.filter(isIn(tag)).length, 'text')}: none is refused, and none is missing.`);
  print(call, { refused, missing, notes }, `${lines.join('\n')}\n`);
  if (!isGood) throw new CliError(`Refused: ${refused.length}, missing: ${missing.length}.`);
}

/** What a translator may have overlooked. */
function notesOn({ catalog, missing }: AppliedTexts, own: readonly TextOverride[]) {
  const english = flattenMessages(messagesFor('en'));
  const same = own
    .filter(({ locale, name, text }) => missing.has(locale) && english.get(name) === text)
    .map(({ locale, name }) => ({ locale, name, note: 'is the same as in English' }));
  // WCAG 2.5.3: who speaks to a computer says what is on the button.
  const locales = [...new Set(own.map(({ locale }) => canonicalTag(locale, builtInLanguages) ?? ''))];
  const labels = locales.flatMap((locale) => {
    const texts = catalog.get(locale)?.newPassword;
    if (texts === undefined) return [];
    return (['show', 'hide'] as const)
      .filter((name) => !texts[`${name}Label`].toLowerCase().includes(texts[name].toLowerCase()))
      .map((name) => ({ locale, name: `newPassword.${name}Label`, note: `lacks the words of newPassword.${name}` }));
  });
  return [...same, ...labels];
}
