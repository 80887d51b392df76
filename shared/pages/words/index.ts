// Which languages the pages have, and which one a visitor gets. A new language is one file and one line here.
import { resolveLocale } from '../../mail/templates';
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fr } from './fr';
import { ja } from './ja';
import type { PageWords } from './pageWords';
import { zhHans } from './zhHans';

/** Every language, by its BCP 47 tag: the same as the mails have. */
export const pageWordsByLocale: ReadonlyMap<string, PageWords> = new Map(
  [en, fr, de, es, zhHans, ja].map((words) => [words.locale, words]),
);

const available = [...pageWordsByLocale.keys()];

/** The words for a tag, by resolveLocale: English for a language that is not there. */
export function pageWords(tag: string): PageWords {
  return pageWordsByLocale.get(resolveLocale(tag, available)) ?? en;
}

/** A browser sends a handful; each costs a look-up. */
const maxRanges = 10;
const maxHeaderChars = 500;

/**
 * The language the browser asks for, among those we have.
 * @param acceptLanguage the header's value: `fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5` (RFC 9110 §12.5.4)
 * @returns a tag of ours, or undefined when none of the wanted languages is there: then the site's counts
 */
export function acceptedLocale(acceptLanguage: string | null): string | undefined {
  const wanted = (acceptLanguage ?? '').slice(0, maxHeaderChars).split(',').slice(0, maxRanges).map(readRange);
  const best = wanted.filter(({ tag, weight }) => tag !== '*' && weight > 0).sort((a, b) => b.weight - a.weight);
  for (const { tag } of best) {
    const found = resolveLocale(tag, available);
    // resolveLocale answers `en` for what is not there.
    if (found !== en.locale || /^en(?:-|$)/i.test(tag)) return found;
  }
  return undefined;
}

function readRange(range: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
  const quality = parameters.map((parameter) => /^q=([01](?:\.\d{0,3})?)$/i.exec(parameter)?.[1]).find(Boolean);
  return { tag, weight: tag === '' ? 0 : Number(quality ?? 1) };
}
