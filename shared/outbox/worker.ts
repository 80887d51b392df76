// Reliable delivery: one message of the queue becomes one mail, once. claim → prepare → send → record, or retry later, or give up.
// The handler knows what a message means; the outbox knows no account and no password.
import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Clock, newId, randomBetween, withDeadline } from '../clock';
import { SiteUnavailable, StorageUnavailable } from '../errors';
import { type AppEvent, type Emit, errorFields } from '../events';
import type { SendResult } from '../mail/emailBackend';
import type { Deliveries, Delivery, MailKind } from './deliveries';
import { derivedId, type Envelope, openMessage, type OutgoingMailQueue, type SealSettings } from './outgoingMail';

export interface OutboxDeps {
  readonly settings: SealSettings;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly queue: OutgoingMailQueue;
  readonly deliveries: Deliveries;
  /** Aborts when the process must stop: nothing new is begun, and a send that is not done by then is retried elsewhere. */
  readonly stopping: AbortSignal;
}

/** The mail of a message. */
export interface QueuedMail {
  readonly id: string;
  /** An earlier attempt was charged to the limits. */
  readonly charged: boolean;
}

/** What a message means. */
export interface MailHandler<Deps, Request> {
  /** @returns undefined if the unsealed inside is not a request */
  parse(inside: unknown): Request | undefined;
  describe(request: Request): { readonly addressHash: string; readonly kind: MailKind; readonly acceptedAt: Date };
  /** Decides what to send, by what is true now. May be called again for the same mail. */
  prepare(deps: Deps, request: Request, mail: QueuedMail): Promise<Prepared>;
  /** Undoes what `prepare` charged for a mail that an outage kept from being sent. */
  refund(deps: Deps, request: Request, mailId: string): Promise<void>;
}

export type Prepared =
  | { readonly outcome: 'ready'; readonly send: () => Promise<SendResult> }
  /** There is nobody to write to: no mail, no trace. */
  | { readonly outcome: 'nobody' }
  /** A limit forbids it. */
  | { readonly outcome: 'suppressed'; readonly reason: string }
  | { readonly outcome: 'retry_later'; readonly reason: string }
  /** What the mail reports has not happened yet; not an attempt. */
  | { readonly outcome: 'not_yet'; readonly delaySeconds: number };

/** How long a mail is tried after its request was accepted, in ms; then it is recorded `failed: too_late`. */
const giveUpMs = 24 * 3_600_000;
const tooLate = 'too_late';
/** As many attempts as fit into those 24 hours: the bound for messages that cannot be opened. */
const maxUnopenedAttempts = 150;
/** The bound while the table does not answer: a replay may have begun the 24 hours anew. */
const maxRowlessAttempts = 400;
/** A send without a clear answer is repeated at most twice, with these delays; each may be the second copy of the mail. */
const unsureDelaysSeconds = [60, 600];
/** From this refusal of our settings (401/403) on, it is an alert: it has lasted a minute. */
const persistentTries = 4;
/** Claim and preparation may take this long each, in ms; with two sends of 8 s the sum stays below the lease. */
const storageMs = 8_000;

const within = <T>(task: () => Promise<T>): Promise<T> => withDeadline(storageMs, task);

interface Job {
  readonly envelope: Envelope;
  readonly addressHash: string;
  readonly kind: MailKind;
  readonly acceptedAt: Date;
  /** The handler's, for this message. */
  readonly prepare: (charged: boolean) => Promise<Prepared>;
  readonly refund: () => Promise<void>;
}

/**
 * Handles one message. Returns normally whatever happens, unless the queue service fails: then the host keeps the message.
 * @param message what the queue trigger hands over: parsed JSON, or a text that was none
 * @throws StorageUnavailable (part `queue`)
 */
