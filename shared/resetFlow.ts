// The whole story, in order: requestReset → prepareMail → checkKey → redeemKey, then resend and support links.
// Expected outcomes are return values. An exception means broken infrastructure (StorageUnavailable, SiteUnavailable): retry.
import { addressHashOf } from './address';
import { bindLink, findBoundKey, findRecipients, type KeyRefusal } from './resetLinks';
import { newId } from './clock';
import { linkIssuedMail, passwordChangedMail, resetMail, type ResetLink } from './mail/renderMail';
import { takeToken } from './limits';
import {
  enqueueMail,
  type MailRequest,
  type MailRequestOf,
  queuePasswordChangedEvent,
  type ResetRequest,
} from './mailRequest';
import { derivedId } from './outbox/outgoingMail';
import type { Prepared, QueuedMail } from './outbox/worker';
import * as rules from './password/passwordRules';
import type { Requester, ResetDeps } from './resetDeps';
import { issueResetKey, resetKeyIdOf, verifyResetKey } from './resetKey';

/**
 * Step 1. A person asks for a reset of the account with this address. Signs a reset key, seals it and queues it: one storage call,
 * whoever the address belongs to, so that the answer cannot tell.
 * @param email a well-formed address, see `parseAddress`
 * @returns the mail's id
 */
export async function requestReset(deps: ResetDeps, email: string, requester: Requester): Promise<string> {
  const acceptedAt = deps.clock();
  const { key } = issueResetKey(deps.settings, addressHashOf(email), acceptedAt);
  const mailId = await enqueueMail(deps, newId(), { kind: 'resetAddress', email, key, acceptedAt, ...requester });
  deps.emit({ event: 'requestReset', mailId });
  return mailId;
}

/** Step 2. Decides, when a queued message is handled, who gets what: by the state of limits, accounts and site at that time. */
export async function prepareMail(deps: ResetDeps, request: MailRequest, mail: QueuedMail): Promise<Prepared> {
  switch (request.kind) {
    case 'resetAddress':
    case 'resetAccount':
      return prepareReset(deps, request, mail);
    case 'passwordChanged':
      return preparePasswordChanged(deps, request, mail.id);
    case 'linkIssued':
      return prepareLinkIssued(deps, request, mail.id);
    case 'siteEvent': {
      const { sendSiteEvent } = deps;
      if (sendSiteEvent === undefined) return { outcome: 'nobody' };
      return { outcome: 'ready', send: () => sendSiteEvent({ id: mail.id, type: request.type, data: request.data }) };
    }
  }
}

async function prepareReset(deps: ResetDeps, request: ResetRequest, mail: QueuedMail): Promise<Prepared> {
  const charged = mail.charged || (request.kind === 'resetAccount' && request.charged === true);
  const ip = charged ? 'ok' : await takeToken(deps, 'ip', request.client, mail.id);
  if (ip === 'contended') return { outcome: 'retry_later', reason: 'limit_contended' };

  const [first, ...rest] = await findRecipients(deps, request, mail.id);
  if (first === undefined) return { outcome: 'nobody' };
  if (ip === 'over') return { outcome: 'suppressed', reason: 'ip_limit' };
  const address = charged ? 'ok' : await takeToken(deps, 'address', first.addressHash, mail.id);
  if (address === 'contended') return { outcome: 'retry_later', reason: 'limit_contended' };
  if (address === 'over') return { outcome: 'suppressed', reason: 'address_limit' };

  // Accounts with another spelling of the address get a mail of their own. It is charged to the address again, but not to the client:
  // what a request costs its client must not tell how many accounts there are.
  const { client, locale, acceptedAt } = request;
  const otherSpellings = new Map(rest.filter(({ email }) => email !== first.email).map((one) => [one.email, one]));
  for (const { addressHash, id: accountId } of otherSpellings.values()) {
    const own = { kind: 'resetAccount', addressHash, accountId, acceptedAt, locale } as const;
    await enqueueMail(deps, derivedId('spelling', mail.id, accountId), own);
  }
  const key = request.kind === 'resetAddress' ? request.key : undefined;
  const same = rest.filter(({ email }) => email === first.email);
  const links = await Promise.all([bindLink(deps, first, key), ...same.map((account) => bindLink(deps, account))]);
  const { mailExtraLines } = deps.settings;
  const context = { site: await deps.site.current(), mailId: mail.id, account: first, requestLocale: locale };
  const requestedFrom = mailExtraLines.includes('asker') ? client : undefined;
  const ready = resetMail(context, links, { showExpiry: mailExtraLines.includes('expiry'), requestedFrom });
  return { outcome: 'ready', send: () => deps.email.send(ready) };
}

