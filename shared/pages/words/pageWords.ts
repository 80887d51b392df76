// The words of every page in one language: a language file that lacks a sentence does not compile.
// Each sentence may be a Mustache template; it is rendered to plain text, which the page's template then escapes.
import type { PasswordProblemCode } from '../../password/passwordRules';

/** One sentence per plural form that the language has (CLDR; chosen by `Intl.PluralRules`); `count` in each of them. */
export type PluralWords = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** A page that only says something. */
export interface Message {
  readonly title: string;
  readonly text: string;
}

/** All sentences of one language; `{{…}}` names the values the pages give. */
export interface PageWords {
  /** BCP 47 tag, for `lang` and `Content-Language`. */
  readonly locale: string;
  readonly dir: 'ltr' | 'rtl';
  readonly shared: {
    /** `title`; the window's title when a field has a mistake. */
    readonly errorTitle: string;
    /** Stands before the contact address. */
    readonly help: string;
    readonly logIn: string;
    readonly startAgain: string;
  };
  readonly ask: {
    readonly title: string;
    readonly intro: string;
    readonly email: string;
    readonly button: string;
    readonly missing: string;
    readonly malformed: string;
  };
  readonly sent: Message & {
    /** `duration`: how long a link works, as this language writes it. */
    readonly validity: string;
    readonly notArrived: string;
    readonly again: string;
  };
  readonly newPassword: {
    readonly title: string;
    readonly username: string;
    readonly label: string;
    /** The second field, which stands there only without JavaScript. */
    readonly labelAgain: string;
    /** `count`: 8–64 */
    readonly rule: string;
    /** `count`; while typing. */
    readonly missing: PluralWords;
    readonly longEnough: string;
    readonly show: string;
    /** Holds the words of `show` (WCAG 2.5.3), and so on. */
    readonly showLabel: string;
    readonly hide: string;
    readonly hideLabel: string;
    readonly button: string;
    /** `count` in `too_short` and `too_long`. */
    readonly problems: Readonly<Record<PasswordProblemCode | 'missing' | 'mismatch', string>>;
  };
  readonly passwordSet: Message;
  readonly expiredLink: Message;
  readonly usedLink: Message;
  readonly deadLink: { readonly offer: string; readonly button: string };
  readonly invalidLink: Message & { readonly button: string };
  /** `duration` in its text. */
  readonly tooManyRequests: Message;
  readonly unavailable: Message;
  readonly internalError: Message;
  readonly notFound: Message;
  readonly crossSite: Message;
  readonly unreadableForm: Message;
}
