// Where a site keeps its accounts: this app's own table or the site's database. The story knows only this interface, and one
// contract suite holds every implementation (test/shared/directory/accountDirectory.contract.ts).

/** One account, as read. */
export interface Account {
  /** `addressHashOf(email)`. */
  readonly addressHash: string;
  /** The site's own id: 1–256 characters. */
  readonly id: string;
  /** The stored address; mail goes there byte for byte. */
  readonly email: string;
  readonly username: string;
  /** Active, and has a usable password (the rule of Django's PasswordResetForm). Only such an account may be reset. */
  readonly canReset: boolean;
  /**
   * A fingerprint of everything that must end a reset key when it changes: password, address, activity. Opaque.
   * A key is bound to it, and a redemption is conditional on it.
   */
  readonly credentialVersion: string;
  /** Opaque handle of the implementation for its conditional write; never compared by the story. */
  readonly revision: string;
  /** BCP 47 tag, if the account has a preference. */
  readonly locale: string | undefined;
  /** The reset key that set the present password (`resetKeyIdOf`), and when. */
  readonly lastResetKeyId: string | undefined;
  readonly passwordChangedAt: Date | undefined;
  /** Of several accounts with one address the oldest comes first; unknown counts as oldest. */
  readonly createdAt: Date | undefined;
}

/** What a redemption writes. */
export interface PasswordChange {
  /** The credential version that the redeemed key is bound to; the write happens only while it is the account's. */
  readonly credentialVersion: string;
  /** Django's encoded format, or the password itself for a directory that hashes on its own (`ACCOUNT_DIRECTORY_PASSWORD`). */
  readonly password: string;
  /** The redeemed key, as `resetKeyIdOf`. The same id with the same password is a repeat and answers `changed`. */
  readonly resetKeyId: string;
  readonly at: Date;
}

export type SetPasswordOutcome =
  /** This change stands, also if only an earlier reply to it was lost. */
  | { readonly outcome: 'changed' }
  /** The account changed since the key was bound, or is gone. */
  | { readonly outcome: 'superseded' }
  /** Several benign edits in a row got in between: try again. */
  | { readonly outcome: 'contended' }
  /** The site's own rules refuse the password; the key stays good. `message` is for people. */
  | { readonly outcome: 'rejected'; readonly problems: readonly { readonly code: string; readonly message: string }[] };

/**
 * A store of accounts.
 * Every call throws `StorageUnavailable` (part `accounts` or `tables`) if the store does not answer, answers too late or
 * answers nonsense; the caller retries. Calls run under the deadline of the invocation (`deadline()`).
 */
export interface AccountDirectory {
  /** The accounts whose stored address equals this one, ASCII letter case aside. None is an empty list. Order is free. */
  findByAddress(address: string): Promise<Account[]>;
  /**
   * One account.
   * @param addressHash where a table looks it up; a remote directory ignores it
   * @param id may still be on its way: a table that is keyed by the address reads in parallel
   */
  get(addressHash: string, id: string | Promise<string | undefined>): Promise<Account | undefined>;
  /** One conditional write. Never creates an account. */
  setPassword(account: Account, change: PasswordChange): Promise<SetPasswordOutcome>;
}
