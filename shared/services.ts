// Builds every part of the app from the settings: the only place that does. Touches no network and loads no SDK.
import { systemClock, type Clock } from './clock';
import type { Config } from './config';
import type { Emit } from './events';
import { createHttpDirectory } from './directory/httpDirectory';
import { createSiteEventSender } from './directory/signedCall';
import { createHealthCheck, type Health } from './health';
import { createEmailBackend } from './mail/backends/createEmailBackend';
import { createIpBuckets, createLimitsTable, type IpBuckets, refundLimits } from './limits';
import { describeMailRequest, parseMailRequest, queueMailEvent } from './mailRequest';
import type { OperatorAlertDeps } from './outbox/operatorAlert';
import { createOutbox, type Outbox } from './outbox/worker';
import { derivedId } from './outbox/outgoingMail';
import type { ReportDeps } from './outbox/deliveries';
import { isBreachedPassword } from './password/passwordRules';
import { createPasswordEncoder } from './password/passwordHash';
import type { ResetDeps } from './resetDeps';
import { prepareMail } from './resetFlow';
import { createSiteSource } from './site';
import { createAccountsTable } from './storage/accountsTable';
import { createDeliveriesTable } from './storage/deliveriesTable';
import { createOutgoingMailQueue, createPeekPoison } from './storage/outgoingMailQueue';
import { createResetKeysTable } from './resetLinks';
import { createSiteTable } from './storage/siteTable';
import { createStorageClients, poisonQueueName, type StorageClients } from './storage/storage';

/** Everything the triggers need. */
export interface Services extends ResetDeps, OperatorAlertDeps, ReportDeps {
  readonly settings: Config;
  readonly ipBuckets: IpBuckets;
  readonly storage: StorageClients;
  readonly outbox: Outbox;
  readonly checkHealth: () => Promise<Health>;
}

/** @param emit where events go; the triggers write them to the invocation's log */
export function buildServices(config: Config, emit: Emit, clock: Clock = systemClock): Services {
  const storage = createStorageClients(config.storage);
  const deliveries = createDeliveriesTable(storage.table('Deliveries'));
  const siteRows = createSiteTable(storage.table('SiteSettings'), storage.table('SiteTexts'), config.siteId);
  const site = createSiteSource(siteRows, config.siteDefaults, config.development, clock, emit);
  const { pwnedPasswordsUrl, hasher } = config.password;
  const { directory, siteEvents } = config;

  const reset: ResetDeps = {
    settings: config,
    clock,
    emit,
    site,
    queue: createOutgoingMailQueue(storage.putMessage),
    accounts:
      directory.kind === 'http'
        ? createHttpDirectory(directory, emit, clock)
        : createAccountsTable(storage.table('Accounts'), emit, async (addressHash, reason) => {
            const id = derivedId('account_row', addressHash, clock().toISOString().slice(0, 10));
            await deliveries.alert({ id, mailId: undefined, kind: 'account', reason, at: clock() });
          }),
    resetKeys: createResetKeysTable(storage.table('ResetKeys')),
    limits: createLimitsTable(storage.table('Limits')),
    email: createEmailBackend(config.email, { emit, clock }),
    encodePassword:
      directory.kind === 'http' && directory.passwordFormat === 'plain'
        ? (newPassword) => Promise.resolve(newPassword)
        : createPasswordEncoder(hasher, emit),
    isBreached:
      pwnedPasswordsUrl === undefined ? undefined : (password) => isBreachedPassword(pwnedPasswordsUrl, password, emit),
    sendSiteEvent: siteEvents && createSiteEventSender(siteEvents),
  };
  return {
    ...reset,
    settings: config,
    storage,
    deliveries,
    outbox: createOutbox(
      { ...reset, deliveries },
      { parse: parseMailRequest, describe: describeMailRequest, prepare: prepareMail, refund: refundLimits },
    ),
    peekPoison: createPeekPoison(() => storage.queue(poisonQueueName)),
    onReport: (addressHash, mailId, report) => queueMailEvent(reset, addressHash, mailId, report),
    ipBuckets: createIpBuckets(config.limits.perIp, clock),
    checkHealth: createHealthCheck(storage, site, config.siteId),
  };
}
