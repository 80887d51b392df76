// A site's own sentences, and languages added as data: laid over the built-in messages one by one. A bad one is refused, and the
// built-in sentence stays. No override can add HTML, a link, or a template that fails.
import { findLocale, type Catalog } from './index';
import { en } from './en';
import type { Messages } from './messages';

/** One sentence of a site. */
export interface TextOverride {
  /** BCP 47 tag; with a new one a new language begins. */
  readonly locale: string;
  /** The path of a message: `passwordReset.thanks`. */
  readonly name: string;
  readonly text: string;
}

/** Never holds the text. */
export interface RefusedText {
  readonly locale: string;
  readonly name: string;
  readonly problem: string;
}

export interface AppliedTexts {
  readonly catalog: Catalog;
  readonly refused: readonly RefusedText[];
  /** Of each added language: the messages that it lacks, which are in English. `de-CH` lacks none, since it is based on `de`. */
  readonly missing: ReadonlyMap<string, readonly string[]>;
}

/** Lays overrides over a catalog, which stays as it is. Of two for one message the last one counts. */
export function applyTexts(builtIn: Catalog, overrides: readonly TextOverride[]): AppliedTexts {
  const refused: RefusedText[] = [];
  if (overrides.length > maxTexts) {
    refused.push({
      locale: '?',
      name: '?',
      problem: `and all after it are ignored: there are more than ${maxTexts} texts`,
    });
  }
  const textsByLocale = new Map<string, Map<string, string>>();
  for (const { locale, name, text } of overrides.slice(0, maxTexts)) {
    const tag = canonicalTag(locale, builtIn);
    const problem = tag === undefined ? 'is for no language tag' : textProblem(tag, name, text);
    if (tag === undefined || problem !== undefined) {
      refused.push({ locale: shown(locale), name: shown(name), problem: problem ?? '' });
      continue;
    }
    const texts = textsByLocale.get(tag) ?? new Map<string, string>();
    textsByLocale.set(tag, texts.set(name, text.replace(placeholder, '{{$1}}')));
  }
  const catalog = new Map(builtIn);
  const missing = new Map<string, string[]>();
  // `pt` before `pt-BR`, which is based on it.
  for (const [locale, texts] of [...textsByLocale].sort(([a], [b]) => a.length - b.length)) {
    const base = catalog.get(findLocale(locale, catalog) ?? '');
    if (base === undefined)
      missing.set(
        locale,
        messageNames(locale).filter((name) => !texts.has(name)),
      );
    catalog.set(locale, { ...withTexts(base ?? en, locale, texts), locale, dir: base?.dir ?? directionOf(locale) });
  }
  return { catalog, refused, missing };
}

/** The names of all messages in a language, with the plural forms that it has. */
export function messageNames(locale: string): string[] {
  const names = [...english.keys()].filter((name) => !name.startsWith(pluralMessage));
  return [...names, ...pluralForms(locale).map((form) => pluralMessage + form)];
}

/** Name → text, without `locale` and `dir`. */
export const flattenMessages = (messages: Messages): Map<string, string> =>
  new Map(leaves(messages).filter(([name]) => name !== 'locale' && name !== 'dir'));

const english = flattenMessages(en);

function leaves(node: object, prefix = ''): [string, string][] {
  return Object.entries(node).flatMap(([key, value]: [string, unknown]): [string, string][] =>
    typeof value === 'object' && value !== null ? leaves(value, `${prefix}${key}.`) : [[prefix + key, String(value)]],
  );
}

const pluralMessage = 'newPassword.missing.';
/** The numbers of characters that may be missing. */
const counts = Array.from({ length: 128 }, (_, index) => index + 1);

function pluralForms(locale: string): string[] {
  const rules = new Intl.PluralRules(locale);
  return [...new Set([...counts.map((count) => rules.select(count)), 'other'])];
}

