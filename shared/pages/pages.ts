// Every page a person sees, as pure functions: what is to be said in, an answer out. Nothing here knows a request or storage, and
// a password never gets here.
import Mustache from 'mustache';
import { commonHeaders, type Answer } from '../http/message';
import { readLogo, type SiteLook } from '../look';
import type { Messages } from '../locales/messages';
import { maxPasswordCodePoints, type PasswordProblemCode } from '../password/passwordRules';
import { mailboxAddress, type Site } from '../site';
import { contents, contentSecurityPolicy, layout } from './layout';
import { pageStyle } from './style';

/** The paths that CodaLab's Django always had. Every redirect and form is built from these only. */
export const paths = {
  forgotPassword: '/accounts/password/reset/',
  checkInbox: '/accounts/password/reset/done/',
  /** Followed by the reset key and a slash. */
  newPassword: '/accounts/password/reset/key/',
  passwordSet: '/accounts/password/reset/key/done/',
} as const;

/** For whom and for which site. */
export interface PageContext {
  readonly messages: Messages;
  /** Undefined when there is no good site row: a neutral page. */
  readonly site: (Pick<Site, 'name' | 'contactEmail' | 'loginUrl'> & SiteLook) | undefined;
}

/** A page that still lacks its language and its site, which are looked up once per call. */
export type Page = (context: PageContext) => Answer;

