// Webhooks to the site. They travel through the outbox like mails: at least once, with one id each.
import type { Account } from './directory/accountDirectory';
import { enqueueMail } from './mailRequest';
import type { ProviderReport } from './outbox/deliveries';
import { derivedId } from './outbox/outgoingMail';
import type { ResetDeps } from './resetDeps';

type EventDeps = Pick<ResetDeps, 'settings' | 'queue' | 'clock' | 'sendSiteEvent'>;

/** `password.changed`: the site can end the account's sessions of before `changedAt`. */
export async function queuePasswordChangedEvent(
  deps: EventDeps,
  account: Account,
  resetKeyId: string,
  changedAt: Date,
): Promise<void> {
  const at = changedAt.toISOString();
  const id = derivedId('password.changed', resetKeyId);
  await queueEvent(deps, id, account.addressHash, 'password.changed', { accountId: account.id, at });
}

/** `mail.bounced` and `mail.dropped`. Deliveries hold no address: the site recognizes it by its hash. */
export async function queueMailEvent(
  deps: EventDeps,
  addressHash: string,
  mailId: string,
  { state, at }: ProviderReport,
): Promise<void> {
  if (state !== 'bounced' && state !== 'dropped') return;
  const data = { mailId, addressHash, at: at.toISOString() };
  await queueEvent(deps, derivedId('mail', state, mailId), addressHash, `mail.${state}`, data);
}

async function queueEvent(
  deps: EventDeps,
  id: string,
  addressHash: string,
  type: string,
  data: Readonly<Record<string, string>>,
): Promise<void> {
  if (deps.sendSiteEvent === undefined) return;
  await enqueueMail(deps, id, { kind: 'siteEvent', addressHash, type, data, acceptedAt: deps.clock() });
}