async function handleMessage<Deps extends OutboxDeps, Request>(
  deps: Deps,
  handler: MailHandler<NoInfer<Deps>, Request>,
  message: unknown,
): Promise<void> {
  const opened = openMessage(deps.settings, message);
  if (opened.outcome === 'not_yet') return retryUnopened(deps, opened.envelope, opened.reason);
  const request = opened.outcome === 'opened' ? handler.parse(opened.inside) : undefined;
  if (opened.outcome === 'unreadable' || request === undefined) {
    await within(() => deps.queue.poison(message));
    return deps.emit({ event: 'sendMail', level: 'error', outcome: 'poisoned', reason: 'unreadable' });
  }
  const { envelope } = opened;
  const { addressHash, kind, acceptedAt } = handler.describe(request);
  const job: Job = {
    envelope,
    addressHash,
    kind,
    acceptedAt,
    prepare: (charged) => handler.prepare(deps, request, { id: envelope.id, charged }),
    refund: () => handler.refund(deps, request, envelope.id),
  };
  if (deps.stopping.aborted) return sendBack(deps, job, 1);

  let delivery: Delivery | undefined;
  try {
    const { id, attempt } = envelope;
    const now = deps.clock();
    const claimed = { addressHash, id, kind, attempt, acceptedAt, claimId: newId(), now };
    const claim = await within(() => deps.deliveries.claim(claimed));
    switch (claim.outcome) {
      case 'done':
        return report(deps, job, 'done');
      case 'busy':
        return await sendBack(deps, job, (claim.leaseUntil.getTime() - now.getTime()) / 1000);
      case 'contended':
        return await retryLater(deps, job, undefined, { reason: 'claim_contended' });
      case 'claimed':
        delivery = claim.delivery;
        return await deliver(deps, job, delivery);
    }
  } catch (error) {
    if (error instanceof StorageUnavailable && error.part === 'queue') throw error;
    return retryLater(deps, job, delivery, { reason: reasonOf(deps, envelope, error) });
  }
}

/** A bug counts as an outage: the mail waits for the version that is free of it. */
function reasonOf(deps: OutboxDeps, { id }: Envelope, error: unknown): string {
  if (error instanceof SiteUnavailable) return 'no_good_site_row';
  if (error instanceof StorageUnavailable) return `storage_${error.code}`;
  deps.emit({ event: 'unexpectedError', level: 'error', mailId: id, ...errorFields(error) });
  return 'unexpected_error';
}

async function deliver(deps: OutboxDeps, job: Job, delivery: Delivery): Promise<void> {
  if (isTooOld(deps, delivery)) return giveUp(deps, job, delivery, tooLate);
  const prepared = await within(() => job.prepare(delivery.charged));
  switch (prepared.outcome) {
    case 'nobody':
      await within(() => deps.deliveries.forget(delivery));
      return report(deps, job, 'nobody');
    case 'suppressed':
      await within(() => deps.deliveries.suppress(delivery, prepared.reason, deps.clock()));
      return report(deps, job, 'suppressed', { reason: prepared.reason });
    case 'retry_later':
      return retryLater(deps, job, delivery, prepared);
    case 'not_yet':
      await within(() => deps.deliveries.forget(delivery));
      return sendBack(deps, job, prepared.delaySeconds);
    case 'ready': {
      if (deps.stopping.aborted) return retryLater(deps, job, delivery, { reason: 'stopped' });
      const sent = await untilStop(deps.stopping, prepared.send());
      return settle(deps, job, { ...delivery, charged: true }, sent);
    }
  }
}

/** The result of a send, or an unsure one if the process must stop first. */
async function untilStop(stopping: AbortSignal, send: Promise<SendResult>): Promise<SendResult> {
  let onStop: () => void = () => undefined;
  let timer: NodeJS.Timeout | undefined;
  const stopped = new Promise<SendResult>((resolve) => {
    onStop = () => {
      timer = setTimeout(() => resolve({ outcome: 'transient', reason: 'stopped', surelyNotAccepted: false }), stopMs);
    };
    // The signal may have come while the mail was prepared.
    if (stopping.aborted) onStop();
    else stopping.addEventListener('abort', onStop, { once: true });
  });
  try {
    return await Promise.race([send, stopped]);
  } finally {
    clearTimeout(timer);
    stopping.removeEventListener('abort', onStop);
  }
}

/** What is left to a send when the process is told to stop, in ms: the host allows 10 s in all. */
const stopMs = 6_000;