interface PageParts {
  readonly status: number;
  readonly title: string;
  /** The window's title names the mistake first. */
  readonly hasError?: boolean | undefined;
  /** Set where the address bar may show a reset key. */
  readonly keylessPath?: string | undefined;
  readonly icon?: keyof typeof icons | undefined;
  readonly content: keyof typeof contents;
  readonly view: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** One stroke each, on a grid of 24. */
const icons = {
  mail: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5zM3.5 7l8.5 6.5L20.5 7',
  done: 'M5 12.5l4.5 4.5L19 7.5',
  clock: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7.5v5l3 2',
  link: 'M10 7H8a5 5 0 0 0 0 10h2M14 7h2a5 5 0 0 1 3.5 8.5M4 4l16 16',
  note: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7.5v5.5M12 16.300v.1',
} as const;

function renderPage({ messages, site }: PageContext, page: PageParts): Answer {
  const title = page.hasError === true ? fill(messages.page.errorTitle, { title: page.title }) : page.title;
  const style = pageStyle(site?.brandColor);
  const view = {
    ...page.view,
    invalid: String(page.hasError === true),
    locale: messages.locale,
    dir: messages.dir,
    title: page.title,
    windowTitle: site === undefined ? title : `${title} · ${site.name}`,
    siteName: site?.name,
    logo: site?.logo === undefined ? undefined : readLogo(site.logo),
    style,
    keylessPath: page.keylessPath,
    icon: page.icon && icons[page.icon],
    contact: contactOf(messages, site?.contactEmail),
  };
  return {
    status: page.status,
    headers: {
      ...commonHeaders,
      'Content-Security-Policy': contentSecurityPolicy(style),
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': messages.locale,
      ...page.headers,
    },
    body: Mustache.render(layout, view, { content: contents[page.content] }),
  };
}

/** One sentence as plain text; the page's template escapes it. */
const fill = (message: string, view: Readonly<Record<string, string>>): string =>
  Mustache.render(message, view, {}, { escape: String });

function contactOf(messages: Messages, mailbox: string | undefined) {
  const address = mailbox === undefined ? undefined : mailboxAddress(mailbox);
  if (address === undefined) return undefined;
  return { help: messages.page.help, address, href: `mailto:${encodeURIComponent(address).replace('%40', '@')}` };
}

/** The link to the site's log-in page; the site row may hold any URL in development. */
function logInOf({ messages, site }: PageContext) {
  return site?.loginUrl !== undefined && /^https?:\/\//i.test(site.loginUrl)
    ? { url: site.loginUrl, label: messages.page.logIn }
    : undefined;
}

const numberIn = (locale: string, count: number): string => new Intl.NumberFormat(locale).format(count);

/** A time span as the language writes it: `1 hour`, `90 minutes`, `45 seconds`. Rounded up. */
function durationIn(locale: string, seconds: number): string {
  const [value, unit] =
    seconds % 3600 === 0
      ? [seconds / 3600, 'hour']
      : seconds >= 60
        ? [Math.ceil(seconds / 60), 'minute']
        : [seconds, 'second'];
  return new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

/** Asks for the address. 200, or 400 with the mistake beside the field, which shows what was typed. */
export const forgotPasswordPage =
  (mistake?: { readonly typed: string; readonly problem: 'missing' | 'malformed' }): Page =>
  (context) => {
    const { title, intro, email, button, ...problems } = context.messages.forgotPassword;
    const error = mistake === undefined ? undefined : problems[mistake.problem];
    const action = paths.forgotPassword;
    return renderPage(context, {
      status: mistake === undefined ? 200 : 400,
      title,
      hasError: mistake !== undefined,
      content: 'forgotPassword',
      view: { action, intro, email, button, error, typed: mistake?.typed, other: logInOf(context) },
    });
  };

/**
 * Says the same whether there is an account or not.
 * @param ttlMinutes how long a link works
 * @param email the address as it was typed into the form, never from storage
 */
export const checkInboxPage =
  (ttlMinutes: number, email?: string): Page =>
  (context) => {
    const { locale, checkInbox } = context.messages;
    const { title, text, textFor, validity, notArrived, again, change } = checkInbox;
    const works = fill(validity, { duration: durationIn(locale, ttlMinutes * 60) });
    const [before, ...rest] = textFor.split('{{email}}');
    const [user = '', host] = email?.split(/(?=@[^@]*$)/) ?? [];
    return renderPage(context, {
      status: 200,
      title,
      icon: 'mail',
      content: 'notice',
      view: {
        lead: email === undefined ? undefined : { before, user, host, after: rest.join(email) },
        paragraphs: email === undefined ? [text, works] : [works],
        asides: [notArrived],
        other: { url: paths.forgotPassword, label: email === undefined ? again : change },
      },
    });
  };

export type PasswordMistake = Exclude<PasswordProblemCode, 'site_rule'> | 'missing' | 'mismatch';

export interface NewPassword {
  /** A key that was found live. */
  readonly key: string;
  readonly username: string;
  readonly minLength: number;
  /** What was wrong with the last try. */
  readonly problem?: PasswordMistake | { readonly siteRule: string } | undefined;
}

/** The page behind the link. 200, or 422 with the mistake beside the field. */
export const newPasswordPage =
  ({ key, username, minLength, problem }: NewPassword): Page =>
  (context) => {
    const { locale, newPassword } = context.messages;
    const { title, username: usernameLabel, rule, missing, problems, ...rest } = newPassword;
    const limit = problem === 'too_long' ? maxPasswordCodePoints : minLength;
    const error =
      typeof problem === 'string' ? fill(problems[problem], { count: numberIn(locale, limit) }) : problem?.siteRule;
    return renderPage(context, {
      status: problem === undefined ? 200 : 422,
      title,
      hasError: problem !== undefined,
      keylessPath: paths.newPassword,
      content: 'newPassword',
      view: {
        ...rest,
        action: pathOf(key),
        usernameLabel,
        username,
        error,
        minLength,
        maxLength: maxPasswordCodePoints,
        rule: fill(rule, { count: numberIn(locale, minLength) }),
        missing: Object.entries(missing).map(([form, sentence]) => ({ form, sentence })),
      },
    });
  };

const pathOf = (key: string): string => `${paths.newPassword}${key}/`;

export const passwordSetPage: Page = (context) => {
  const { title, text } = context.messages.passwordSet;
  const view = { paragraphs: [text], next: logInOf(context) };
  return renderPage(context, { status: 200, title, icon: 'done', content: 'notice', view });
};

/** A link that was good once, with a button for a new one. 410. @param key a key that we really signed */
export const deadLinkPage =
  (key: string, reason: 'expired_key' | 'used_key'): Page =>
  (context) => {
    const { deadLink, expiredLink, usedLink } = context.messages;
    const { title, text } = reason === 'expired_key' ? expiredLink : usedLink;
    return renderPage(context, {
      status: 410,
      title,
      keylessPath: paths.newPassword,
      icon: reason === 'expired_key' ? 'clock' : 'link',
      content: 'deadLink',
      view: { text, action: pathOf(key), ...deadLink, other: logInOf(context) },
    });
  };

/** A link that is not ours, broken, or without an account. 400; the page does not say which. */
export const invalidLinkPage: Page = (context) => {
  const { title, text, button } = context.messages.invalidLink;
  const view = { paragraphs: [text], next: { url: paths.forgotPassword, label: button } };
  const keylessPath = paths.newPassword;
  return renderPage(context, { status: 400, title, keylessPath, icon: 'link', content: 'notice', view });
};

const problemStatus = {
  unreadable_form: 400,
  cross_site: 403,
  not_found: 404,
  form_too_large: 413,
  not_a_form: 415,
  too_many_requests: 429,
  internal_error: 500,
  unavailable: 503,
} as const;

export type PageProblem = keyof typeof problemStatus;

/** A page of its own for what went wrong. @param retryAfterSeconds for `Retry-After`, and in the text of the 429 page */
export const problemPage =
  (problem: PageProblem, retryAfterSeconds?: number): Page =>
  (context) => {
    const { messages } = context;
    const { title, text } =
      messages.problem[problem === 'form_too_large' || problem === 'not_a_form' ? 'unreadable_form' : problem];
    const duration = durationIn(messages.locale, retryAfterSeconds ?? 60);
    const next = { url: paths.forgotPassword, label: messages.page.startAgain };
    return renderPage(context, {
      status: problemStatus[problem],
      title,
      icon: 'note',
      content: 'notice',
      view: { paragraphs: [fill(text, { duration })], next },
      headers: retryAfterSeconds === undefined ? undefined : { 'Retry-After': String(retryAfterSeconds) },
    });
  };

/** After a form that did its work: to a page of ours, so that a reload repeats nothing. */
export function seeOther(path: (typeof paths)[keyof typeof paths]): Answer {
  return { status: 303, headers: { ...commonHeaders, Location: path }, body: '' };
}
