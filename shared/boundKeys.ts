// The ResetKeys rows: which issued key is live for which account. A row alone is worth nothing without the signature.

/** One bound reset key. */
export interface BoundKey {
  readonly sub: string;
  /** `resetKeyIdOf` the key's claims. */
  readonly resetKeyId: string;
  readonly accountId: string;
  /** `credentialVersionOf` the account when the key was bound. */
  readonly credentialVersion: string;
  readonly expiresAt: Date;
}

/** The contract of the store. Every call throws `StorageUnavailable` when it does not answer. */
export interface BoundKeys {
  /**
   * Binds a key once. Never re-binds: a repeat of the mail must not revive a key that was used in between.
   * @returns `bound` (also when the very same row was there), or `taken` when the key is bound otherwise: issue another
   */
  bind(key: BoundKey, signal: AbortSignal): Promise<'bound' | 'taken'>;
  find(sub: string, resetKeyId: string, signal: AbortSignal): Promise<BoundKey | undefined>;
}
