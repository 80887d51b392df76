// Every page in every state, for what must hold for all of them: size, accessibility, width, no text missing.
import type { Answer } from '../../shared/http/answer';
import * as pages from '../../shared/pages/pages';
import { pageWords } from '../../shared/pages/words';

/** The shape and length of a real key. */
export const sampleKey = `${'e'.repeat(60)}.${'f'.repeat(138)}.${'g'.repeat(43)}`;

/** Long names, which must not break a layout. */
const longNames = {
  name: 'Rechtsschutzversicherungsgesellschaften der Freien und Hansestadt',
  username: 'donaudampfschifffahrtsgesellschaftskapitaen.oberhausen@somewhere',
} as const;

const codalab = {
  name: 'CodaLab',
  contactEmail: 'info@codalab.org',
  loginUrl: 'http://codalab.org/accounts/login/',
} as const;

const context = (locale: string, name: string = codalab.name): pages.PageContext => ({
  words: pageWords(locale),
  site: { ...codalab, name },
});
const neutral = (locale: string): pages.PageContext => ({ words: pageWords(locale), site: undefined });
const live = { key: sampleKey, username: 'someuser', minLength: 15 } as const;

/** By name: renders the state in a language. */
export const pageStates: Readonly<Record<string, (locale: string) => Answer>> = {
  ask: (locale) => pages.askPage(context(locale)),
  'ask, nothing typed': (locale) => pages.askPage(context(locale), { typed: '', problem: 'missing' }),
  'ask, no address': (locale) => pages.askPage(context(locale), { typed: 'someuser@', problem: 'malformed' }),
  sent: (locale) => pages.sentPage(context(locale), 60),
  'new password': (locale) => pages.newPasswordPage(context(locale), live),
  'new password, long names': (locale) =>
    pages.newPasswordPage(context(locale, longNames.name), { ...live, username: longNames.username }),
  ...Object.fromEntries(
    (['missing', 'mismatch', 'too_short', 'too_long', 'malformed', 'too_common', 'about_you', 'breached'] as const).map(
      (problem) => [
        `new password, ${problem}`,
        (locale: string) => pages.newPasswordPage(context(locale), { ...live, problem }),
      ],
    ),
  ),
  'password set': (locale) => pages.passwordSetPage(context(locale)),
  'expired link': (locale) => pages.deadLinkPage(context(locale), sampleKey, 'expired_key'),
  'used link': (locale) => pages.deadLinkPage(context(locale), sampleKey, 'used_key'),
  'invalid link': (locale) => pages.invalidLinkPage(context(locale)),
  unreadable: (locale) => pages.problemPage(context(locale), 'unreadableForm'),
  'cross-site': (locale) => pages.problemPage(context(locale), 'crossSite'),
  'not found': (locale) => pages.problemPage(context(locale), 'notFound'),
  'too many requests': (locale) => pages.problemPage(context(locale), 'tooManyRequests', 45),
  'internal error': (locale) => pages.problemPage(neutral(locale), 'internalError'),
  unavailable: (locale) => pages.problemPage(neutral(locale), 'unavailable', 10),
};
