// All text of one language: of the mails and of the pages. A language that lacks a sentence does not compile.
// Each sentence is a Mustache template for plain text; `{{…}}` names a value, which is escaped wherever the sentence is put into HTML.
import type { PasswordProblemCode } from '../password/passwordRules';

/** One sentence per plural form that the language has (CLDR; chosen by `Intl.PluralRules`); `count` in each of them. */
export type PluralMessage = Readonly<Partial<Record<Intl.LDMLPluralRule, string>> & { other: string }>;

/** A page that only says something. */
export interface Notice {
  readonly title: string;
  readonly text: string;
}

export interface Messages {
  /** BCP 47 tag, for `lang` and `Content-Language`. */
  readonly locale: string;
  readonly dir: 'ltr' | 'rtl';

  // Mails
  readonly passwordReset: {
    /** `siteName` */
    readonly subject: string;
    /** `domain`; the text part keeps its line breaks. */
    readonly intro: string;
    /** `domain`; for an address with several accounts. */
    readonly introMany: string;
    /** `username`; before each link of the mail for several accounts. */
    readonly accountHeading: string;
    readonly button: string;
    /** `username`; on each button of the mail for several accounts. */
    readonly buttonFor: string;
    /** `username` */
    readonly usernameReminder: string;
    /** Ends every mail to a person. */
    readonly thanks: string;
  };
  readonly passwordChanged: {
    /** `siteName` */
    readonly subject: string;
    /** `username`, `domain` */
    readonly changed: string;
    readonly wasYou: string;
    /** Before a link to the first page. */
    readonly wayOut: string;
  };
  readonly supportLinkIssued: {
    /** `siteName` */
    readonly subject: string;
    /** `domain` */
    readonly issued: string;
    /** `username`; one line per account. */
    readonly account: string;
    readonly noLinkHere: string;
  };
  /** Shared by several mails. */
  readonly mail: {
    /** `expiresAt`: date, time and time zone as the language writes them. */
    readonly expires: string;
    /** `requestedFrom`: where the request came from. */
    readonly requestedFrom: string;
    /** `contactEmail` */
    readonly notYou: string;
    /** `domain`; when the site has no contact address. */
    readonly notYouNoContact: string;
    /** HTML part only: before the address of a button. */
    readonly linkFallback: string;
    /** HTML part only: `siteName`, `domain`. */
    readonly sentBy: string;
    /** HTML part only: `contactEmail`. */
    readonly contact: string;
  };

  // Pages
  /** Shared by several pages. */
  readonly page: {
    /** `title`; the window's title when a field has a mistake. */
    readonly errorTitle: string;
    /** Before the contact address. */
    readonly help: string;
    readonly logIn: string;
    readonly startAgain: string;
  };
  readonly forgotPassword: {
    readonly title: string;
    readonly intro: string;
    readonly email: string;
    readonly button: string;
    readonly missing: string;
    readonly malformed: string;
  };
  readonly checkInbox: Notice & {
    /** `email`: as it was typed. */
    readonly textFor: string;
    /** `duration`: how long a link works. */
    readonly validity: string;
    readonly notArrived: string;
    readonly again: string;
    /** Instead of `again` if the page shows the address. */
    readonly change: string;
  };
  readonly newPassword: {
    readonly title: string;
    readonly username: string;
    readonly label: string;
    /** The second field, shown only without JavaScript. */
    readonly labelAgain: string;
    /** `count`: 8–64 */
    readonly rule: string;
    /** `count`; while typing. */
    readonly missing: PluralMessage;
    readonly longEnough: string;
    readonly show: string;
    /** Contains the words of `show` (WCAG 2.5.3); `hideLabel` those of `hide`. */
    readonly showLabel: string;
    readonly hide: string;
    readonly hideLabel: string;
    readonly button: string;
    /** `count` in `too_short` and `too_long`. */
    readonly problems: Readonly<Record<Exclude<PasswordProblemCode, 'site_rule'> | 'missing' | 'mismatch', string>>;
  };
  readonly passwordSet: Notice;
  readonly expiredLink: Notice;
  readonly usedLink: Notice;
  /** On the pages of expired and used links. */
  readonly deadLink: { readonly offer: string; readonly button: string };
  readonly invalidLink: Notice & { readonly button: string };
  /** Pages that say why nothing was done; `duration` in the text of `too_many_requests`. */
  readonly problem: Readonly<
    Record<
      'too_many_requests' | 'unavailable' | 'internal_error' | 'not_found' | 'cross_site' | 'unreadable_form',
      Notice
    >
  >;
}
