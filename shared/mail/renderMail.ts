// Every mail the app sends: its words chosen, its values cleaned, both its parts rendered. Called by sendMail, the links endpoint,
// reportPoisonMail and the CLIs; it sends nothing, and it puts no reset key anywhere but in the link of the reset mail.
import type { Mail } from './emailBackend';
import {
  cleanSubject,
  cleanText,
  formatMailbox,
  formatMessageId,
  maxNameLength,
  maxUsernameLength,
  parseMailbox,
} from './mailHeaders';
import { type MailBlock, type MailView, renderBlocks, renderWords, type UserText } from './renderBlocks';
import { mailWords } from './templates';
import type { MailWords } from './templates/mailWords';

/** What a mail says about the site; from the site row. */
export interface MailSite {
  /** Host, with its port if it has one: `codalab.org`, `localhost:8000`. */
  readonly domain: string;
  readonly name: string;
  readonly protocol: 'http' | 'https';
  /** `addr@domain` or `Name <addr@domain>`. */
  readonly from: string;
  /** Whom to ask; without it the mail says "the people who run" the site. */
  readonly contactEmail?: string;
  /** BCP 47 tag: the account's own language if it has one, else the site's. */
  readonly locale: string;
}

/** A mail without its addresses; `locale` is the language it is really in. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly locale: string;
}

/** The reset mail: one link per account, never none. The optional lines are left out unless their value is given. */
export interface PasswordResetInput {
  readonly site: MailSite;
  readonly accounts: readonly { readonly username: string; readonly link: string }[];
  readonly expiresAt?: Date;
  /** Who asked, in the site's words: a place, a browser. Text of the requester: shown literally, cut to 100 code points. */
  readonly requestedFrom?: string;
}

const paragraph = (words: string, view: MailView = {}): MailBlock => ({ kind: 'paragraph', words, view });
const shownUsername = (username: string): UserText => ({ userText: cleanText(username, maxUsernameLength) });

/** Renders one mail from its subject and blocks in `words`. */
function render(site: MailSite, words: MailWords, subjectWords: string, blocks: readonly MailBlock[]): RenderedMail {
  const siteName = cleanText(site.name, maxNameLength);
  const subject = cleanSubject(renderWords(subjectWords, { siteName }));
  const { locale, dir } = words;
  return { subject, locale, ...renderBlocks(blocks, { locale, dir, subject }) };
}

function expiryBlocks(words: MailWords, expiresAt: Date | undefined): MailBlock[] {
  if (expiresAt === undefined) return [];
  const format = new Intl.DateTimeFormat(words.locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    hourCycle: 'h23',
    timeZone: 'UTC',
  });
  return [paragraph(words.shared.expires, { expiresAt: `${format.format(expiresAt)} UTC` })];
}

function contactBlock(words: MailWords, { contactEmail, domain }: MailSite): MailBlock {
  return contactEmail === undefined
    ? paragraph(words.shared.notYouNoContact, { domain })
    : paragraph(words.shared.notYou, { contactEmail: cleanText(contactEmail, 254) });
}

/** The mail with the link (design §8: the text part for one account is decided byte for byte). */
export function renderPasswordReset(input: PasswordResetInput): RenderedMail {
  const { site, accounts, expiresAt, requestedFrom } = input;
  const words = mailWords(site.locale);
  const { domain } = site;
  const blocks = accounts.flatMap(({ username, link }): MailBlock[] => {
    const view = { username: shownUsername(username) };
    if (accounts.length > 1) {
      const label = words.passwordReset.buttonFor;
      return [paragraph(words.passwordReset.accountHeading, view), { kind: 'link', label, view, url: link }];
    }
    const reminder = paragraph(words.passwordReset.usernameReminder, view);
    return [{ kind: 'link', label: words.passwordReset.button, view, url: link }, reminder];
  });
  const { intro, introMany, subject } = words.passwordReset;
  const place =
    requestedFrom === undefined ? undefined : { requestedFrom: { userText: cleanText(requestedFrom, maxNameLength) } };
  return render(site, words, subject, [
    paragraph(accounts.length > 1 ? introMany : intro, { domain }),
    ...blocks,
    ...expiryBlocks(words, expiresAt),
    ...(place ? [paragraph(words.shared.requestedFrom, place)] : []),
    paragraph(words.shared.thanks),
  ]);
}

/** The notice after every redemption: contact line, no log-in link, no password. */
export function renderPasswordChanged({ site, username }: { site: MailSite; username: string }): RenderedMail {
  const words = mailWords(site.locale);
  const { changed, subject, wasYou } = words.passwordChanged;
  return render(site, words, subject, [
    paragraph(changed, { username: shownUsername(username), domain: site.domain }),
    paragraph(wasYou),
    contactBlock(words, site),
    paragraph(words.shared.thanks),
  ]);
}

/** Tells the mailbox that support issued reset links for its accounts; the links are not in it. */
export function renderSupportLinkIssued(input: {
  site: MailSite;
  usernames: readonly string[];
  expiresAt?: Date;
}): RenderedMail {
  const { site, usernames, expiresAt } = input;
  const words = mailWords(site.locale);
  const { account, issued, noLinkHere, subject } = words.supportLinkIssued;
  return render(site, words, subject, [
    paragraph(issued, { domain: site.domain }),
    ...usernames.map((username) => paragraph(account, { username: shownUsername(username) })),
    paragraph(noLinkHere),
    ...expiryBlocks(words, expiresAt),
    contactBlock(words, site),
    paragraph(words.shared.thanks),
  ]);
}

/** The addresses and ids that make a rendered mail one mail to one mailbox; the Message-ID follows from `id` and `domain`. */
export function buildMail(
  envelope: { id: string; to: string; from: string; category: string; domain: string },
  rendered: RenderedMail,
): Mail {
  const { id, to, from, category, domain } = envelope;
  const { subject, text, html, locale } = rendered;
  const mailbox = formatMailbox(parseMailbox(from));
  return { id, messageId: formatMessageId(id, domain), category, from: mailbox, to, subject, text, html, locale };
}
