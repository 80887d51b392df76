// Every mail to a person: its sentences chosen, its values cleaned, both its parts rendered. A reset key stands only in the link
// of the reset mail.
import { messagesFor } from '../locales';
import type { Messages } from '../locales/messages';
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
import { type MailBlock, type MailView, renderBlocks, renderMessage, type UserText } from './renderBlocks';

/** What a mail says about the site; from the site row. */
export interface MailSite {
  /** Host, with its port if it has one: `codalab.org`, `localhost:8000`. */
  readonly domain: string;
  readonly name: string;
  readonly protocol: 'http' | 'https';
  /** `addr@domain` or `Name <addr@domain>`. */
  readonly from: string;
  /** Whom to ask; without it the mail says "the people who run" the site. */
  readonly contactEmail?: string | undefined;
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
  readonly expiresAt?: Date | undefined;
  /** Where the request came from. Text of the requester: shown literally, cut to 100 code points. */
  readonly requestedFrom?: string | undefined;
}

const paragraph = (message: string, view: MailView = {}): MailBlock => ({ kind: 'paragraph', message, view });
const shownUsername = (username: string): UserText => ({ userText: cleanText(username, maxUsernameLength) });

function render(
  site: MailSite,
  messages: Messages,
  subjectMessage: string,
  blocks: readonly MailBlock[],
): RenderedMail {
  const siteName = cleanText(site.name, maxNameLength);
  const subject = cleanSubject(renderMessage(subjectMessage, { siteName }));
  const { locale, dir } = messages;
  return { subject, locale, ...renderBlocks(blocks, { locale, dir, subject }) };
}

function expiryBlocks({ locale, mail }: Messages, expiresAt: Date | undefined): MailBlock[] {
  if (expiresAt === undefined) return [];
  const format = new Intl.DateTimeFormat(locale, {
    dateStyle: 'long',
    timeStyle: 'short',
    hourCycle: 'h23',
    timeZone: 'UTC',
  });
  return [paragraph(mail.expires, { expiresAt: `${format.format(expiresAt)} UTC` })];
}

const contactBlock = ({ mail }: Messages, { contactEmail, domain }: MailSite): MailBlock =>
  contactEmail === undefined
    ? paragraph(mail.notYouNoContact, { domain })
    : paragraph(mail.notYou, { contactEmail: cleanText(contactEmail, 254) });

/** The mail with the link. Its English text part for one account is CodaLab's, byte for byte. */
export function renderPasswordReset({ site, accounts, expiresAt, requestedFrom }: PasswordResetInput): RenderedMail {
  const messages = messagesFor(site.locale);
  const { accountHeading, button, buttonFor, intro, introMany, subject, thanks, usernameReminder } =
    messages.passwordReset;
  const many = accounts.length > 1;
  const links = accounts.flatMap(({ username, link }): MailBlock[] => {
    const view = { username: shownUsername(username) };
    return many
      ? [paragraph(accountHeading, view), { kind: 'link', label: buttonFor, view, url: link }]
      : [{ kind: 'link', label: button, view, url: link }, paragraph(usernameReminder, view)];
  });
  const origin = (place: string): MailBlock =>
    paragraph(messages.mail.requestedFrom, { requestedFrom: { userText: cleanText(place, maxNameLength) } });
  return render(site, messages, subject, [
    paragraph(many ? introMany : intro, { domain: site.domain }),
    ...links,
    ...expiryBlocks(messages, expiresAt),
    ...(requestedFrom === undefined ? [] : [origin(requestedFrom)]),
    paragraph(thanks),
  ]);
}

/** The notice after every redemption: contact line, no log-in link, no password. */
export function renderPasswordChanged({ site, username }: { site: MailSite; username: string }): RenderedMail {
  const messages = messagesFor(site.locale);
  const { changed, subject, wasYou } = messages.passwordChanged;
  return render(site, messages, subject, [
    paragraph(changed, { username: shownUsername(username), domain: site.domain }),
    paragraph(wasYou),
    contactBlock(messages, site),
    paragraph(messages.passwordReset.thanks),
  ]);
}

/** Tells the mailbox that support issued reset links for its accounts; the links are not in it. */
export function renderSupportLinkIssued(input: {
  readonly site: MailSite;
  readonly usernames: readonly string[];
  readonly expiresAt?: Date | undefined;
}): RenderedMail {
  const { site, usernames, expiresAt } = input;
  const messages = messagesFor(site.locale);
  const { account, issued, noLinkHere, subject } = messages.supportLinkIssued;
  return render(site, messages, subject, [
    paragraph(issued, { domain: site.domain }),
    ...usernames.map((username) => paragraph(account, { username: shownUsername(username) })),
    paragraph(noLinkHere),
    ...expiryBlocks(messages, expiresAt),
    contactBlock(messages, site),
    paragraph(messages.passwordReset.thanks),
  ]);
}

/** Addresses a rendered mail to one mailbox; the Message-ID follows from `id` and `domain`. */
export function buildMail(
  envelope: { id: string; to: string; from: string; category: string; domain: string },
  rendered: RenderedMail,
): Mail {
  const { id, to, from, category, domain } = envelope;
  const { subject, text, html, locale } = rendered;
  const mailbox = formatMailbox(parseMailbox(from));
  return { id, messageId: formatMessageId(id, domain), category, from: mailbox, to, subject, text, html, locale };
}
