// The Deliveries rows: what became of each mail, so that it is sent once and an operator can see it. No address in them.

/** Why there is a mail. */
export type MailKind = 'passwordReset' | 'passwordChanged' | 'linkIssued';

/** `sending` until `leaseUntil`; `waiting` = put back; the other three are final for the queue function. */
export type DeliveryState = 'sending' | 'waiting' | 'accepted' | 'failed' | 'suppressed';

/** One row. */
export interface Delivery {
  readonly sub: string;
  /** The mail's id. */
  readonly id: string;
  readonly kind: MailKind;
  readonly state: DeliveryState;
  /** The attempt that owns the row; a message with a smaller one is a duplicate chain. */
  readonly attempt: number;
  readonly leaseUntil?: Date;
  /** When the request was accepted, or replayed by an operator: 24 hours later the mail is given up. */
  readonly acceptedAt: Date;
  /** The limits were charged for this mail: once per mail, however often it is tried. */
  readonly charged: boolean;
  /** A short code, when `waiting`, `failed` or `suppressed`. */
  readonly reason?: string;
  /** The e-mail backend that accepted it. */
  readonly backend?: string;
  readonly updatedAt: Date;
  /** What the provider's webhook reported since. */
  readonly provider?: ProviderReport;
  readonly etag: string;
}

/** What `claim` needs to make a row. */
export interface ClaimRequest {
  readonly sub: string;
  readonly id: string;
  readonly kind: MailKind;
  readonly attempt: number;
  readonly acceptedAt: Date;
  readonly now: Date;
}

/** How long a worker may hold a mail before another takes it over, in ms: longer than any backend may take. */
export const leaseMs = 60_000;

export type Claim =
  | { readonly outcome: 'claimed'; readonly delivery: Delivery }
  /** Another worker holds it until then. */
  | { readonly outcome: 'busy'; readonly leaseUntil: Date }
  /** Accepted, failed or suppressed already, or a duplicate chain: there is nothing to do. */
  | { readonly outcome: 'done' };

/** What may change in a row after it was claimed. */
export type DeliveryChange = Pick<Delivery, 'state'> &
  Partial<Pick<Delivery, 'attempt' | 'charged' | 'reason' | 'backend'>> & { readonly now: Date };

/** The contract of the store. Every call throws `StorageUnavailable` when it does not answer. */
export interface Deliveries {
  /** Takes the mail for this worker by insert or ETag. */
  claim(request: ClaimRequest, signal: AbortSignal): Promise<Claim>;
  /** Writes what became of a claimed mail. @returns the row as it is now, or undefined when another worker has taken it over */
  record(delivery: Delivery, change: DeliveryChange, signal: AbortSignal): Promise<Delivery | undefined>;
  /** Removes the row of a mail that concerns no account: unknown addresses leave no trace. */
  forget(delivery: Delivery, signal: AbortSignal): Promise<void>;
  /** Leaves a note for the operator, once per id, until reportPoisonMail has mailed it. */
  alert(alert: DeliveryAlert, signal: AbortSignal): Promise<void>;
  /** The notes that are there, at most 1000. */
  alerts(signal: AbortSignal): Promise<DeliveryAlert[]>;
  dropAlert(alert: DeliveryAlert, signal: AbortSignal): Promise<void>;
  /** Everything about the mails of one address, newest first. */
  findBySubject(sub: string, signal: AbortSignal): Promise<Delivery[]>;
  /**
   * Adds what the provider says of a mail after it accepted it. State only moves forward, see `isForward`: a repeat changes nothing.
   * @returns `noted`, `stale` when the row says as much or more already, `unknown` when there is no such mail
   */
  noteProvider(
    sub: string,
    id: string,
    report: ProviderReport,
    signal: AbortSignal,
  ): Promise<'noted' | 'stale' | 'unknown'>;
}

/** What a provider's webhook reports, by rank. */
export const providerStates = ['deferred', 'delivered', 'dropped', 'blocked', 'bounced', 'spamReported'] as const;
export type ProviderState = (typeof providerStates)[number];

export interface ProviderReport {
  readonly state: ProviderState;
  /** The event's own time. */
  readonly at: Date;
}

/** Does this report say more than the one before? By rank, then by the event's time. */
export function isForward(before: ProviderReport | undefined, report: ProviderReport): boolean {
  if (before === undefined) return true;
  const rank = ({ state }: ProviderReport): number => providerStates.indexOf(state);
  return rank(report) > rank(before) || (rank(report) === rank(before) && report.at > before.at);
}

/** A note for the operator: a mail that failed, or a provider that has been refusing us. */
export interface DeliveryAlert {
  /** The mail's id, or an id derived from the reason. */
  readonly id: string;
  /** `mail`: one mail failed. `provider`: the provider has been refusing our settings for more than a minute. */
  readonly kind: 'mail' | 'provider';
  readonly reason: string;
  readonly at: Date;
}

/** The rule of `claim`, for every implementation: what a message of this attempt may do with the row that is there. */
export function judgeClaim(row: Delivery, request: ClaimRequest): 'take' | Claim {
  if (row.state === 'accepted' || row.state === 'failed' || row.state === 'suppressed') return { outcome: 'done' };
  if (request.attempt < row.attempt) return { outcome: 'done' };
  // A crash between accepted and recorded, but the provider's webhook says that it arrived: no repeat.
  if (row.provider !== undefined && row.provider.state !== 'deferred') return { outcome: 'done' };
  if (row.state === 'sending' && row.leaseUntil !== undefined && row.leaseUntil > request.now) {
    return { outcome: 'busy', leaseUntil: row.leaseUntil };
  }
  return 'take';
}
