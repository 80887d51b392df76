// The mails to the operator: alerts and the test mail. English only; counts and ids, never an address, a name or a link.
import { cleanSubject, cleanText, maxNameLength } from './mailHeaders';
import { type MailBlock, type MailView, renderBlocks, renderMessage } from './mailLayout';
import type { MailSite, RenderedMail } from './renderMail';

/** What needs the operator's attention; a count of 0 is left out of the mail. */
export interface OperatorAlertInput {
  readonly site: MailSite;
  /** Messages in the poison queue, and the age of the oldest. */
  readonly poisoned: number;
  readonly oldestAgeMinutes?: number | undefined;
  /** Deliveries recorded as failed. */
  readonly failed: number;
  /** Rows of the Accounts table that cannot be read: their holders get no mail. */
  readonly unreadableAccounts: number;
  /** Mails waiting because the provider refuses our key, log-in or certificate. */
  readonly misconfigured: number;
  /** Mail ids; the first 20 are shown. */
  readonly ids: readonly string[];
}

const maxIds = 20;

function render(
  site: MailSite,
  subjectMessage: string,
  sentences: readonly (readonly [string, MailView])[],
): RenderedMail {
  const siteName = cleanText(site.name, maxNameLength);
  const subject = cleanSubject(renderMessage(subjectMessage, { siteName }));
  const blocks = sentences.map(([message, view]): MailBlock => ({ kind: 'paragraph', message, view }));
  const frame = { locale: 'en', dir: 'ltr', subject, siteName, brandColor: site.brandColor, footer: [] };
  return { subject, locale: 'en', ...renderBlocks(blocks, frame) };
}

/** The alert to ADMINS: how many mails are stuck, why, and their ids. */
export function renderOperatorAlert(input: OperatorAlertInput): RenderedMail {
  const { site, poisoned, oldestAgeMinutes, failed, misconfigured, unreadableAccounts, ids } = input;
  const age = oldestAgeMinutes === undefined ? '' : ' The oldest has been there for {{age}} minutes.';
  const shown = ids.slice(0, maxIds).map((id) => cleanText(id, 100));
  const more = ids.length > maxIds ? ` and ${ids.length - maxIds} more` : '';
  return render(site, '[{{siteName}}] Outgoing mail needs attention', [
    ['The password-reset app of {{domain}} could not send some mail.', { domain: site.domain }],
    ...sentence(poisoned, `Messages in outgoing-mail-poison: {{count}}.${age}`, { age: String(oldestAgeMinutes) }),
    ...sentence(failed, 'Mails recorded as failed or unsure: {{count}}.'),
    ...sentence(misconfigured, 'Mails waiting because the mail provider refuses our settings: {{count}}.'),
    ...sentence(
      unreadableAccounts,
      'Accounts that cannot be read, see `npm run accounts -- list --broken`: {{count}}.',
    ),
    ...sentence(shown.length, 'Mail ids: {{ids}}', { ids: shown.join(', ') + more }),
    ['To look at them: npm run outbox -- list', {}],
  ]);
}

function sentence(count: number, message: string, view: MailView = {}): (readonly [string, MailView])[] {
  return count > 0 ? [[message, { ...view, count: String(count) }]] : [];
}

/** "Does mail work?": what the operator's test sends to the operator. */
export function renderTestMail({ site }: { site: MailSite }): RenderedMail {
  return render(site, '[{{siteName}}] Test E-mail', [
    ['This is a test mail from {{domain}}. If you can read it, the site can send e-mail.', { domain: site.domain }],
  ]);
}
