// The languages there are, and which one a reader gets. A new language is one file and one line here.
import { de } from './de';
import { en } from './en';
import { es } from './es';
import { fr } from './fr';
import { ja } from './ja';
import type { Messages } from './messages';
import { zhHans } from './zhHans';

/** Languages by BCP 47 tag. */
export type Catalog = ReadonlyMap<string, Messages>;

export const builtInLanguages: Catalog = new Map(
  [en, fr, de, es, zhHans, ja].map((messages) => [messages.locale, messages]),
);

/** The messages that serve a tag best; English if there are none in its language. */
export const messagesFor = (tag: string, catalog: Catalog = builtInLanguages): Messages =>
  catalog.get(findLocale(tag, catalog) ?? 'en') ?? en;

/**
 * The tag of `catalog` that serves `tag` best: the same tag in any letter case, else the same language in the same script
 * (`fr-CA` → `fr`, `zh-CN` → `zh-Hans`, but not `zh-TW`). The scripts come from the platform's CLDR data.
 * @returns undefined for a malformed tag and for a language that is not there
 */
export function findLocale(tag: string, catalog: Catalog = builtInLanguages): string | undefined {
  const locales = [...catalog.keys()];
  const same = locales.find((locale) => locale.toLowerCase() === tag.toLowerCase());
  if (same !== undefined) return same;
  const wanted = languageAndScript(tag);
  return wanted === undefined ? undefined : locales.find((locale) => scriptOfCatalog(locale) === wanted);
}

/** Kept for the tags of catalogs, which are few; the tags that are asked for are anybody's. */
const kept = new Map<string, string | undefined>();

function scriptOfCatalog(locale: string): string | undefined {
  if (!kept.has(locale)) kept.set(locale, languageAndScript(locale));
  return kept.get(locale);
}

function languageAndScript(tag: string): string | undefined {
  try {
    const { language, script } = new Intl.Locale(tag).maximize();
    return `${language}-${script ?? ''}`;
  } catch {
    return undefined;
  }
}

/** Browsers send a handful of ranges; each costs a look-up. */
const maxRanges = 10;
const maxHeaderChars = 500;

/**
 * The language that the browser prefers among those of `catalog`.
 * @param acceptLanguage the header's value: `fr-CH, fr;q=0.9, en;q=0.8, *;q=0.5` (RFC 9110 §12.5.4)
 * @returns undefined when none of the preferred languages is there: then the site's language is used
 */
export function acceptedLocale(acceptLanguage: string | null, catalog: Catalog = builtInLanguages): string | undefined {
  if (!acceptLanguage) return undefined;
  const ranges = acceptLanguage.slice(0, maxHeaderChars).split(',').slice(0, maxRanges).map(readRange);
  const preferred = ranges.filter(({ weight }) => weight > 0).sort((a, b) => b.weight - a.weight);
  for (const { tag } of preferred) {
    const found = findLocale(tag, catalog);
    if (found !== undefined) return found;
  }
  return undefined;
}

function readRange(range: string): { tag: string; weight: number } {
  const [tag = '', ...parameters] = range.split(';').map((part) => part.trim());
  const quality = parameters.map((parameter) => /^q=([01](?:\.\d{0,3})?)$/i.exec(parameter)?.[1]).find(Boolean);
  return { tag, weight: Number(quality ?? 1) };
}
