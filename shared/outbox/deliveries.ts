// The Deliveries rows: what became of each mail, so that it is sent once and an operator can see it, also by what a provider reports. No
// address in them.
import type { Emit } from '../events';
import { StorageUnavailable } from '../errors';

/** Why there is a mail (or a site event, which travels the same way). */
export const mailKinds = ['passwordReset', 'passwordChanged', 'linkIssued', 'siteEvent'] as const;
export type MailKind = (typeof mailKinds)[number];

interface DeliveryCommon {
  readonly addressHash: string;
  /** The mail's id. */
  readonly id: string;
  readonly kind: MailKind;
  /** The attempt that owns the row; a message with a smaller one is a duplicate. */
  readonly attempt: number;
  /** When the request was accepted, or replayed by an operator: 24 hours later the mail is given up. */
  readonly acceptedAt: Date;
  /** The limits were charged for this mail: once per mail, however often it is tried. */
  readonly charged: boolean;
  /** How many sends ended without a clear answer of the provider. */
  readonly unsureTries: number;
  /** How often the provider refused our settings. */
  readonly refusedTries: number;
  readonly updatedAt: Date;
  /** What the provider's webhook reported since. */
  readonly provider: ProviderReport | undefined;
  readonly etag: string;
}

/** The last four are final for the worker. */
export const deliveryStates = ['sending', 'waiting', 'accepted', 'failed', 'unsure', 'suppressed'] as const;

/** One row. */
export type Delivery = DeliveryCommon & DeliveryState;
export type DeliveryState =
  /** A worker holds the mail until `leaseUntil`. */
  | { readonly state: 'sending'; readonly leaseUntil: Date; readonly claimId: string }
  /** Retried later. */
  | { readonly state: 'waiting'; readonly reason: string }
  | { readonly state: 'accepted'; readonly backend: string }
  | { readonly state: 'failed'; readonly reason: string }
  /** The provider may have accepted it; three tries gave no clear answer. */
  | { readonly state: 'unsure'; readonly reason: string }
  /** A limit forbade it; one row counts all such mails of an address. */
  | { readonly state: 'suppressed'; readonly reason: string; readonly count: number };

/** What `claim` needs to make a row. */
export interface ClaimRequest {
  readonly addressHash: string;
  readonly id: string;
  readonly kind: MailKind;
  readonly attempt: number;
  readonly acceptedAt: Date;
  /** Random; tells a worker its own row when the reply to the write was lost. */
  readonly claimId: string;
  readonly now: Date;
}

/** How long a worker may hold a mail before another takes it over, in ms: longer than claim, preparation and send may take. */
export const leaseMs = 60_000;

export type Claim =
  | { readonly outcome: 'claimed'; readonly delivery: Delivery }
  /** Another worker holds it until then. */
  | { readonly outcome: 'busy'; readonly leaseUntil: Date }
  /** In a final state, or a duplicate: there is nothing to do. */
  | { readonly outcome: 'done' }
  | { readonly outcome: 'contended' };

/** What may change in a row after it was claimed. */
export type DeliveryChange = Exclude<DeliveryState, { state: 'sending' | 'suppressed' }> & {
  readonly attempt?: number;
  readonly charged?: boolean;
  readonly unsureTries?: number;
  readonly refusedTries?: number;
  readonly now: Date;
};

/** Every call throws `StorageUnavailable` if the store does not answer. */
export interface Deliveries {
  /** Takes the mail for this worker by insert or ETag. */
  claim(request: ClaimRequest): Promise<Claim>;
  /** Writes what became of a claimed mail, unless another worker has taken it over. */
  record(delivery: Delivery, change: DeliveryChange): Promise<void>;
  /** Removes the row of a mail that concerns no account: unknown addresses leave no trace. */
  forget(delivery: Delivery): Promise<void>;
  /** Removes the row of a mail that a limit forbade, and counts it in the address's one row of such mails. */
  suppress(delivery: Delivery, reason: string, now: Date): Promise<void>;
  /** Leaves a note for the operators. @returns false if there was one with this id, also one that they were told of */
  alert(alert: DeliveryAlert): Promise<boolean>;
  /** The notes that they were not told of yet, among the first 1000. */
  alerts(): Promise<DeliveryAlert[]>;
  markTold(alert: DeliveryAlert): Promise<void>;
  /** Everything about the mails of one address, newest first. */
  findByAddressHash(addressHash: string): Promise<Delivery[]>;
  /** Adds what the provider says of a mail after it accepted it. State only moves forward: a repeat changes nothing. */
  noteProvider(addressHash: string, id: string, report: ProviderReport): Promise<NotedReport>;
}

