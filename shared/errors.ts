// The exceptions of the app: broken infrastructure only. Expected outcomes are return values.

/** A storage service did not answer, refused us, or took too long. Retry later. `code` is safe to log; `cause` is not. */
export class StorageUnavailable extends Error {
  /** `code` is the service's own error code or a status such as `503`, `timeout`, `connection`. */
  constructor(
    readonly part: 'tables' | 'queue' | 'accounts',
    readonly code: string,
    options?: ErrorOptions,
  ) {
    super(`${part} unavailable: ${code}`, options);
    this.name = 'StorageUnavailable';
  }
}

/** There is no good site row to build a link or a mail from. Retry when an operator has mended it. */
export class SiteUnavailable extends Error {
  /** `problems` name the columns that are wrong, never their values. */
  constructor(readonly problems: readonly string[]) {
    super(`no good site row: ${problems.join('; ')}`);
    this.name = 'SiteUnavailable';
  }
}
