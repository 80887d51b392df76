// Every page a person sees, as pure functions: what is to be said in, an answer out. Called by the page functions.
// Knows no request and no storage. A password never gets here.
import Mustache from 'mustache';
import { commonHeaders, type Answer } from '../http/answer';
import { maxPasswordCodePoints, type PasswordProblemCode } from '../password/passwordRules';
import { mailboxAddress, type Site } from '../site';
import { contents, contentSecurityPolicy, layout } from './layout';
import { askPath, keyPath } from './paths';
import type { Message, PageWords } from './words/pageWords';

/** For whom and for which site. */
export interface PageContext {
  readonly words: PageWords;
  /** Undefined when there is no good site row: a neutral page. */
  readonly site: Pick<Site, 'name' | 'contactEmail' | 'loginUrl'> | undefined;
}

interface Page {
  readonly status: number;
  readonly title: string;
  /** The window's title says that there is a mistake before it says anything else. */
  readonly hasError?: boolean;
  /** Set where the address bar may show a reset key. */
  readonly keylessPath?: string;
  readonly icon?: keyof typeof icons;
  readonly content: keyof typeof contents;
  readonly view: Readonly<Record<string, unknown>>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** One stroke each, on a grid of 24. */
const icons = {
  mail: 'M3 6.5A1.5 1.5 0 0 1 4.5 5h15A1.5 1.5 0 0 1 21 6.5v11a1.5 1.5 0 0 1-1.5 1.5h-15A1.5 1.5 0 0 1 3 17.5zM3.5 7l8.5 6.5L20.5 7',
  done: 'M5 12.5l4.5 4.5L19 7.5',
  clock: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7.5v5l3 2',
  link: 'M10 7H8a5 5 0 0 0 0 10h2M14 7h2a5 5 0 0 1 3.5 8.5M4 4l16 16',
  note: 'M12 3a9 9 0 1 0 0 18a9 9 0 0 0 0-18zM12 7.5v5.5M12 16.300v.1',
} as const;

function renderPage({ words, site }: PageContext, page: Page): Answer {
  const title = page.hasError === true ? say(words.shared.errorTitle, { title: page.title }) : page.title;
  const view = {
    ...page.view,
    invalid: String(page.hasError === true),
    locale: words.locale,
    dir: words.dir,
    title: page.title,
    windowTitle: site === undefined ? title : `${title} · ${site.name}`,
    siteName: site?.name,
    keylessPath: page.keylessPath,
    icon: page.icon && icons[page.icon],
    contact: contactOf(words, site?.contactEmail),
  };
  return {
    status: page.status,
    headers: {
      ...commonHeaders,
      'Content-Security-Policy': contentSecurityPolicy,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Language': words.locale,
      ...page.headers,
    },
    body: Mustache.render(layout, view, { content: contents[page.content] }),
  };
}

/** One sentence as plain text; the page's template escapes it. */
const say = (words: string, view: Readonly<Record<string, string>>): string =>
  Mustache.render(words, view, {}, { escape: String });

function contactOf(words: PageWords, mailbox: string | undefined) {
  const address = mailbox === undefined ? undefined : mailboxAddress(mailbox);
  if (address === undefined) return undefined;
  return { help: words.shared.help, address, href: `mailto:${encodeURIComponent(address).replace('%40', '@')}` };
}

/** The link to the site's log-in page; the site row may hold any URL in development. */
function logInOf({ words, site }: PageContext) {
  return site?.loginUrl !== undefined && /^https?:\/\//i.test(site.loginUrl)
    ? { url: site.loginUrl, label: words.shared.logIn }
    : undefined;
}

const numberIn = (words: PageWords, count: number): string => new Intl.NumberFormat(words.locale).format(count);

/** A time span as the language writes it: `1 hour`, `90 minutes`, `45 seconds`. Rounded up. */
function durationIn(words: PageWords, seconds: number): string {
  const [value, unit] =
    seconds % 3600 === 0
      ? [seconds / 3600, 'hour']
      : seconds >= 60
        ? [Math.ceil(seconds / 60), 'minute']
        : [seconds, 'second'];
  return new Intl.NumberFormat(words.locale, { style: 'unit', unit, unitDisplay: 'long' }).format(value);
}

/** What was wrong with the typed address; `typed` is shown again. */
export interface AskMistake {
  readonly typed: string;
  readonly problem: 'missing' | 'malformed';
}

/** Asks for the address. 200, or 400 with the mistake beside the field. */
export function askPage(context: PageContext, mistake?: AskMistake): Answer {
  const { title, intro, email, button, ...problems } = context.words.ask;
  const error = mistake === undefined ? undefined : problems[mistake.problem];
  return renderPage(context, {
    status: mistake === undefined ? 200 : 400,
    title,
    hasError: mistake !== undefined,
    content: 'ask',
    view: { action: askPath, intro, email, button, error, typed: mistake?.typed, logIn: logInOf(context) },
  });
}

/** Says the same whoever asked, and after a resend. @param ttlMinutes how long a link works */
export function sentPage(context: PageContext, ttlMinutes: number): Answer {
  const { title, text, validity, notArrived, again } = context.words.sent;
  const duration = durationIn(context.words, ttlMinutes * 60);
  return renderPage(context, {
    status: 200,
    title,
    icon: 'mail',
    content: 'message',
    view: {
      paragraphs: [text, say(validity, { duration })],
      asides: [notArrived],
      other: { url: askPath, label: again },
    },
  });
}

/** What is to be typed, and what was wrong with the last try. */
export interface NewPassword {
  /** A key that was found live. */
  readonly key: string;
  readonly username: string;
  readonly minLength: number;
  readonly problem?: PasswordProblemCode | 'missing' | 'mismatch';
}

/** The page behind the link. 200, or 422 with the mistake beside the field. */
export function newPasswordPage(context: PageContext, { key, username, minLength, problem }: NewPassword): Answer {
  const { words } = context;
  const { title, username: usernameLabel, rule, missing, problems, ...rest } = words.newPassword;
  const limit = problem === 'too_long' ? maxPasswordCodePoints : minLength;
  const error = problem === undefined ? undefined : say(problems[problem], { count: numberIn(words, limit) });
  return renderPage(context, {
    status: problem === undefined ? 200 : 422,
    title,
    hasError: problem !== undefined,
    keylessPath: keyPath,
    content: 'newPassword',
    view: {
      ...rest,
      action: pathOf(key),
      usernameLabel,
      username,
      error,
      minLength,
      maxLength: maxPasswordCodePoints,
      rule: say(rule, { count: numberIn(words, minLength) }),
      missing: Object.entries(missing).map(([form, sentence]) => ({ form, words: sentence })),
    },
  });
}

const pathOf = (key: string): string => `${keyPath}${key}/`;

/** The password is set. */
export function passwordSetPage(context: PageContext): Answer {
  const { title, text } = context.words.passwordSet;
  const view = { paragraphs: [text], next: logInOf(context) };
  return renderPage(context, { status: 200, title, icon: 'done', content: 'message', view });
}

/** A link that was good once, with a button for a new one. 410. @param key a key that we really signed */
export function deadLinkPage(context: PageContext, key: string, reason: 'expired_key' | 'used_key'): Answer {
  const { title, text } = reason === 'expired_key' ? context.words.expiredLink : context.words.usedLink;
  return renderPage(context, {
    status: 410,
    title,
    keylessPath: keyPath,
    icon: reason === 'expired_key' ? 'clock' : 'link',
    content: 'deadLink',
    view: { text, action: pathOf(key), ...context.words.deadLink, logIn: logInOf(context) },
  });
}

/** A link that is not ours, broken, or without an account. 400, and no word about which. */
export function invalidLinkPage(context: PageContext): Answer {
  const { title, text, button } = context.words.invalidLink;
  const view = { paragraphs: [text], next: { url: askPath, label: button } };
  return renderPage(context, { status: 400, title, keylessPath: keyPath, icon: 'link', content: 'message', view });
}

const messages = {
  unreadableForm: 400,
  crossSite: 403,
  notFound: 404,
  formTooLarge: 413,
  notAForm: 415,
  tooManyRequests: 429,
  internalError: 500,
  unavailable: 503,
} as const;

/** The pages that only say why nothing was done. */
export type PageProblem = keyof typeof messages;

/** A page of its own for what went wrong. @param retryAfterSeconds for `Retry-After`, and said in words on the 429 page */
export function problemPage(context: PageContext, problem: PageProblem, retryAfterSeconds?: number): Answer {
  const { words } = context;
  const { title, text } = messageOf(words, problem);
  const duration = durationIn(words, retryAfterSeconds ?? 60);
  return renderPage(context, {
    status: messages[problem],
    title,
    icon: 'note',
    content: 'message',
    view: { paragraphs: [say(text, { duration })], next: { url: askPath, label: words.shared.startAgain } },
    ...(retryAfterSeconds !== undefined && { headers: { 'Retry-After': String(retryAfterSeconds) } }),
  });
}

const messageOf = (words: PageWords, problem: PageProblem): Message =>
  problem === 'formTooLarge' || problem === 'notAForm' ? words.unreadableForm : words[problem];

/** To a page of ours, after a form. @param path one of the constants of paths.ts */
export function seeOther(path: string): Answer {
  return { status: 303, headers: { ...commonHeaders, Location: path }, body: '' };
}