/** `stale`: the row says as much or more already. `unknown`: there is no such mail. */
export type NotedReport = 'noted' | 'stale' | 'unknown' | 'contended';

/** What a provider's webhook reports, by rank. */
export const providerStates = ['deferred', 'delivered', 'blocked', 'dropped', 'bounced', 'spamReported'] as const;
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

/**
 * A note for the operators. `mail`: one mail failed. `unsure`: it may or may not have been sent. `provider`: the provider has been
 * refusing our settings for more than a minute. `account`: a row of the Accounts table cannot be read.
 */
export const alertKinds = ['mail', 'unsure', 'provider', 'account'] as const;

export interface DeliveryAlert {
  /** Derived from what is reported once a day. */
  readonly id: string;
  /** A mail that it is about; undefined for an account. */
  readonly mailId: string | undefined;
  readonly kind: (typeof alertKinds)[number];
  readonly reason: string;
  readonly at: Date;
}

/** The rule of `claim`, for every implementation: what a message of this attempt may do with the row that is there. */
export function judgeClaim(row: Delivery, request: ClaimRequest): 'take' | Claim {
  const isFinal = row.state !== 'sending' && row.state !== 'waiting';
  if (isFinal || request.attempt < row.attempt) return { outcome: 'done' };
  // A crash between accepted and recorded, but the provider's webhook says that it arrived: no repeat.
  if (row.provider !== undefined && row.provider.state !== 'deferred') return { outcome: 'done' };
  if (row.state === 'sending' && row.leaseUntil > request.now && row.claimId !== request.claimId) {
    return { outcome: 'busy', leaseUntil: row.leaseUntil };
  }
  return 'take';
}

/** What a webhook says about one mail. */
export interface MailReport extends ProviderReport {
  /** The partitions that the mail may be recorded in: an international domain has two forms. */
  readonly addressHashes: readonly string[];
  readonly mailId: string;
}

export interface ReportDeps {
  readonly deliveries: Deliveries;
  readonly emit: Emit;
  /** Told of each report, also of one that is recorded already. */
  readonly onReport: (addressHash: string, mailId: string, report: ProviderReport) => Promise<void>;
}

const parallel = 32;

/**
 * Records the furthest report of each mail; what is recorded already costs one read, so that a batch that was cut is resumed.
 * @throws StorageUnavailable: the provider repeats the batch
 */
export async function noteReports(
  deps: ReportDeps,
  reports: readonly MailReport[],
): Promise<Record<'noted' | 'stale' | 'unknown', number>> {
  const furthest = new Map<string, MailReport>();
  for (const report of reports) {
    if (isForward(furthest.get(report.mailId), report)) furthest.set(report.mailId, report);
  }
  const counts = { noted: 0, stale: reports.length - furthest.size, unknown: 0 };
  const waiting = [...furthest.values()];
  const worker = async (): Promise<void> => {
    for (let report = waiting.pop(); report !== undefined; report = waiting.pop()) {
      const noted = await noteReport(deps, report);
      if (noted === 'contended') throw new StorageUnavailable('tables', 'contended');
      counts[noted] += 1;
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return counts;
}

const bad = new Set(['blocked', 'dropped', 'bounced', 'spamReported']);

async function noteReport(deps: ReportDeps, { addressHashes, mailId, state, at }: MailReport): Promise<NotedReport> {
  for (const addressHash of addressHashes) {
    const noted = await deps.deliveries.noteProvider(addressHash, mailId, { state, at });
    if (noted === 'unknown') continue;
    const level = bad.has(state) ? 'error' : 'info';
    if (noted === 'noted') deps.emit({ event: 'mailReported', level, mailId, state });
    // Also for a repeat: the first time may have ended between the record and the event, whose id is derived.
    if (noted !== 'contended') await deps.onReport(addressHash, mailId, { state, at });
    return noted;
  }
  return 'unknown';
}
