// What a new password must be: long, well formed, not common, not about the account or the site (NIST SP 800-63B-4 §3.1.1). No composition rules.
// The cheap rules run before the reset key is looked at, the context rules after, and the breach check last.
import { createHash } from 'node:crypto';
import { type Emit, errorFields } from '../events';

/** Why a password is refused. The front end may key its own words to these codes. */
export type PasswordProblemCode =
  'too_short' | 'too_long' | 'malformed' | 'too_common' | 'about_you' | 'breached' | 'site_rule';

export interface PasswordProblem {
  readonly code: PasswordProblemCode;
  /** A sentence for people, English. */
  readonly message: string;
}

export const maxPasswordCodePoints = 128;

/**
 * The rules that need nothing but the password: no storage, no hash, work bounded by its length.
 * @param minLength in code points, see `PASSWORD_MIN_LENGTH`
 * @param isCommon see `loadCommonPasswords`
 */
export function cheapProblems(password: string, minLength: number, isCommon: CommonPasswords): PasswordProblem[] {
  if (!password.isWellFormed()) return [{ code: 'malformed', message: 'The password holds a broken character.' }];
  if (password.length > 2 * maxPasswordCodePoints) return [tooLong];
  const codePoints = Array.from(password).length;
  if (codePoints > maxPasswordCodePoints) return [tooLong];
  if (codePoints < minLength) {
    return [{ code: 'too_short', message: `The password must have at least ${minLength} characters.` }];
  }
  if (isCommon(password) || isRepetitive(password, isCommon)) {
    return [{ code: 'too_common', message: 'Too many people use this password. Choose another one.' }];
  }
  return [];
}

const tooLong: PasswordProblem = {
  code: 'too_long',
  message: `The password must have at most ${maxPasswordCodePoints} characters.`,
};

/** A short unit again and again (`passwordpasswordpassword`, `aaaaaaaaaaaaaaa`, `123123123…`) is as weak as the unit. */
function isRepetitive(password: string, isCommon: CommonPasswords): boolean {
  const lower = password.toLowerCase();
  for (let unit = 1; unit <= lower.length / 2; unit++) {
    if (lower.length % unit !== 0) continue;
    if (lower === lower.slice(0, unit).repeat(lower.length / unit) && (unit <= 4 || isCommon(lower.slice(0, unit))))
      return true;
  }
  return false;
}

/** What a password must not be, apart from letter case and blanks. */
export interface PasswordContext {
  readonly username: string;
  readonly email: string;
  readonly siteName: string;
  readonly siteDomain: string;
}

/** The rules that need the account and the site: run only once the reset key was found good. */
export function contextProblems(password: string, context: PasswordContext): PasswordProblem[] {
  const bare = (text: string): string => text.toLowerCase().replace(/[\s._@+-]+/g, '');
  const chosen = bare(password);
  const [local = '', domain = ''] = context.email.split('@');
  const taboo = [context.username, context.email, local, domain, context.siteName, context.siteDomain].map(bare);
  const about = taboo.some((word) => word.length >= 3 && (chosen === word || isPadded(chosen, word)));
  return about ? [aboutYou] : [];
}

const aboutYou: PasswordProblem = {
  code: 'about_you',
  message: 'The password must not be your username, your address or the name of the site.',
};

/** Is it the word, once or several times, with at most four digits or signs around it? */
function isPadded(chosen: string, word: string): boolean {
  const rest = chosen.split(word).join('');
  return rest.length < chosen.length && (rest === '' || (rest.length <= 4 && !/\p{L}/u.test(rest)));
}

export const breachedProblem: PasswordProblem = {
  code: 'breached',
  message: 'This password was found in a data breach. Choose another one.',
};

/** A reason of the site's own rules (`ACCOUNT_DIRECTORY_PASSWORD=plain`), with the site's words. */
export const siteRuleProblem = ({ message }: { readonly message: string }): PasswordProblem => ({
  code: 'site_rule',
  message,
});

/** Is this password on the list, whatever its letter case? */
export type CommonPasswords = (password: string) => boolean;

let loaded: Promise<CommonPasswords> | undefined;

/**
 * About 30,000 passwords from leaks, lower case: the list of `@zxcvbn-ts/language-common`. Loaded with the first redemption: a cold start
 * that answers a request does not unpack it.
 */
export function loadCommonPasswords(): Promise<CommonPasswords> {
  loaded ??= import('@zxcvbn-ts/language-common').then(({ dictionary }) => {
    const common = new Set(dictionary['passwords-common']);
    return (password) => common.has(password.toLowerCase());
  });
  return loaded;
}

const breachTimeoutMs = 1500;
const maxAnswerChars = 2_000_000;

/**
 * Asks the Pwned Passwords range API whether a password was found in a breach. Only the first five hex digits of its SHA-1 leave the
 * process (k-anonymity). Fails open: an outage there must not lock anybody out here.
 * @param baseUrl `PWNED_PASSWORDS_URL`
 * @returns true when the password is known to have leaked; false when not, or when the service does not answer in 1.5 s (logged)
 * @see https://haveibeenpwned.com/API/v3#PwnedPasswords (`Add-Padding` hides the size of the answer)
 */
export async function isBreachedPassword(baseUrl: string, password: string, emit: Emit): Promise<boolean> {
  const digest = createHash('sha1').update(password, 'utf8').digest('hex').toUpperCase();
  try {
    const response = await fetch(new URL(`/range/${digest.slice(0, 5)}`, baseUrl), {
      headers: { 'Add-Padding': 'true' },
      signal: AbortSignal.timeout(breachTimeoutMs),
      redirect: 'error',
    });
    if (!response.ok) throw new Error(`status ${response.status}`);
    const text = (await response.text()).slice(0, maxAnswerChars);
    const suffix = digest.slice(5);
    return text.split('\n').some((line) => {
      const [found, count] = line.trim().split(':');
      return found === suffix && Number(count) > 0; // padding lines count 0
    });
  } catch (error) {
    emit({ event: 'breachCheckSkipped', level: 'warn', ...errorFields(error) });
    return false;
  }
}
