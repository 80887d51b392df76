// The ResetKeys rows: which issued key is live for which account. A row alone is worth nothing without the signature.

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

/** Every call throws `StorageUnavailable` if the store does not answer. */
export interface ResetKeyStore {
  /**
   * Binds a key once. Never re-binds: a repeat of the mail must not revive a key that was used in between.
   * @returns `bound` (also if the same row was there), or `taken` if the key is bound otherwise: issue another
   */
  bind(key: BoundKey): Promise<'bound' | 'taken'>;
  find(addressHash: string, resetKeyId: string): Promise<BoundKey | undefined>;
}
