// Every page in every state, for what must hold for all of them: size, accessibility, width, no text missing.
import type { Answer } from '../../shared/http/message';
import { messagesFor } from '../../shared/locales';
import * as pages from '../../shared/pages/pages';

/** The shape and length of a real key. */
export const sampleKey = `${'e'.repeat(60)}.${'f'.repeat(138)}.${'g'.repeat(43)}`;

/** A PNG of 240 × 64 pixels. */
export const sampleLogo =
  'data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAPAAAABAAQMAAAAeUWikAAAABlBMVEUAAAAafzekzF9fAAAAAnRSTlMA/1uRIrUAAADNSURBVHja1dVRCoQgEAZgw4ceO0JH6Wh2tD2KR+jRB9lZB5RGmd+oYHcTQvIjqRx/jXl0W7vqqKeWyNe3FU9EocMzUeywo2qg5aS0Qh6YX5Ats4c8Mm+QJ+awDzc8M8ervJC39Ibs0kfzSMu55/VymHniJc2AOPLrYQ5GG879UP7YRfZf4vY6ZHvr6d/ydoOr9dZYVIvGotYUlpWq8l7nCstdorDcY+dZ7m+FSzoALtkCuCQT4JJriHMqIs6ZijgnMuImz0+eBkdnyZ+2D1rtB1318BSlAAAAAElFTkSuQmCC';

export const codalab = {
  name: 'CodaLab',
  contactEmail: 'info@codalab.org',
  loginUrl: 'http://codalab.org/accounts/login/',
} as const;

/** Which must not break a layout. */
export const longNames = {
  name: 'Rechtsschutzversicherungsgesellschaften der Freien und Hansestadt',
  username: 'donaudampfschifffahrtsgesellschaftskapitaen.oberhausen@somewhere',
} as const;

const live = { key: sampleKey, username: 'someuser', minLength: 15 } as const;
const withLongNames: pages.Page = (context) => {
  const { name, username } = longNames;
  return pages.newPasswordPage({ ...live, username })({ ...context, site: { ...codalab, name } });
};
const withLook =
  (page: pages.Page): pages.Page =>
  (context) =>
    page({ ...context, site: { ...codalab, brandColor: '#1a7f37', logo: sampleLogo } });
const withoutSite =
  (page: pages.Page): pages.Page =>
  (context) =>
    page({ ...context, site: undefined });

const mistakes: readonly pages.PasswordMistake[] = [
  ...(['missing', 'mismatch', 'too_short', 'too_long', 'malformed', 'too_common', 'about_you', 'breached'] as const),
];

export const pageStates: Readonly<Record<string, pages.Page>> = {
  'forgot password': pages.forgotPasswordPage(),
  'forgot password, missing': pages.forgotPasswordPage({ typed: '', problem: 'missing' }),
  'forgot password, malformed': pages.forgotPasswordPage({ typed: 'someuser@', problem: 'malformed' }),
  'check inbox': pages.checkInboxPage(60),
  'check inbox, address': pages.checkInboxPage(60, 'someuser@somewhere.com'),
  'check inbox, long address': pages.checkInboxPage(
    60,
    `${'a'.repeat(64)}@${'b'.repeat(63)}.${'c'.repeat(63)}.example`,
  ),
  'new password': pages.newPasswordPage(live),
  'new password, long names': withLongNames,
  ...Object.fromEntries(
    mistakes.map((problem) => [`new password, ${problem}`, pages.newPasswordPage({ ...live, problem })]),
  ),
  'new password, with a look': withLook(pages.newPasswordPage({ ...live, problem: 'too_short' })),
  'password set': pages.passwordSetPage,
  'expired link, with a look': withLook(pages.deadLinkPage(sampleKey, 'expired_key')),
  'expired link': pages.deadLinkPage(sampleKey, 'expired_key'),
  'used link': pages.deadLinkPage(sampleKey, 'used_key'),
  'invalid link': pages.invalidLinkPage,
  unreadable: pages.problemPage('unreadable_form'),
  'cross-site': pages.problemPage('cross_site'),
  'not found': pages.problemPage('not_found'),
  'too many requests': pages.problemPage('too_many_requests', 45),
  'internal error': withoutSite(pages.problemPage('internal_error')),
  unavailable: withoutSite(pages.problemPage('unavailable', 10)),
};

export const render = (page: pages.Page, locale = 'en'): Answer =>
  page({ messages: messagesFor(locale), site: codalab });
