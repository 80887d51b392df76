// Step 2 of the story: one message of the queue becomes one mail, once. claim → compose → send → record. Called by the queue
// trigger. Returns normally for whatever happens, unless the queue itself is down: then the host keeps the message.
import type { Delivery, Deliveries } from './deliveries';
import { SiteUnavailable, StorageUnavailable } from './errors';
import { errorFields } from './events';
import { composeMail, giveBackTokens, type ComposeFlow } from './composeMail';
import type { EmailBackend, SendResult } from './mail/emailBackend';
import { openOutgoingMail, type OutgoingContent, type OutgoingEnvelope } from './outgoingMail';
import { randomBetween } from './clock';
import { derivedId } from './resetFlow';
import { subjectOf } from './address';

export interface SendMailFlow extends ComposeFlow {
  readonly deliveries: Deliveries;
  readonly email: EmailBackend;
}

/** How long a mail is tried after its request was accepted, in ms; then it is recorded `failed: too late`. */
const giveUpMs = 24 * 3_600_000;
const tooLate = 'too_late';
/** As many attempts as fit into those 24 hours: the bound for messages whose inside we cannot read. */
const maxUnopenedAttempts = 150;
/** The bound while the table of the rows does not answer: a replay may have begun the 24 hours anew. */
const maxRowlessAttempts = 400;
/** The claim and the composing may take this long each, in ms; two backends have 10 + 30 s; the sum stays below the lease. */
const storageMs = 8_000;
/** From this attempt on our own misconfiguration (401/403 of the provider) is an alert: it outlasted a minute. */
const persistentAttempts = 3;

const kinds = {
  resetAddress: 'passwordReset',
  resetAccount: 'passwordReset',
  passwordChanged: 'passwordChanged',
  linkIssued: 'linkIssued',
} as const;
const subOf = (content: OutgoingContent): string =>
  content.kind === 'resetAddress' ? subjectOf(content.email) : content.sub;

/** A message on its way through this step. */
interface Turn {
  readonly envelope: OutgoingEnvelope;
  readonly content: OutgoingContent;
}

/**
 * Handles one message.
 * @param message what the queue trigger hands over: parsed JSON, or a text that was none
 * @throws StorageUnavailable when the queue service fails, and only then
 */
export async function sendMail(flow: SendMailFlow, message: unknown): Promise<void> {
  const opened = openOutgoingMail(flow.settings.signingSecrets, message);
  if (opened.outcome === 'unreadable') {
    flow.emit({ event: 'sendMail', level: 'error', outcome: 'poisoned', reason: 'unreadable' });
    return flow.queue.poison(message, within(storageMs));
  }
  if (opened.outcome === 'notYet') return putBackUnopened(flow, opened.envelope, opened.reason);

  const { envelope, content } = opened;
  const turn: Turn = { envelope, content };
  let delivery: Delivery | undefined;
  try {
    const request = { sub: subOf(content), id: envelope.id, kind: kinds[content.kind], attempt: envelope.attempt };
    const now = flow.clock();
    const claim = await flow.deliveries.claim({ ...request, acceptedAt: content.acceptedAt, now }, within(storageMs));
    if (claim.outcome === 'done') return report(flow, turn, 'done');
    if (claim.outcome === 'busy') {
      const secondsLeft = Math.ceil((claim.leaseUntil.getTime() - now.getTime()) / 1000);
      await flow.queue.send(envelope, Math.max(1, secondsLeft), within(storageMs)); // the same attempt: the other may yet finish
      return report(flow, turn, 'busy');
    }
    delivery = claim.delivery;
    return await deliver(flow, turn, delivery);
  } catch (error) {
    if (error instanceof StorageUnavailable && error.part === 'queue') throw error;
    return putBack(flow, turn, delivery, { reason: reasonOf(flow, turn, error) });
  }
}

/** A bug counts as an outage: the mail waits for the version that is free of it, and the event tells where it is. */
function reasonOf(flow: SendMailFlow, { envelope }: Turn, error: unknown): string {
  if (error instanceof SiteUnavailable) return 'no_good_site_row';
  if (error instanceof StorageUnavailable) return `storage_${error.code}`;
  flow.emit({ event: 'unexpectedError', level: 'error', mailId: envelope.id, ...errorFields(error) });
  return 'unexpected_error';
}

async function deliver(flow: SendMailFlow, turn: Turn, delivery: Delivery): Promise<void> {
  if (isTooOld(flow, delivery)) return giveUp(flow, turn, delivery, tooLate);
  const composed = await composeMail(flow, turn.envelope.id, turn.content, delivery, within(storageMs));
  switch (composed.outcome) {
    case 'nobody': // unknown, inactive, no usable password, or superseded: no mail, no trace
      await flow.deliveries.forget(delivery, within(storageMs));
      return report(flow, turn, 'nobody');
    case 'suppressed':
      await flow.deliveries.record(
        delivery,
        { state: 'suppressed', reason: composed.reason, now: flow.clock() },
        within(storageMs),
      );
      return report(flow, turn, 'suppressed', composed.reason);
    case 'contended':
      return putBack(flow, turn, delivery, { reason: 'limit_contended' });
    case 'composed': {
      const sent = await flow.email.send(composed.mail);
      if (sent.outcome !== 'permanent') return settle(flow, turn, { ...delivery, charged: true }, sent);
      return giveUp(flow, turn, delivery, sent.reason);
    }
  }
}

