// The rows of the table SiteTexts and files of texts, as the commands read and write them. A text is checked by the rules that the
// app reads it by, before it is written.
import * as z from 'zod';
import { builtInLanguages } from '../../shared/locales';
import { canonicalTag, messageNames, textProblem, type TextOverride } from '../../shared/locales/overrides';
import { updateRow } from '../../shared/storage/storage';
import { CliError } from '../support/errors';
import { printable } from '../support/output';
import type { Call } from '../support/program';
import { nearestOf, readInput } from '../support/settings';
import type { openSite } from './siteRow';

/** The canonical tag of a language that exists. `english` is a well-formed tag, too, but no browser asks for it. */
export function requireTag(locale: string): string {
  const tag = canonicalTag(locale, builtInLanguages);
  const names = new Intl.DisplayNames('en', { type: 'language', fallback: 'none' });
  if (tag === undefined || names.of(new Intl.Locale(tag).language) === undefined) {
    throw new CliError(`${printable(locale)} is not a language tag such as it or pt-BR.`, 2);
  }
  return tag;
}

export const isIn =
  (locale: string | undefined) =>
  ({ locale: tag }: { readonly locale: string }): boolean =>
    locale === undefined || canonicalTag(tag, builtInLanguages) === locale;

/** @throws CliError that names every bad text */
export function requireGood(texts: readonly TextOverride[]): void {
  const problems = texts.flatMap(({ locale, name, text }) => {
    const problem = textProblem(locale, name, text);
    return problem === undefined ? [] : [`  ${locale} ${printable(name)} ${problem}${hintFor(locale, name)}`];
  });
  if (problems.length > 0) throw new CliError(['Refused; nothing was written:', ...problems].join('\n'));
}

function hintFor(locale: string, name: string): string {
  const names = messageNames(locale);
  if (names.includes(name)) return '';
  const nearest = nearestOf(name, names, 5);
  return nearest === undefined ? ': `npm run site -- texts list en --all` lists the names' : `: is ${nearest} meant?`;
}

/** Writes what differs. A row that the portal has under the same tag in other letter case is changed, not joined by a second one. */
export async function writeTexts(
  { rows, texts: table }: ReturnType<typeof openSite>,
  texts: readonly TextOverride[],
  isDryRun: boolean,
): Promise<{ written: number; after: TextOverride[] }> {
  const after = [...(await rows.readTexts(Infinity))];
  let written = 0;
  for (const text of texts) {
    // The last one counts.
    const index = after.findLastIndex((row) => row.name === text.name && isIn(text.locale)(row));
    const there = after[index];
    if (there?.text === text.text) continue;
    const { locale } = there ?? text;
    after.splice(index < 0 ? after.length : index, 1, { ...text, locale });
    written += 1;
    if (isDryRun) continue;
    const decision = { columns: { text: text.text }, result: undefined };
    const updated = await updateRow(table, locale, text.name, () => decision);
    if (updated.outcome === 'contended') {
      throw new CliError(`Others keep changing ${locale} ${text.name}. Written before it: ${written - 1}. Try again.`);
    }
  }
  return { written, after };
}

const fileSchema = z.record(z.string(), z.record(z.string(), z.string()));

/** @param file JSON `{locale: {name: text}}`; `-` is standard input. @throws CliError that names every bad text */
export async function readTextsFile(call: Call, file: string): Promise<TextOverride[]> {
  const content = (await readInput(call, file)).toString('utf8');
  let json: unknown;
  try {
    json = JSON.parse(content.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new CliError(`${file} is not JSON: ${error instanceof Error ? error.message : ''}`);
  }
  const { success, data, error } = fileSchema.safeParse(json);
  if (!success) throw new CliError(`${file} is not {locale: {name: text}}:\n${z.prettifyError(error)}`);
  const texts = Object.entries(data).flatMap(([locale, named]) => {
    const tag = requireTag(locale);
    return Object.entries(named).map(([name, text]) => ({ locale: tag, name, text }));
  });
  requireGood(texts);
  return texts;
}
