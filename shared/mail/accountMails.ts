// The mails to an account: its address and language, and the site's sender, around the rendered text.
import type { Account } from '../directory/accountDirectory';
import type { SiteWithTexts } from '../site';
import type { Mail } from './emailBackend';
import {
  buildMail,
  mailSiteOf,
  renderPasswordChanged,
  renderPasswordReset,
  renderSupportLinkIssued,
  type MailSite,
  type RenderedMail,
} from './renderMail';

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