async function settle(
  flow: SendMailFlow,
  turn: Turn,
  delivery: Delivery,
  sent: Exclude<SendResult, { outcome: 'permanent' }>,
): Promise<void> {
  if (sent.outcome === 'accepted') {
    await recordAccepted(flow, turn, delivery, sent.backend);
    return report(flow, turn, 'accepted', undefined, sent.backend);
  }
  if (sent.misconfigured === true && turn.envelope.attempt >= persistentAttempts) {
    await flow.deliveries.alert(
      { id: derivedId('misconfigured', sent.reason), kind: 'provider', reason: sent.reason, at: flow.clock() },
      within(storageMs),
    );
  }
  return putBack(flow, turn, delivery, sent);
}

/** The mail is out: whatever happens now, it must not be sent again by us. Only a crash of the process can cost a repeat. */
async function recordAccepted(flow: SendMailFlow, turn: Turn, delivery: Delivery, backend: string): Promise<void> {
  try {
    await flow.deliveries.record(
      delivery,
      { state: 'accepted', backend, charged: true, now: flow.clock() },
      within(storageMs),
    );
  } catch (error) {
    flow.emit({ event: 'deliveryNotRecorded', level: 'error', mailId: turn.envelope.id, ...errorFields(error) });
  }
}

/** Sends a copy with `attempt + 1` that becomes visible later; the caller then returns normally and the host deletes this one. */
async function putBack(
  flow: SendMailFlow,
  turn: Turn,
  delivery: Delivery | undefined,
  { reason, retryAfterSeconds = 0 }: { readonly reason: string; readonly retryAfterSeconds?: number | undefined },
): Promise<void> {
  const attempt = turn.envelope.attempt + 1;
  // Without the row its age is not known: a replay by an operator begins the 24 hours anew.
  const isTooLate = delivery === undefined ? attempt > maxRowlessAttempts : isTooOld(flow, delivery);
  if (isTooLate) return giveUp(flow, turn, delivery, tooLate);
  const delaySeconds = Math.max(ownDelaySeconds(turn.envelope.attempt), retryAfterSeconds);
  await flow.queue.send({ ...turn.envelope, attempt }, delaySeconds, within(storageMs));
  if (delivery !== undefined) {
    const change = { state: 'waiting', attempt, reason, charged: delivery.charged, now: flow.clock() } as const;
    // Best effort: without it the lease runs out and the copy takes over.
    await flow.deliveries.record(delivery, change, within(storageMs)).catch((): undefined => undefined);
  }
  report(flow, turn, 'putBack', reason, undefined, delaySeconds);
}

async function putBackUnopened(flow: SendMailFlow, envelope: OutgoingEnvelope, reason: string): Promise<void> {
  const attempt = envelope.attempt + 1;
  const event = { event: 'sendMail', level: 'warn', mailId: envelope.id, attempt: envelope.attempt, reason } as const;
  if (attempt > maxUnopenedAttempts) {
    await flow.queue.poison(envelope, within(storageMs));
    return flow.emit({ ...event, level: 'error', outcome: 'poisoned' });
  }
  await flow.queue.send({ ...envelope, attempt }, ownDelaySeconds(envelope.attempt), within(storageMs));
  flow.emit({ ...event, outcome: 'putBack' });
}

/** Records the failure, leaves an alert for reportPoisonMail and a copy for `outbox replay`. */
async function giveUp(flow: SendMailFlow, turn: Turn, delivery: Delivery | undefined, reason: string): Promise<void> {
  await flow.queue.poison(turn.envelope, within(storageMs));
  try {
    if (reason === tooLate) await giveBackTokens(flow, turn.envelope.id, turn.content, within(storageMs));
    await flow.deliveries.alert({ id: turn.envelope.id, kind: 'mail', reason, at: flow.clock() }, within(storageMs));
    if (delivery !== undefined) {
      await flow.deliveries.record(
        delivery,
        { state: 'failed', reason, charged: delivery.charged, now: flow.clock() },
        within(storageMs),
      );
    }
  } catch (error) {
    flow.emit({ event: 'deliveryNotRecorded', level: 'error', mailId: turn.envelope.id, ...errorFields(error) });
  }
  report(flow, turn, 'failed', reason);
}

const isTooOld = ({ clock }: SendMailFlow, { acceptedAt }: Delivery): boolean =>
  clock().getTime() - acceptedAt.getTime() >= giveUpMs;

/** 10 s doubling to 10 min, spread by ±20 % so that an outage does not end in a stampede. */
function ownDelaySeconds(attempt: number): number {
  const seconds = Math.min(600, 10 * 2 ** Math.min(attempt, 6));
  return randomBetween(seconds * 0.8, Math.min(600, seconds * 1.2));
}

const within = (ms: number): AbortSignal => AbortSignal.timeout(ms);

type Outcome = 'accepted' | 'busy' | 'done' | 'failed' | 'nobody' | 'putBack' | 'suppressed';

function report(
  flow: SendMailFlow,
  { envelope, content }: Turn,
  outcome: Outcome,
  reason?: string,
  backend?: string,
  delaySeconds?: number,
): void {
  const level = outcome === 'failed' ? 'error' : outcome === 'putBack' ? 'warn' : 'info';
  const ageSeconds = Math.round((flow.clock().getTime() - content.acceptedAt.getTime()) / 1000);
  flow.emit({
    event: 'sendMail',
    level,
    mailId: envelope.id,
    kind: kinds[content.kind],
    outcome,
    reason,
    backend,
    attempt: envelope.attempt,
    delaySeconds,
    ageSeconds,
  });
}
