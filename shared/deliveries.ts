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
}

/** A note for the operator: a mail that failed, or a provider that has been refusing us. */
export interface DeliveryAlert {
  /** The mail's id, or an id derived from the reason. */
  readonly id: string;
  readonly reason: string;
  readonly at: Date;
}

/** The rule of `claim`, for every implementation: what a message of this attempt may do with the row that is there. */
export function judgeClaim(row: Delivery, request: ClaimRequest): 'take' | Claim {
  if (row.state === 'accepted' || row.state === 'failed' || row.state === 'suppressed') return { outcome: 'done' };
  if (request.attempt < row.attempt) return { outcome: 'done' };
  if (row.state === 'sending' && row.leaseUntil !== undefined && row.leaseUntil > request.now) {
    return { outcome: 'busy', leaseUntil: row.leaseUntil };
  }
  return 'take';
}
