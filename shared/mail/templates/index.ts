// Which languages there are, and which of them a tag gets. A new language is one file and one line here.
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fr } from './fr';
import { ja } from './ja';
import type { MailWords } from './mailWords';
import { zhHans } from './zhHans';

/** Every language, by its BCP 47 tag. */
export const mailWordsByLocale: ReadonlyMap<string, MailWords> = new Map(
  [en, fr, de, es, zhHans, ja].map((words) => [words.locale, words]),
);

/** Language and script of a tag, the script as CLDR's likely subtags have it (`zh-TW` → `zh-Hant`), or nothing for a malformed one. */
function languageAndScript(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script ?? ''}`;
  } catch {
    return undefined;
  }
}

/**
 * The available tag that serves `tag` best: itself in any letter case, else the same language in the same script
 * (`fr-CA` → `fr`, `zh-CN` → `zh-Hans`, but `zh-TW` does not), else `en`. Malformed tags get `en`.
 */
export function resolveLocale(tag: string, available: readonly string[] = [...mailWordsByLocale.keys()]): string {
  const exact = available.find((candidate) => candidate.toLowerCase() === tag.toLowerCase());
  if (exact !== undefined) return exact;
  const wanted = languageAndScript(tag);
  return available.find((candidate) => wanted !== undefined && languageAndScript(candidate) === wanted) ?? 'en';
}

/** The words for a tag, by resolveLocale. */
export function mailWords(tag: string): MailWords {
  return mailWordsByLocale.get(resolveLocale(tag)) ?? en;
}
