// Reports to the operators what needs them: the poison queue, failed mails, a provider that refuses us. Peeks, never consumes.
// Counts and ids only, never an address.
import { createHash } from 'node:crypto';
import { newId, type Clock } from '../clock';
import type { Emit } from '../events';
import type { Limits } from '../limits';
import type { EmailBackend } from '../mail/emailBackend';
import { buildMail } from '../mail/renderMail';
import { renderOperatorAlert } from '../mail/renderOperatorMail';
import type { SiteSource } from '../site';
import type { Deliveries, DeliveryAlert } from './deliveries';

export interface PoisonReport {
  /** Approximate, as the service counts. */
  readonly count: number;
  readonly oldest: Date | undefined;
  /** Of the first 32 at most; a message that is not one of ours has no id. */
  readonly ids: readonly string[];
}

/** Looks at the poison queue without taking anything out. Throws `StorageUnavailable`. */
export type PeekPoison = () => Promise<PoisonReport>;

export interface OperatorAlertDeps {
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
/** The same alerts are mailed again after a day. */
const sameState = { burst: 1, refillMs: 24 * 3_600_000 };

/**
 * One look: the event `poisonMail`, and a mail to `ADMINS` from `SERVER_EMAIL`, at most one per 15 minutes over all instances.
 * Alerts are marked once they were mailed, or at once if there are no `ADMINS`; they stay, so that the same one is not raised again.
 */
export async function reportPoison(deps: OperatorAlertDeps): Promise<void> {
  const now = deps.clock();
  const [poison, alerts] = await Promise.all([deps.peekPoison(), deps.deliveries.alerts()]);
  const oldestAgeMinutes =
    poison.oldest === undefined ? undefined : Math.floor((now.getTime() - poison.oldest.getTime()) / 60_000);
  if (poison.count > 0) {
    deps.emit({ event: 'poisonMail', level: 'error', count: poison.count, oldestAgeMinutes, ids: poison.ids });
  }
  if (poison.count === 0 && alerts.length === 0) return;
  const told = deps.settings.admins.length === 0 || (await mailAdmins(deps, poison, oldestAgeMinutes, alerts));
  if (told) for (const alert of alerts) await deps.deliveries.markTold(alert);
}

async function mailAdmins(
  deps: OperatorAlertDeps,
  poison: PoisonReport,
  oldestAgeMinutes: number | undefined,
  alerts: readonly DeliveryAlert[],
): Promise<boolean> {
  const { settings, clock, limits, email, emit } = deps;
  const state = createHash('sha256')
    .update(JSON.stringify([...poison.ids, ...alerts.map(({ id }) => id)].sort()))
    .digest('hex');
  const turn = newId();
  const same = `operatorAlert:${state}`;
  const { domain, name, serverEmail, locale } = await deps.site.current();
  const isNew = await limits.take(same, sameState, turn, clock());
  if (isNew !== 'ok') return isNew === 'over'; // these were mailed before
  if ((await limits.take('operatorAlert', throttle, turn, clock())) !== 'ok') {
    await limits.refund(same, sameState, turn, clock());
    return false;
  }
  const countOf = (...kinds: DeliveryAlert['kind'][]): number =>
    alerts.filter(({ kind }) => kinds.includes(kind)).length;
  const rendered = renderOperatorAlert({
    site: { domain, name, from: serverEmail, locale },
    poisoned: poison.count,
    failed: countOf('mail', 'unsure'),
    misconfigured: countOf('provider'),
    unreadableAccounts: countOf('account'),
    ids: [...new Set([...poison.ids, ...alerts.flatMap(({ mailId }) => mailId ?? [])])],
    oldestAgeMinutes,
  });
  let accepted = 0;
  for (const to of settings.admins) {
    const mail = buildMail({ id: newId(), to, from: serverEmail, category: 'operator-alert', domain }, rendered);
    const sent = await email.send(mail);
    if (sent.outcome === 'accepted') accepted += 1;
    else emit({ event: 'operatorAlertNotSent', level: 'error', reason: sent.reason });
  }
  if (accepted === 0) await limits.refund(same, sameState, turn, clock());
  return accepted > 0;
}