/** A redemption is written within seconds of its notice being queued; until this age a missing write may still land. */
const lateWriteMs = 5 * 60_000;

async function preparePasswordChanged(
  deps: ResetDeps,
  request: MailRequestOf<'passwordChanged'>,
  mailId: string,
): Promise<Prepared> {
  const { addressHash, accountId, resetKeyId, acceptedAt } = request;
  const account = await deps.accounts.get(addressHash, accountId);
  if (account === undefined) return { outcome: 'nobody' };
  if (account.lastResetKeyId !== resetKeyId) {
    const bound = await deps.resetKeys.find(addressHash, resetKeyId);
    const mayStillLand = bound?.credentialVersion === account.credentialVersion;
    const isYoung = deps.clock().getTime() - acceptedAt.getTime() < lateWriteMs;
    return mayStillLand && isYoung ? { outcome: 'not_yet', delaySeconds: 60 } : { outcome: 'nobody' };
  }
  await queuePasswordChangedEvent(deps, account, resetKeyId, account.passwordChangedAt ?? acceptedAt);
  const mail = passwordChangedMail({ site: await deps.site.current(), mailId, account, requestLocale: request.locale });
  return { outcome: 'ready', send: () => deps.email.send(mail) };
}

async function prepareLinkIssued(
  deps: ResetDeps,
  request: MailRequestOf<'linkIssued'>,
  mailId: string,
): Promise<Prepared> {
  const account = await deps.accounts.get(request.addressHash, request.accountId);
  if (account === undefined) return { outcome: 'nobody' };
  const linked = await findRecipients(deps, { ...request, kind: 'resetAccount' }, mailId);
  const context = { site: await deps.site.current(), mailId, account, requestLocale: request.locale };
  const mail = linkIssuedMail(
    context,
    linked.map(({ username }) => username),
  );
  return { outcome: 'ready', send: () => deps.email.send(mail) };
}

export type CheckOutcome =
  { readonly outcome: 'live'; readonly username: string; readonly expiresAt: Date } | { readonly outcome: KeyRefusal };

/** Step 3. Would this key be redeemed now? Reads only: link scanners and prefetchers may ask any number of times. */
export async function checkKey(deps: ResetDeps, key: string): Promise<CheckOutcome> {
  const found = await findBoundKey(deps, key);
  const checked: CheckOutcome =
    found.outcome === 'live'
      ? { outcome: 'live', username: found.account.username, expiresAt: found.claims.expiresAt }
      : { outcome: found.outcome === 'redeemed' ? 'used_key' : found.outcome };
  deps.emit({ event: 'checkKey', outcome: checked.outcome });
  return checked;
}

export type RedeemOutcome =
  | { readonly outcome: 'changed'; readonly username: string }
  | { readonly outcome: 'rejected_password'; readonly problems: readonly rules.PasswordProblem[] }
  /** Passwords are being hashed at capacity, or the account is being edited: the key is good, try again in seconds. */
  | { readonly outcome: 'busy' }
  | { readonly outcome: KeyRefusal };

/**
 * Step 4. Sets the new password. A rejected password leaves the key good; of any number of concurrent redemptions exactly one wins.
 * The same key with the same password is a repeat (a lost reply, a double submit) and answers `changed` for ten minutes.
 */
export async function redeemKey(deps: ResetDeps, key: string, newPassword: string): Promise<RedeemOutcome> {
  const redeemed = await redeem(deps, key, newPassword);
  deps.emit({ event: 'redeemKey', outcome: redeemed.outcome });
  return redeemed;
}

/** How long the notice waits for the write it announces, in seconds; if that is late, it waits again. */
const noticeDelaySeconds = 5;

