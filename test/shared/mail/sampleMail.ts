// Mails the suites send, built the way sendMail builds them.
import type { Mail } from '../../../shared/mail/emailBackend';
import { buildMail, type MailSite, renderPasswordReset } from '../../../shared/mail/renderMail';

export const codalab: MailSite = {
  domain: 'codalab.org',
  name: 'CodaLab',
  from: 'info@codalab.org',
  locale: 'en',
  forgotPasswordUrl: 'http://codalab.org/accounts/password/reset/',
};

/** As long as a reset key can be. */
const longKey = `${'eyJhbGciOiJIUzI1NiIsInR5cCI6InJlc2V0K2p3dCIsImtpZCI6IjEifQ'.repeat(5).slice(0, 254)}_`;

export const longLink = `http://codalab.org/accounts/password/reset/key/${longKey}/`;

/** The reset mail to someuser@somewhere.com, with what a test changes. */
export function sampleMail(
  changes: { id?: string; to?: string; username?: string; link?: string; site?: Partial<MailSite> } = {},
): Mail {
  const { id = 'Xh3_-aQm0pZr', to = 'someuser@somewhere.com', username = 'someuser', link = longLink } = changes;
  const site = { ...codalab, ...changes.site };
  const rendered = renderPasswordReset({ site, accounts: [{ username, link }] });
  return buildMail({ id, to, from: site.from, category: 'password-reset', domain: site.domain }, rendered);
}
