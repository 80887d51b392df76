// The whole story, in order: requestReset → sendMail → checkKey → redeemKey. Read this first. Called by the triggers in
// functions/; knows only interfaces. Expected outcomes are return values; an exception means that infrastructure is broken.
import { createHash } from 'node:crypto';
import { canReset, credentialVersionOf, type Account, type Accounts } from './accounts';
import { subjectOf } from './address';
import { resetKeyIdOf, issueResetKey, verifyResetKey, type ResetKeyClaims, type ResetKeySettings } from './resetKey';
import type { BoundKeys } from './boundKeys';
import { newId, type Clock } from './clock';
import type { Emit } from './events';
import { sealOutgoingMail, type OutgoingContent, type OutgoingMailQueue } from './outgoingMail';
import { loadCommonPasswords } from './password/commonPasswords';
import { hashPassword, type PasswordHasher } from './password/passwordHash';
import { breachedProblem, cheapProblems, contextProblems, type PasswordProblem } from './password/passwordRules';
import type { SiteSource } from './site';

/** What the HTTP half of the story needs. */
export interface ResetFlow {
  readonly settings: ResetKeySettings & {
    readonly password: { readonly minLength: number; readonly hasher: PasswordHasher };
  };
  readonly clock: Clock;
  readonly emit: Emit;
  readonly queue: OutgoingMailQueue;
  readonly accounts: Accounts;
  readonly boundKeys: BoundKeys;
  readonly site: SiteSource;
  /** Was the password found in a breach? Fails open; undefined when the check is off. */
  readonly isBreached?: (password: string) => Promise<boolean>;
}

/** Who asks, as the HTTP edge saw it. */
export interface Asker {
  /** The client's limit bucket, see `clientBucket`; absent when a site's own server asks without `clientIp`. */
  readonly client?: string;
  readonly locale?: string;
}

/**
 * Step 1. Somebody asks for a reset of the account with this address. Signs a reset key, seals it and puts it into the queue:
 * one storage call, whoever the address belongs to, so that the answer cannot tell.
 * @param email a well-formed address, see `parseAddress`
 * @returns the mail's id
 * @throws StorageUnavailable when the queue is down: nothing is kept, ask again
 */
export async function requestReset(flow: ResetFlow, email: string, asker: Asker, signal: AbortSignal): Promise<string> {
  const now = flow.clock();
  const { key } = issueResetKey(flow.settings, subjectOf(email), now);
  return enqueue(flow, newId(), { kind: 'resetAddress', email, key, acceptedAt: now, ...asker }, 0, signal);
}

// Step 2 is sendMail, in sendMail.ts: claim → limits → accounts → bind → render → send → record.

/** Why a reset key does not work. `expired_key` and `used_key` only for keys that we really signed. */
export type KeyRefusal = 'invalid_key' | 'expired_key' | 'used_key';

export type CheckOutcome =
  { readonly outcome: 'live'; readonly username: string; readonly expiresAt: Date } | { readonly outcome: KeyRefusal };

/**
 * Step 3. Says whether a key would be redeemed now. Reads only: link scanners and prefetchers may do it any number of times.
 * @throws StorageUnavailable, SiteUnavailable
 */
export async function checkKey(flow: ResetFlow, key: string, signal: AbortSignal): Promise<CheckOutcome> {
  const found = await findBoundKey(flow, key, signal);
  if (found.outcome !== 'live') return found;
  return { outcome: 'live', username: found.account.username, expiresAt: found.claims.expiresAt };
}

export type RedeemOutcome =
  | { readonly outcome: 'changed'; readonly username: string }
  | { readonly outcome: 'rejected_password'; readonly problems: readonly PasswordProblem[] }
  | { readonly outcome: KeyRefusal };

/** How long the notice waits for the write it announces, in seconds: longer than any redemption may take. */
const noticeDelaySeconds = 30;