export const maxTextChars = 2000;
/** All sentences in fifty languages. */
export const maxTexts = 4000;

const placeholder = /\{\{\s*(\w+)\s*\}\}/g;
// Line feeds are allowed: the text part of a mail keeps them. Invisible characters that reorder text are not.
const controlCharacter = /(?!\n)[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/u;
const markup = /<|&(?:#|\w+;)/;
/** What a mail client could make a link of; addresses at the example domains of RFC 2606 are none. */
const link =
  /:\/\/|\bwww\.|\b(?:mailto|javascript|data):|[\p{L}\p{N}-][.．][\p{L}\p{N}-]+\/|[\p{L}\p{N}-]{2}[.．]\p{L}{2,}/iu;
const exampleDomain = /\bexample\.(?:com|net|org)\b/g;

/** What is wrong with a text for a message, in words for the operator. @returns undefined if nothing is */
export function textProblem(locale: string, name: string, text: string): string | undefined {
  if (text.length > maxTextChars) return `has more than ${maxTextChars} characters`;
  if (!messageNames(locale).includes(name)) return 'is for no message';
  if (text.trim() === '') return 'is empty';
  if (controlCharacter.test(text)) return 'has control characters';
  if (markup.test(text)) return 'has HTML';
  const [expected, used] = [namesIn(english.get(name) ?? '{{count}}'), namesIn(text)]; // every plural form counts
  const lacking = expected.filter((each) => !used.includes(each));
  if (lacking.length > 0) return `lacks ${lacking.map((each) => `{{${each}}}`).join(', ')}`;
  if (used.some((each) => !expected.includes(each))) return 'has a placeholder that this message does not know';
  const rest = text.replace(placeholder, ' ');
  if (/[{}]/.test(rest)) return 'has braces that are no placeholder';
  if (link.test(rest.replace(exampleDomain, ' '))) return 'has a link';
  return undefined;
}

const namesIn = (text: string): string[] => [...text.matchAll(placeholder)].map(([, name = '']) => name);

/** The built-in tag that differs in letter case only, else the canonical form. @returns undefined for a malformed tag */
export function canonicalTag(tag: string, builtIn: Catalog): string | undefined {
  try {
    const canonical = new Intl.Locale(tag).baseName;
    if (canonical.length > 35) return undefined; // what a queue message can hold
    return [...builtIn.keys()].find((locale) => locale.toLowerCase() === canonical.toLowerCase()) ?? canonical;
  } catch {
    return undefined;
  }
}

const rightToLeft = new Set(['Adlm', 'Arab', 'Hebr', 'Mand', 'Nkoo', 'Rohg', 'Samr', 'Syrc', 'Thaa']);

const directionOf = (locale: string): 'ltr' | 'rtl' =>
  rightToLeft.has(new Intl.Locale(locale).maximize().script ?? '') ? 'rtl' : 'ltr';

/** A key or a tag as an event may show it. */
const shown = (key: string): string => (/^[\w.-]{1,100}$/.test(key) ? key : '?');

function withTexts(base: Messages, locale: string, texts: ReadonlyMap<string, string>): Messages {
  const replaced = replaceTexts(base, texts);
  const missing = { ...replaced.newPassword.missing };
  for (const form of pluralForms(locale)) {
    const text = texts.get(pluralMessage + form);
    if (text !== undefined) Object.assign(missing, { [form]: text });
  }
  return { ...replaced, newPassword: { ...replaced.newPassword, missing } };
}

function replaceTexts<T extends object>(node: T, texts: ReadonlyMap<string, string>, prefix = ''): T {
  const entries = Object.entries(node).map(([key, value]: [string, unknown]) => {
    const isGroup = typeof value === 'object' && value !== null;
    return [key, isGroup ? replaceTexts(value, texts, `${prefix}${key}.`) : (texts.get(prefix + key) ?? value)];
  });
  return Object.fromEntries(entries) as T; // the same keys, and texts for texts
}
