// Tells the operators what needs them: the poison queue, failed mails, a provider that refuses us. Peeks, never consumes.
// Called by the timer reportPoisonMail. Counts and ids only, never an address.
import { createHash } from 'node:crypto';
import { newId, type Clock } from './clock';
import type { DeliveryAlert, Deliveries } from './deliveries';
import type { Emit } from './events';
import type { Limits } from './limits';
import type { EmailBackend } from './mail/emailBackend';
import { buildMail } from './mail/renderMail';
import { renderOperatorAlert } from './mail/renderOperatorMail';
import type { SiteSource } from './site';

/** What lies in the poison queue. */
export interface PoisonReport {
  /** Approximate, as the service counts. */
  readonly count: number;
  readonly oldest?: Date;
  /** Of the first 32 at most; a message that is none of ours has no id. */
  readonly ids: readonly string[];
}

/** Looks at the poison queue without taking anything out. Throws `StorageUnavailable`. */
export type PeekPoison = (signal: AbortSignal) => Promise<PoisonReport>;

export interface ReportFlow {
  readonly settings: { readonly admins: readonly string[] };
  readonly clock: Clock;
  readonly emit: Emit;
  readonly deliveries: Deliveries;
  readonly limits: Limits;
  readonly email: EmailBackend;
  readonly site: SiteSource;
  readonly peekPoison: PeekPoison;
}

const throttle = { burst: 1, refillMs: 15 * 60_000 };
/** The same state of affairs is mailed again after a day. */
const sameState = { burst: 1, refillMs: 24 * 3_600_000 };

/**
 * One look: the event `poisonMail`, and a mail to `ADMINS` from `SERVER_EMAIL`, at most one per 15 minutes over all instances.
 * Alerts of deliveries are removed once they were mailed, or at once when there are no `ADMINS`.
 */
export async function reportPoison(flow: ReportFlow, signal: AbortSignal): Promise<void> {
  const now = flow.clock();
  const [poison, alerts] = await Promise.all([flow.peekPoison(signal), flow.deliveries.alerts(signal)]);
  const oldestAgeMinutes =
    poison.oldest === undefined ? undefined : Math.floor((now.getTime() - poison.oldest.getTime()) / 60_000);
  if (poison.count > 0) {
    flow.emit({ event: 'poisonMail', level: 'error', count: poison.count, oldestAgeMinutes, ids: poison.ids });
  }
  for (const { id, kind, reason } of alerts) {
    flow.emit({ event: 'deliveryAlert', level: 'error', mailId: id, kind, reason });
  }
  if (poison.count === 0 && alerts.length === 0) return;
  const told = flow.settings.admins.length === 0 || (await mailAdmins(flow, poison, oldestAgeMinutes, alerts, signal));
  if (told) for (const alert of alerts) await flow.deliveries.dropAlert(alert, signal);
}

async function mailAdmins(
  flow: ReportFlow,
  poison: PoisonReport,
  oldestAgeMinutes: number | undefined,
  alerts: readonly DeliveryAlert[],
  signal: AbortSignal,
): Promise<boolean> {
  const { settings, clock, limits, email, emit } = flow;
  const state = createHash('sha256')
    .update(JSON.stringify([poison.count, poison.ids, alerts.map(({ id }) => id)]))
    .digest('hex');
  const turn = newId();
  const same = `operatorAlert:${state}`;
  if ((await limits.take(same, sameState, turn, clock(), signal)) !== 'ok') return false;
  if ((await limits.take('operatorAlert', throttle, turn, clock(), signal)) !== 'ok') {
    await limits.giveBack(same, sameState, turn, clock(), signal);
    return false;
  }
  const site = await flow.site.current(signal);
  const { domain, name, protocol, serverEmail, locale } = site;
  const misconfigured = alerts.filter(({ kind }) => kind === 'provider').length;
  const rendered = renderOperatorAlert({
    site: { domain, name, protocol, from: serverEmail, locale },
    poisoned: poison.count,
    failed: alerts.length - misconfigured,
    misconfigured,
    ids: [...new Set([...poison.ids, ...alerts.map(({ id }) => id)])],
    ...(oldestAgeMinutes !== undefined && { oldestAgeMinutes }),
  });
  let accepted = 0;
  for (const to of settings.admins) {
    const mail = buildMail({ id: newId(), to, from: serverEmail, category: 'operator-alert', domain }, rendered);
    const sent = await email.send(mail);
    if (sent.outcome === 'accepted') accepted += 1;
    else emit({ event: 'operatorAlertNotSent', level: 'error', reason: sent.reason });
  }
  if (accepted === 0) await limits.giveBack(same, sameState, turn, clock(), signal);
  return accepted > 0;
}