async function redeem(deps: ResetDeps, key: string, newPassword: string): Promise<RedeemOutcome> {
  const cheap = rules.cheapProblems(newPassword, deps.settings.password.minLength, await rules.loadCommonPasswords());
  if (cheap.length > 0) return { outcome: 'rejected_password', problems: cheap };

  const found = await findBoundKey(deps, key);
  if (!('account' in found)) return found;
  const { account, claims, credentialVersion } = found;
  const { username, email, id: accountId } = account;
  if (found.outcome === 'live') {
    const { name: siteName, domain: siteDomain } = await deps.site.current();
    const problems = rules.contextProblems(newPassword, { username, email, siteName, siteDomain });
    if (problems.length === 0 && (await deps.isBreached?.(newPassword)) === true) problems.push(rules.breachedProblem);
    if (problems.length > 0) return { outcome: 'rejected_password', problems };
  }
  const password = await deps.encodePassword(newPassword, claims);
  if (password === undefined) return { outcome: 'busy' };

  const acceptedAt = deps.clock();
  const resetKeyId = resetKeyIdOf(claims);
  if (found.outcome === 'live') {
    // First the notice, then the write: it is sent only if this key is the account's last one by then.
    const { addressHash } = claims; // where the key is bound; the account's own address may be another of several
    const notice = { kind: 'passwordChanged', addressHash, accountId, resetKeyId, acceptedAt } as const;
    await enqueueMail(deps, derivedId('passwordChanged', claims.jti), notice, noticeDelaySeconds);
  }
  const changedAt = found.outcome === 'live' ? acceptedAt : (account.passwordChangedAt ?? acceptedAt);
  const change = { credentialVersion, password, resetKeyId, at: changedAt };
  const written = await deps.accounts.setPassword(account, change);
  switch (written.outcome) {
    case 'changed':
      // The notice sends the same event, if this fails.
      await queuePasswordChangedEvent(deps, account, resetKeyId, changedAt).catch(() => undefined);
      return { outcome: 'changed', username };
    case 'rejected':
      return { outcome: 'rejected_password', problems: written.problems.map(rules.siteRuleProblem) };
    case 'superseded':
      return { outcome: 'used_key' };
    case 'contended':
      return { outcome: 'busy' };
  }
}

/**
 * A dead link's "send me a new one": a mail to the account that a key was bound to, live or dead. The account comes from the key's
 * row, never from the caller. Without a row (never bound, or purged) nothing is sent and the answer is the same.
 */
export async function resendReset(
  deps: ResetDeps,
  key: string,
  requester: Requester,
): Promise<{ readonly outcome: 'accepted' | 'invalid_key' }> {
  const acceptedAt = deps.clock();
  const verified = verifyResetKey(deps.settings, key, acceptedAt);
  if (verified.outcome === 'invalid') return { outcome: 'invalid_key' };
  const { addressHash } = verified.claims;
  const bound = await deps.resetKeys.find(addressHash, resetKeyIdOf(verified.claims));
  const request = bound && { kind: 'resetAccount' as const, addressHash, accountId: bound.accountId, acceptedAt };
  const mailId = request && (await enqueueMail(deps, newId(), { ...request, ...requester }));
  deps.emit({ event: 'resendReset', mailId });
  return { outcome: 'accepted' };
}

export type IssuedLinks =
  | { readonly outcome: 'issued'; readonly links: readonly ResetLink[] }
  /** Over the limit per address; it is the one of the mails, in a bucket of its own. */
  | { readonly outcome: 'over_limit' };

/**
 * Support gets reset links without mail: one for each account of the address that may reset. Each stored address is notified.
 * @returns no links for an address that nobody has: the caller is trusted with that much
 */
export async function issueLinks(deps: ResetDeps, email: string): Promise<IssuedLinks> {
  const acceptedAt = deps.clock();
  const audit = { event: 'linksIssued', level: 'warn', addressHash: addressHashOf(email) } as const;
  const request = { kind: 'resetAddress', email, key: '', acceptedAt } as const;
  const accounts = await findRecipients(deps, request, audit.addressHash);
  const { perAddress: rate } = deps.settings.limits;
  const isLimited = accounts.length > 0 && rate !== 'off';
  if (isLimited && (await deps.limits.take(`links:${audit.addressHash}`, rate, newId(), acceptedAt)) !== 'ok') {
    deps.emit({ ...audit, outcome: 'over_limit', count: 0, noticeIds: [] });
    return { outcome: 'over_limit' };
  }
  const links = await Promise.all(accounts.map((account) => bindLink(deps, account)));
  const oneOfEach = new Map(accounts.map((account) => [account.email, account]));
  const noticeIds = await Promise.all(
    [...oneOfEach.values()].map(({ addressHash, id: accountId }) =>
      enqueueMail(deps, newId(), { kind: 'linkIssued', addressHash, accountId, acceptedAt }),
    ),
  );
  deps.emit({ ...audit, outcome: 'issued', count: links.length, noticeIds });
  return { outcome: 'issued', links };
}