async function settle(deps: OutboxDeps, job: Job, delivery: Delivery, sent: SendResult): Promise<void> {
  const now = deps.clock();
  if (sent.outcome === 'accepted') {
    await recordFinal(deps, delivery, { state: 'accepted', backend: sent.backend, charged: true, now });
    return report(deps, job, 'accepted', { backend: sent.backend });
  }
  const { reason } = sent;
  if (sent.outcome === 'permanent') return refused(deps, job, delivery, reason);
  const refusedTries = delivery.refusedTries + (sent.misconfigured === true ? 1 : 0);
  const tried = { ...delivery, refusedTries };
  if (sent.maxAttempts !== undefined && refusedTries >= sent.maxAttempts) return refused(deps, job, delivery, reason);
  if (sent.misconfigured === true && refusedTries >= persistentTries) {
    const kind = job.kind === 'siteEvent' ? 'mail' : 'provider';
    await alert(deps, job, { once: ['misconfigured', reason], kind, reason });
  }
  if (sent.surelyNotAccepted) return retryLater(deps, job, tried, sent);
  const unsureTries = delivery.unsureTries + 1;
  const retryAfterSeconds = unsureDelaysSeconds[unsureTries - 1];
  if (retryAfterSeconds !== undefined) {
    return retryLater(deps, job, { ...tried, unsureTries }, { reason, retryAfterSeconds });
  }
  await recordFinal(deps, delivery, { state: 'unsure', reason, charged: true, unsureTries, now });
  await alert(deps, job, { once: [delivery.id], kind: 'unsure', reason });
  report(deps, job, 'unsure', { reason });
}

/** The provider will never accept this mail. */
async function refused(deps: OutboxDeps, job: Job, delivery: Delivery, reason: string): Promise<void> {
  await recordFinal(deps, delivery, { state: 'failed', reason, charged: true, now: deps.clock() });
  await alert(deps, job, { once: ['refused', delivery.addressHash], kind: 'mail', reason });
  report(deps, job, 'failed', { reason });
}

/** The mail is out or refused: whatever happens now, it is not sent again. Only a crash of the process can cost a repeat. */
async function recordFinal(deps: OutboxDeps, delivery: Delivery, change: Parameters<Deliveries['record']>[1]) {
  try {
    await within(() => deps.deliveries.record(delivery, change));
  } catch (error) {
    deps.emit({ event: 'deliveryNotRecorded', level: 'error', mailId: delivery.id, ...errorFields(error) });
  }
}

/** Puts the message back as it is; the claim of another worker, or of the next one, decides then. */
async function sendBack(deps: OutboxDeps, job: Job, delaySeconds: number): Promise<void> {
  await within(() => deps.queue.send(job.envelope, Math.ceil(delaySeconds)));
  report(deps, job, 'busy', { delaySeconds: Math.ceil(delaySeconds) });
}

/** Sends a copy with `attempt + 1` that becomes visible later; the caller returns normally and the host deletes the message. */
async function retryLater(
  deps: OutboxDeps,
  job: Job,
  delivery: Delivery | undefined,
  { reason, retryAfterSeconds = 0 }: { readonly reason: string; readonly retryAfterSeconds?: number | undefined },
): Promise<void> {
  const attempt = job.envelope.attempt + 1;
  // Without the row its age is not known: a replay by an operator begins the 24 hours anew.
  if (delivery === undefined && attempt > maxRowlessAttempts) return giveUp(deps, job, delivery, tooLate);
  const delaySeconds = Math.max(backoffSeconds(job.envelope.attempt), retryAfterSeconds);
  await within(() => deps.queue.send({ ...job.envelope, attempt }, delaySeconds));
  if (delivery !== undefined) {
    const { charged, unsureTries, refusedTries } = delivery;
    const counts = { attempt, charged, unsureTries, refusedTries };
    const change = { state: 'waiting', reason, ...counts, now: deps.clock() } as const;
    // Best effort: without it the lease runs out and the copy takes over.
    await within(() => deps.deliveries.record(delivery, change)).catch(() => undefined);
  }
  report(deps, job, 'retry_later', { reason, delaySeconds });
}

async function retryUnopened(deps: OutboxDeps, envelope: Envelope, reason: string): Promise<void> {
  const { id: mailId, attempt } = envelope;
  const event = { event: 'sendMail', mailId, attempt, reason } as const;
  if (attempt >= maxUnopenedAttempts) {
    await within(() => deps.queue.poison(envelope));
    return deps.emit({ ...event, level: 'error', outcome: 'poisoned' });
  }
  const delaySeconds = backoffSeconds(attempt);
  await within(() => deps.queue.send({ ...envelope, attempt: attempt + 1 }, delaySeconds));
  deps.emit({ ...event, level: 'warn', outcome: 'retry_later', delaySeconds });
}

