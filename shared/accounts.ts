// The accounts of the site: what the flow needs of them, in three calls, so that a site can later keep them in its own
// database (docs/accounts-table.md). The flow trusts nothing else about an account.
import { createHash } from 'node:crypto';

/** One account, as read. */
export interface Account {
  /** `subjectOf(email)`: the partition it was read from. */
  readonly sub: string;
  /** The site's own id of the account: 1–256 characters. */
  readonly id: string;
  /** The stored address; mail goes there byte for byte. */
  readonly email: string;
  readonly username: string;
  /** Django's encoded format; empty or `!…` means that the account has no usable password. */
  readonly password: string;
  readonly isActive: boolean;
  /** Bumped by every redemption, address change, disabling and revocation: ends sessions and keys of before. */
  readonly generation: number;
  /** BCP 47 tag the account prefers, when it has one. */
  readonly locale?: string;
  /** The reset key that set the present password, as `resetKeyIdOf`. */
  readonly lastResetKeyId?: string;
  /** Opaque: the state that was read. A conditional write compares it. */
  readonly etag: string;
}

/** What a redemption writes. */
export interface PasswordChange {
  /** Django's encoded format. */
  readonly password: string;
  /** Which key did it, as `resetKeyIdOf`. */
  readonly resetKeyId: string;
  readonly at: Date;
}

/** The contract of an account store. Every call throws `StorageUnavailable` when the store does not answer. */
export interface Accounts {
  /** All accounts whose stored address equals this one after normalization, by id; none is an empty list. */
  findByAddress(address: string, signal: AbortSignal): Promise<Account[]>;
  /** The same by the hash of the address; redeem and check call it in parallel with the key's row (decision 0002). */
  findBySubject(sub: string, signal: AbortSignal): Promise<Account[]>;
  /**
   * One conditional write: password, `generation + 1`, `lastResetKeyId`, `passwordChangedAt`, if the account's credential
   * version is still that of the account as read. A deleted account is never made anew.
   * @returns `changed` when this change is the one that stands (also when only the reply was lost), else `superseded`
   */
  setPassword(account: Account, change: PasswordChange, signal: AbortSignal): Promise<'changed' | 'superseded'>;
}

/**
 * The fingerprint of what a reset key is bound to: SHA-256 over id, address, password, generation and active, base64url.
 * Any change of one of them ends every key that was bound before.
 */
export function credentialVersionOf(account: Account): string {
  const { id, email, password, generation, isActive } = account;
  return createHash('sha256')
    .update(JSON.stringify([id, email, password, generation, isActive]), 'utf8')
    .digest('base64url');
}

/** May this account reset its password? Only an active one that has a usable password (Django's rule). */
export function canReset(account: Account): boolean {
  return account.isActive && account.password !== '' && !account.password.startsWith('!');
}
