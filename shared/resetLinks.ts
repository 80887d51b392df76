// From an address to the accounts that get a link, from an account to its link, and from a link's key back to the account.
import * as z from 'zod';
import type { Account } from './directory/accountDirectory';
import type { ResetLink } from './mail/renderMail';
import type { ResetDeps } from './resetDeps';
import { issueResetKey, type ResetKeyClaims, resetKeyIdOf, verifyResetKey } from './resetKey';
import { resetLink } from './site';
import type { ResetRequest } from './mailRequest';
import type { TableStore } from './storage/storage';

/** The most links that one request makes, over all accounts and all spellings of the address. */
const maxAccountsPerRequest = 20;

type RecipientDeps = Pick<ResetDeps, 'accounts' | 'emit'>;

/** The accounts that get a link: the requested one, or those with the spelling that was typed, first; then by age. */
export async function findRecipients(deps: RecipientDeps, request: ResetRequest, mailId: string): Promise<Account[]> {
  if (request.kind === 'resetAddress') return recipientsAt(deps, request.email, mailId);
  const own = await deps.accounts.get(request.addressHash, request.accountId);
  return own?.canReset === true ? recipientsAt(deps, own.email, mailId, own) : [];
}

/** @param own the requested account: it comes first, and no other spelling of its address gets a link */
async function recipientsAt(deps: RecipientDeps, address: string, mailId: string, own?: Account): Promise<Account[]> {
  const accounts = (await deps.accounts.findByAddress(address)).filter(
    ({ email, canReset }) => canReset && (own === undefined || email === address),
  );
  const rank = ({ id, email, createdAt }: Account): number =>
    id === own?.id ? -1 : (email === address ? 0 : 1e15) + (createdAt?.getTime() ?? 0);
  accounts.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  // The oldest account of each spelling, the oldest spelling first, comes before a second one of any: accounts that somebody else
  // registers under this address must not crowd out its holder's.
  const oldest = new Map([...accounts].reverse().map((account) => [account.email, account]));
  const isOldest = (account: Account): boolean => oldest.get(account.email) === account;
  const [first, ...others] = accounts.filter(isOldest);
  others.sort((a, b) => (a.createdAt?.getTime() ?? 0) - (b.createdAt?.getTime() ?? 0));
  const inOrder = [...(first ? [first] : []), ...others, ...accounts.filter((account) => !isOldest(account))];
  const skipped = inOrder.length - maxAccountsPerRequest;
  if (skipped > 0) {
    deps.emit({ event: 'accountsSkipped', level: 'warn', mailId, mailed: maxAccountsPerRequest, skipped });
  }
  return inOrder.slice(0, maxAccountsPerRequest);
}

type BindingDeps = Pick<ResetDeps, 'settings' | 'clock' | 'resetKeys' | 'accounts' | 'site'>;

/** Older than this in the queue, a key is replaced: the pages promise its whole life from the mail on. */
const maxQueuedMs = 60_000;

/**
 * Makes a key live for an account.
 * @param requested the key of the request, used if it is still fresh and was not bound otherwise; else a new one is issued
 */
export async function bindLink(deps: BindingDeps, account: Account, requested?: string): Promise<ResetLink> {
  const now = deps.clock();
  const bind = (claims: ResetKeyClaims) =>
    deps.resetKeys.bind({
      addressHash: account.addressHash,
      resetKeyId: resetKeyIdOf(claims),
      accountId: account.id,
      credentialVersion: account.credentialVersion,
      expiresAt: claims.expiresAt,
    });
  const linkOf = async (key: string, { expiresAt }: ResetKeyClaims): Promise<ResetLink> => {
    return { username: account.username, url: resetLink(await deps.site.current(), key), expiresAt };
  };
  const verified = requested === undefined ? undefined : verifyResetKey(deps.settings, requested, now);
  if (requested !== undefined && verified?.outcome === 'valid') {
    const { claims } = verified;
    const queuedMs = deps.settings.resetKeyTtlMinutes * 60_000 - (claims.expiresAt.getTime() - now.getTime());
    const usable = queuedMs <= maxQueuedMs && claims.addressHash === account.addressHash;
    if (usable && (await bind(claims)) === 'bound') return linkOf(requested, claims);
  }
  const { key, claims } = issueResetKey(deps.settings, account.addressHash, now);
  await bind(claims); // 128 random bits: never taken
  return linkOf(key, claims);
}