/** An outage lasted longer than a mail is tried: records it, alerts, and leaves a copy in the poison queue for `outbox replay`. */
async function giveUp(deps: OutboxDeps, job: Job, delivery: Delivery | undefined, reason: string): Promise<void> {
  await within(() => deps.queue.poison(job.envelope));
  if (delivery !== undefined) {
    await recordFinal(deps, delivery, { state: 'failed', reason, charged: delivery.charged, now: deps.clock() });
  }
  await alert(deps, job, { once: ['given up', job.addressHash], kind: 'mail', reason });
  await within(() => job.refund()).catch(() => undefined);
  report(deps, job, 'failed', { reason });
}

/**
 * Notes what operators must know, and emits it. Best effort.
 * @param about the same alert is raised once a day: anybody can ask again and again for an address that bounces
 */
async function alert(
  deps: OutboxDeps,
  { envelope: { id: mailId } }: Job,
  about: { readonly once: readonly string[]; readonly kind: 'mail' | 'unsure' | 'provider'; readonly reason: string },
): Promise<void> {
  const { once, kind, reason } = about;
  const at = deps.clock();
  const id = derivedId(...once, at.toISOString().slice(0, 10));
  const isNew = await within(() => deps.deliveries.alert({ id, mailId, kind, reason, at })).catch(() => true);
  if (isNew) deps.emit({ event: 'deliveryAlert', level: 'error', mailId, kind, reason });
}

const isTooOld = ({ clock }: OutboxDeps, { acceptedAt }: Delivery): boolean =>
  clock().getTime() - acceptedAt.getTime() >= giveUpMs;

/** 10 s doubling to 10 min, spread by ±20 % so that an outage does not end in a stampede. */
function backoffSeconds(attempt: number): number {
  const seconds = Math.min(600, 10 * 2 ** Math.min(attempt, 6));
  return randomBetween(seconds * 0.8, Math.min(600, seconds * 1.2));
}

type SendMailEvent = Extract<AppEvent, { event: 'sendMail' }>;

function report(
  deps: OutboxDeps,
  { envelope: { id: mailId, attempt }, kind, acceptedAt }: Job,
  outcome: SendMailEvent['outcome'],
  more: Pick<SendMailEvent, 'reason' | 'backend' | 'delaySeconds'> = {},
): void {
  const levels: Partial<Record<typeof outcome, 'error' | 'warn'>> = {
    failed: 'error',
    unsure: 'error',
    retry_later: 'warn',
  };
  const level = levels[outcome] ?? 'info';
  const ageSeconds = Math.round((deps.clock().getTime() - acceptedAt.getTime()) / 1000);
  deps.emit({ event: 'sendMail', level, outcome, mailId, kind, attempt, ageSeconds, ...more });
}

export interface Outbox {
  /** Handles one message of the queue, see `handleMessage`. */
  readonly handle: (message: unknown) => Promise<void>;
  /** Begins nothing new, and waits for what is in flight: 8 s at most, of the 10 s that the host allows. */
  stop(): Promise<void>;
}

/** The whole time of a stop, recording included, in ms. */
const wholeStopMs = 8_000;

export function createOutbox<Deps extends Omit<OutboxDeps, 'stopping'>, Request>(
  deps: Deps,
  handler: MailHandler<NoInfer<Deps>, Request>,
): Outbox {
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // one listener per mail in flight
  const inFlight = new Set<Promise<void>>();
  return {
    handle: async (message) => {
      const handled = handleMessage({ ...deps, stopping: stopping.signal }, handler, message);
      inFlight.add(handled);
      await handled.finally(() => inFlight.delete(handled));
    },
    stop: async () => {
      stopping.abort();
      const timer = new AbortController();
      const late = sleep(wholeStopMs, undefined, { signal: timer.signal }).catch(() => undefined);
      await Promise.race([Promise.allSettled(inFlight), late]);
      timer.abort();
    },
  };
}