/**
 * Step 4. Sets the new password: cheap rules → signature → key row and account → context and breach rules → hash → notice →
 * one conditional write. A rejected password leaves the key good; of any number of concurrent redemptions exactly one wins.
 * @throws StorageUnavailable, SiteUnavailable: the key is unspent, try again
 */
export async function redeemKey(
  flow: ResetFlow,
  key: string,
  newPassword: string,
  signal: AbortSignal,
): Promise<RedeemOutcome> {
  const { minLength, hasher } = flow.settings.password;
  const cheap = cheapProblems(newPassword, minLength, await loadCommonPasswords());
  if (cheap.length > 0) return { outcome: 'rejected_password', problems: cheap };

  const found = await findBoundKey(flow, key, signal);
  if (found.outcome !== 'live') return found;
  const { account, claims } = found;

  const { name: siteName, domain: siteDomain } = await flow.site.current(signal);
  const { username, email } = account;
  const problems = contextProblems(newPassword, { username, email, siteName, siteDomain });
  if (problems.length === 0 && (await flow.isBreached?.(newPassword)) === true) problems.push(breachedProblem);
  if (problems.length > 0) return { outcome: 'rejected_password', problems };

  const password = await hashPassword(newPassword, hasher);
  const at = flow.clock();
  const resetKeyId = resetKeyIdOf(claims);
  // First the notice, then the write: sendMail sends it only if this key is the account's last one by then.
  const notice = {
    kind: 'passwordChanged',
    sub: account.sub,
    accountId: account.id,
    resetKeyId,
    acceptedAt: at,
  } as const;
  await enqueue(flow, derivedId('passwordChanged', claims.jti), notice, noticeDelaySeconds, signal);
  const written = await flow.accounts.setPassword(account, { password, resetKeyId, at }, signal);
  return written === 'changed' ? { outcome: 'changed', username } : { outcome: 'used_key' };
}

type FoundKey =
  | { readonly outcome: 'live'; readonly account: Account; readonly claims: ResetKeyClaims }
  | { readonly outcome: KeyRefusal };

/** Signature first, without any I/O; then the key's row and the account, in parallel. */
async function findBoundKey(flow: ResetFlow, key: string, signal: AbortSignal): Promise<FoundKey> {
  const verified = verifyResetKey(flow.settings, key, flow.clock());
  if (verified.outcome === 'invalid') return { outcome: 'invalid_key' };
  if (verified.outcome === 'expired') return { outcome: 'expired_key' };
  const { claims } = verified;
  const [bound, accounts] = await Promise.all([
    flow.boundKeys.find(claims.sub, resetKeyIdOf(claims), signal),
    flow.accounts.findBySubject(claims.sub, signal),
    flow.site.current(signal), // cached; without a good site row nothing is answered about keys
  ]);
  const account = accounts.find(({ id }) => id === bound?.accountId);
  if (bound === undefined || account === undefined || !canReset(account)) return { outcome: 'invalid_key' };
  // The row lives longer than the key: with a leaked secret an old key must not be signed anew with a later end.
  if (bound.expiresAt.getTime() !== claims.expiresAt.getTime()) return { outcome: 'invalid_key' };
  if (bound.credentialVersion !== credentialVersionOf(account)) return { outcome: 'used_key' };
  return { outcome: 'live', account, claims };
}

/** Seals a mail with the present signing secret and puts it into the queue. @returns its id */
export async function enqueue(
  { settings, queue }: Pick<ResetFlow, 'settings' | 'queue'>,
  id: string,
  content: OutgoingContent,
  delaySeconds: number,
  signal: AbortSignal,
): Promise<string> {
  await queue.send(sealOutgoingMail(settings.signingSecrets[0], id, content), delaySeconds, signal);
  return id;
}

/** The id of a mail that follows from something else: the same cause makes the same mail, however often it is tried. */
export function derivedId(...cause: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(cause), 'utf8').digest().subarray(0, 16).toString('base64url');
}