/** Why a reset key does not work. `expired_key` and `used_key` only for keys that were really signed here. */
export type KeyRefusal = 'invalid_key' | 'expired_key' | 'used_key';

/** A key that is bound: `redeemed` if it set the present password less than ten minutes ago. */
export type FoundKey =
  | {
      readonly outcome: 'live' | 'redeemed';
      readonly account: Account;
      readonly claims: ResetKeyClaims;
      readonly credentialVersion: string;
    }
  | { readonly outcome: KeyRefusal };

const repeatMs = 10 * 60_000;

/** Signature first, without any I/O; then the key's row and the account, in parallel. */
export async function findBoundKey(deps: BindingDeps, key: string): Promise<FoundKey> {
  const now = deps.clock();
  const verified = verifyResetKey(deps.settings, key, now);
  if (verified.outcome === 'invalid') return { outcome: 'invalid_key' };
  if (verified.outcome === 'expired') return { outcome: 'expired_key' };
  const { claims } = verified;
  const bound = deps.resetKeys.find(claims.addressHash, resetKeyIdOf(claims));
  const accountId = bound.then((row) => row?.accountId);
  const [row, account] = await Promise.all([
    bound,
    deps.accounts.get(claims.addressHash, accountId),
    deps.site.current(), // without a good site row nothing is answered about keys
  ]);
  if (row === undefined || account === undefined || !account.canReset) return { outcome: 'invalid_key' };
  // The row lives longer than the key: with a leaked secret an old key must not be signed anew with a later end.
  if (row.expiresAt.getTime() !== claims.expiresAt.getTime()) return { outcome: 'invalid_key' };
  const { credentialVersion, resetKeyId } = row;
  if (credentialVersion === account.credentialVersion) return { outcome: 'live', account, claims, credentialVersion };
  const changedAt = account.lastResetKeyId === resetKeyId ? account.passwordChangedAt : undefined;
  const isRecent = changedAt !== undefined && now.getTime() - changedAt.getTime() < repeatMs;
  return isRecent ? { outcome: 'redeemed', account, claims, credentialVersion } : { outcome: 'used_key' };
}

/** A reset key that is bound to an account. */
export interface BoundKey {
  readonly addressHash: string;
  /** `resetKeyIdOf` the key's claims. */
  readonly resetKeyId: string;
  readonly accountId: string;
  /** The account's when the key was bound. */
  readonly credentialVersion: string;
  readonly expiresAt: Date;
}

/**
 * Which issued key is live for which account. A row alone is worth nothing without the signature.
 * Every call throws `StorageUnavailable` if the store does not answer.
 */
export interface ResetKeyStore {
  /**
   * Binds a key once. Never re-binds: a repeat of the mail must not revive a key that was used in between.
   * @returns `bound` (also if the same row was there), or `taken` if the key is bound otherwise: issue another
   */
  bind(key: BoundKey): Promise<'bound' | 'taken'>;
  find(addressHash: string, resetKeyId: string): Promise<BoundKey | undefined>;
}

/** The table ResetKeys: partition = hash of the address, row = SHA-256 of the key's `jti`. */
const columns = z.lazy(() =>
  z.object({
    accountId: z.string().min(1),
    credentialVersion: z.string().min(1),
    expiresAt: z.date(),
  }),
);

export function createResetKeysTable(table: TableStore): ResetKeyStore {
  const find = async (addressHash: string, resetKeyId: string): Promise<BoundKey | undefined> => {
    const row = columns.safeParse(await table.get(addressHash, resetKeyId));
    return row.success ? { addressHash, resetKeyId, ...row.data } : undefined;
  };
  return {
    find,
    bind: async ({ addressHash, resetKeyId, accountId, credentialVersion, expiresAt }) => {
      const written = await table.insert(addressHash, resetKeyId, { accountId, credentialVersion, expiresAt });
      if (written !== 'exists') return 'bound';
      const there = await find(addressHash, resetKeyId);
      const same = there?.accountId === accountId && there.credentialVersion === credentialVersion;
      return same ? 'bound' : 'taken';
    },
  };
}
