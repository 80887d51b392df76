// Every mail to a person: its sentences chosen, its values cleaned, both its parts rendered. A reset key stands only in the link
// of the reset mail.
import { type Catalog, messagesFor } from '../locales';
import type { Messages } from '../locales/messages';
import { readLogo, type SiteLook } from '../look';
import { paths } from '../pages/pages';
import { mailboxAddress, resetLink, type Site, type SiteWithTexts } from '../site';
import type { Account } from '../directory/accountDirectory';
import type { InlineImage, Mail } from './emailBackend';
import {
  cleanSubject,
  cleanText,
  formatMailbox,
  formatMessageId,
  maxNameLength,
  maxUsernameLength,
  parseMailbox,
} from './mailHeaders';
import {
  logoContentId,
  type MailAddress,
  type MailBlock,
  type MailView,
  renderBlocks,
  renderMessage,
  type Sentence,
  type UserText,
} from './mailLayout';

/** What a mail says about the site. */
export interface MailSite extends SiteLook, Pick<Site, 'domain' | 'name' | 'contactEmail'> {
  /** `addr@domain` or `Name <addr@domain>`. */
  readonly from: string;
  /** BCP 47 tag: the account's own language if it has one, else the site's. */
  readonly locale: string;
  /** The site's page that asks for a reset, for the notice. */
  readonly forgotPasswordUrl?: string | undefined;
  /** The languages, with the site's own sentences. */
  readonly catalog?: Catalog | undefined;
}

/** @param locale the language of the mail, as far as there is one */
export const mailSiteOf = (site: Site, locale: string, catalog?: Catalog): MailSite => ({
  ...site,
  from: site.defaultFromEmail,
  locale,
  forgotPasswordUrl: forgotPasswordUrlOf(site),
  catalog,
});

/** The page that asks for a reset, where links lead to the page behind it; a site with a front end of its own has none. */
function forgotPasswordUrlOf(site: Site): string | undefined {
  const [before, after] = resetLink(site, '\n').split('\n');
  return after === '/' && before?.endsWith(paths.newPassword) === true
    ? before.slice(0, -paths.newPassword.length) + paths.forgotPassword
    : undefined;
}

/** A mail without its addresses; `locale` is the language it is really in. */
export interface RenderedMail {
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  readonly locale: string;
  /** The display name of a sender that has none of its own. */
  readonly fromName?: string | undefined;
  /** Attached inline if there. */
  readonly logo?: InlineImage | undefined;
}

const sentence = (message: string, view: MailView = {}): Sentence => ({ message, view });
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
  const { locale, dir, mail } = messages;
  const { brandColor, domain } = site;
  const contact = contactOf(site);
  const footer = [
    sentence(mail.sentBy, { siteName: { userText: siteName }, domain }),
    ...(contact === undefined ? [] : [sentence(mail.contact, { contactEmail: contact })]),
  ];
  const logo = site.logoInMail === true && site.logo !== undefined ? readLogo(site.logo) : undefined;
  const parts = renderBlocks(blocks, { locale, dir, subject, siteName, brandColor, logo, footer });
  const image = logo && {
    contentId: logoContentId,
    contentType: 'image/png',
    fileName: 'logo.png',
    base64: logo.base64,
  };
  return { subject, locale, ...parts, fromName: siteName, logo: image };
}

function expiryBlocks({ locale, mail }: Messages, { timeZone = 'UTC' }: MailSite, expiresAt: Date | undefined) {
  if (expiresAt === undefined) return [];
  const format = new Intl.DateTimeFormat(locale, {
    ...({ year: 'numeric', month: 'long', day: 'numeric', hour: '2-digit', minute: '2-digit' } as const),
    ...({ hourCycle: 'h23', timeZone, timeZoneName: 'short' } as const),
  });
  return [paragraph(mail.expires, { expiresAt: format.format(expiresAt) })];
}

function contactOf({ contactEmail }: MailSite): MailAddress | undefined {
  const address = contactEmail === undefined ? undefined : mailboxAddress(contactEmail);
  return address === undefined ? undefined : { address };
}

function contactBlock({ mail }: Messages, site: MailSite): MailBlock {
  const contactEmail = contactOf(site);
  return contactEmail === undefined
    ? paragraph(mail.notYouNoContact, { domain: site.domain })
    : paragraph(mail.notYou, { contactEmail });
}

/** The reset mail: one link per account, never none. The optional lines are left out unless their value is given. */
export interface PasswordResetInput {
  readonly site: MailSite;
  readonly accounts: readonly { readonly username: string; readonly link: string }[];
  readonly expiresAt?: Date | undefined;
  /** Where the request came from. Text of the requester: shown literally, cut to 100 code points. */
  readonly requestedFrom?: string | undefined;
}

