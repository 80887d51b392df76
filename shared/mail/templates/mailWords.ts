// The words of every mail in one language: a language file that lacks a sentence does not compile.
// Each sentence is a Mustache template, rendered once for the text part and once for the HTML part.

/** All sentences of one language; `{{…}}` names the values renderMail gives. */
export interface MailWords {
  /** BCP 47 tag, for `lang` and `Content-Language`. */
  readonly locale: string;
  readonly dir: 'ltr' | 'rtl';
  readonly passwordReset: {
    /** `siteName` */
    readonly subject: string;
    /** `domain`; its line breaks are kept in the text part. */
    readonly intro: string;
    /** `domain`; for an address with several accounts. */
    readonly introMany: string;
    /** `username`; stands before each link of the mail for several accounts. */
    readonly accountHeading: string;
    readonly button: string;
    /** `username`; on each button of the mail for several accounts. */
    readonly buttonFor: string;
    /** `username` */
    readonly usernameReminder: string;
  };
  readonly passwordChanged: {
    /** `siteName` */
    readonly subject: string;
    /** `username`, `domain` */
    readonly changed: string;
    readonly wasYou: string;
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
  readonly shared: {
    /** `expiresAt`: an instant in UTC, as this language writes it. */
    readonly expires: string;
    /** `requestedFrom`: where the request came from, in the site's words. */
    readonly requestedFrom: string;
    /** `contactEmail` */
    readonly notYou: string;
    /** `domain`; when the site has no contact address. */
    readonly notYouNoContact: string;
    readonly thanks: string;
  };
}