/** The mail with the link. Its English text part for one account is CodaLab's, byte for byte. */
export function renderPasswordReset({ site, accounts, expiresAt, requestedFrom }: PasswordResetInput): RenderedMail {
  const messages = messagesFor(site.locale, site.catalog);
  const { accountHeading, button, buttonFor, intro, introMany, subject, thanks, usernameReminder } =
    messages.passwordReset;
  const many = accounts.length > 1;
  const { linkFallback: fallback } = messages.mail;
  const links = accounts.flatMap(({ username, link: url }): MailBlock[] => {
    const view = { username: shownUsername(username) };
    return many
      ? [{ kind: 'link', heading: sentence(accountHeading, view), label: sentence(buttonFor, view), fallback, url }]
      : [{ kind: 'link', label: sentence(button, view), fallback, url }, paragraph(usernameReminder, view)];
  });
  const origin = (place: string): MailBlock =>
    paragraph(messages.mail.requestedFrom, { requestedFrom: { userText: cleanText(place, maxNameLength) } });
  return render(site, messages, subject, [
    paragraph(many ? introMany : intro, { domain: site.domain }),
    ...links,
    ...expiryBlocks(messages, site, expiresAt),
    ...(requestedFrom === undefined ? [] : [origin(requestedFrom)]),
    paragraph(thanks),
  ]);
}

/** The notice after every redemption: whom to write to, and the page to ask for a new link. No log-in link, no password. */
export function renderPasswordChanged({ site, username }: { site: MailSite; username: string }): RenderedMail {
  const messages = messagesFor(site.locale, site.catalog);
  const { passwordChanged, passwordReset, mail } = messages;
  const wayOut = (url: string): MailBlock[] => [
    paragraph(passwordChanged.wayOut),
    { kind: 'link', label: sentence(passwordReset.button), fallback: mail.linkFallback, url },
  ];
  return render(site, messages, passwordChanged.subject, [
    paragraph(passwordChanged.changed, { username: shownUsername(username), domain: site.domain }),
    paragraph(passwordChanged.wasYou),
    contactBlock(messages, site),
    ...(site.forgotPasswordUrl === undefined ? [] : wayOut(site.forgotPasswordUrl)),
    paragraph(passwordReset.thanks),
  ]);
}

/** Tells the mailbox that support issued reset links for its accounts; the links are not in it. */
export function renderSupportLinkIssued(input: {
  readonly site: MailSite;
  readonly usernames: readonly string[];
  readonly expiresAt?: Date | undefined;
}): RenderedMail {
  const { site, usernames, expiresAt } = input;
  const messages = messagesFor(site.locale, site.catalog);
  const { account, issued, noLinkHere, subject } = messages.supportLinkIssued;
  return render(site, messages, subject, [
    paragraph(issued, { domain: site.domain }),
    ...usernames.map((username) => paragraph(account, { username: shownUsername(username) })),
    paragraph(noLinkHere),
    ...expiryBlocks(messages, site, expiresAt),
    contactBlock(messages, site),
    paragraph(messages.passwordReset.thanks),
  ]);
}

/** Addresses a rendered mail to one mailbox; the Message-ID follows from `id` and `domain`. */
export function buildMail(
  envelope: { id: string; to: string; from: string; category: string; domain: string },
  rendered: RenderedMail,
): Mail {
  const { id, to, category, domain } = envelope;
  const { subject, text, html, locale, fromName = '', logo: inlineImage } = rendered;
  const { name, address } = parseMailbox(envelope.from);
  const from = formatMailbox({ name: name === '' ? fromName : name, address });
  return { id, messageId: formatMessageId(id, domain), category, from, to, subject, text, html, locale, inlineImage };
}

/** One link of a reset mail. */
export interface ResetLink {
  readonly username: string;
  readonly url: string;
  readonly expiresAt: Date;
}

/** For whom a mail is and who caused it. */
export interface MailContext {
  readonly site: SiteWithTexts;
  readonly mailId: string;
  readonly account: Account;
  /** The language of the request, for an account without one of its own. */
  readonly requestLocale: string | undefined;
}

/** @param requestedFrom the client that asked, if the mail shall say so */
export function resetMail(
  context: MailContext,
  links: readonly ResetLink[],
  options: { readonly showExpiry: boolean; readonly requestedFrom: string | undefined },
): Mail {
  const soonest = links.map(({ expiresAt }) => expiresAt).sort((a, b) => a.getTime() - b.getTime())[0];
  const rendered = renderPasswordReset({
    site: mailSite(context),
    accounts: links.map(({ username, url: link }) => ({ username, link })),
    expiresAt: options.showExpiry ? soonest : undefined,
    requestedFrom: options.requestedFrom,
  });
  return toMail(context, 'password-reset', rendered);
}

export function passwordChangedMail(context: MailContext): Mail {
  const { username } = context.account;
  return toMail(context, 'password-changed', renderPasswordChanged({ site: mailSite(context), username }));
}

/** @param usernames the accounts of the address for which support was given links */
export function linkIssuedMail(context: MailContext, usernames: readonly string[]): Mail {
  return toMail(context, 'link-issued', renderSupportLinkIssued({ site: mailSite(context), usernames }));
}

const mailSite = ({ site, account, requestLocale }: MailContext): MailSite =>
  mailSiteOf(site, account.locale ?? requestLocale ?? site.locale, site.catalog);

function toMail({ site, mailId: id, account }: MailContext, category: string, rendered: RenderedMail): Mail {
  const { defaultFromEmail: from, domain } = site;
  return buildMail({ id, to: account.email, from, category, domain }, rendered);
}
