// The story and the outbox on memory tables under the real adapters, with a clock that a test sets and every event captured.
import { once } from 'node:events';
import { addressHashOf } from '../../shared/address';
import { deadline } from '../../shared/clock';
import { StorageUnavailable } from '../../shared/errors';
import type { AppEvent } from '../../shared/events';
import { createLimitsTable, type Rate, refundLimits } from '../../shared/limits';
import type { Mail } from '../../shared/mail/emailBackend';
import { describeMailRequest, parseMailRequest } from '../../shared/mailRequest';
import { createOutbox, type OutboxDeps } from '../../shared/outbox/worker';
import { openMessage } from '../../shared/outbox/outgoingMail';
import { createPasswordEncoder } from '../../shared/password/passwordHash';
import type { Requester, ResetDeps } from '../../shared/resetDeps';
import { prepareMail, requestReset } from '../../shared/resetFlow';
import type { NamedSecret } from '../../shared/outbox/outgoingMail';
import { createSiteSource, defaultResetUrl, type Site } from '../../shared/site';
import { createAccountsTable } from '../../shared/storage/accountsTable';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import { createResetKeysTable } from '../../shared/resetLinks';
import { createSiteTable } from '../../shared/storage/siteTable';
import { createMemoryQueue } from '../fakes/memoryQueue';
import { createMemoryTableStore, type MemoryTableStore, type TableCall } from '../fakes/memoryTableStore';
import { createScriptedEmail } from '../fakes/scriptedEmail';

export const secretA: NamedSecret = { kid: 'a', secret: Buffer.alloc(32, 'secret A ') };
export const secretB: NamedSecret = { kid: 'b', secret: Buffer.alloc(32, 'secret B ') };
/** The instant at which every test begins. */
export const start = new Date('2026-03-01T12:00:00.000Z');
/** Passes every rule. */
export const goodPassword = 'correct horse battery staple';
/** A usable password that nobody knows. */
export const oldPassword = 'pbkdf2_sha256$1$salt$AAAA';

export const codalab: Site = {
  domain: 'codalab.org',
  name: 'CodaLab',
  protocol: 'https',
  defaultFromEmail: 'info@codalab.org',
  serverEmail: 'server@codalab.org',
  contactEmail: 'help@codalab.org',
  locale: 'en',
  resetUrl: defaultResetUrl,
};

/** A clock that stands still until a test moves it. */
export function createTestClock(at: Date = start) {
  let instant = at;
  return {
    now: (): Date => instant,
    set: (to: Date): void => {
      instant = to;
    },
    /** Forwards, or backwards with a negative number. */
    advance: (seconds: number): void => {
      instant = new Date(instant.getTime() + seconds * 1000);
    },
  };
}

type FlowDeps = ResetDeps & Omit<OutboxDeps, 'stopping'>;

export type TestFlow = ReturnType<typeof createTestFlow>;

interface AccountColumns {
  readonly email: string;
  readonly id?: string;
  readonly username?: string;
  readonly [column: string]: unknown;
}

export interface TestFlowOptions {
  readonly signingSecrets?: readonly [NamedSecret, ...NamedSecret[]];
  readonly perAddress?: Rate | 'off';
  readonly perIp?: Rate | 'off';
  readonly site?: Site;
  readonly sealingSecrets?: ResetDeps['settings']['sealingSecrets'];
  readonly mailExtraLines?: ResetDeps['settings']['mailExtraLines'];
  readonly sendSiteEvent?: ResetDeps['sendSiteEvent'];
  readonly isBreached?: (password: string) => Promise<boolean>;
}

export const createTestOutbox = (deps: FlowDeps) =>
  createOutbox(deps, {
    parse: parseMailRequest,
    describe: describeMailRequest,
    prepare: prepareMail,
    refund: refundLimits,
  });

export function createTestFlow(options: TestFlowOptions = {}) {
  const clock = createTestClock();
  const events: AppEvent[] = [];
  const emit = (event: AppEvent): void => void events.push(event);
  const tables = {
    accounts: createMemoryTableStore(),
    resetKeys: createMemoryTableStore(),
    limits: createMemoryTableStore(),
    deliveries: createMemoryTableStore(),
    site: createMemoryTableStore(),
    siteTexts: createMemoryTableStore(),
  };
  const queue = createMemoryQueue();
  const email = createScriptedEmail();
  const { perAddress = { burst: 3, refillMs: 300_000 }, perIp = { burst: 60, refillMs: 60_000 } } = options;
  const signingSecrets = options.signingSecrets ?? [secretA];
  const deps: FlowDeps = {
    settings: {
      signingSecrets,
      sealingSecrets: options.sealingSecrets ?? signingSecrets,
      siteId: '1',
      resetKeyTtlMinutes: 60,
      password: { minLength: 15 },
      limits: { perAddress, perIp },
      mailExtraLines: options.mailExtraLines ?? [],
    },
    clock: clock.now,
    emit,
    queue,
    accounts: createAccountsTable(tables.accounts, emit),
    resetKeys: createResetKeysTable(tables.resetKeys),
    deliveries: createDeliveriesTable(tables.deliveries),
    limits: createLimitsTable(tables.limits),
    site: createSiteSource(
      createSiteTable(tables.site, tables.siteTexts, '1'),
      options.site ?? codalab,
      false,
      clock.now,
      emit,
    ),
    email,
    encodePassword: createPasswordEncoder('argon2id', emit),
    isBreached: options.isBreached,
    sendSiteEvent: options.sendSiteEvent,
  };
  const outbox = createTestOutbox(deps);
  const handle = (message: unknown): Promise<void> => outbox.handle(message);
  const request = (address: string, requester: Requester = {}): Promise<string> =>
    requestReset(deps, address, requester);
  const deliverAll = async (rounds = 10): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      const messages = queue.takeAll();
      if (messages.length === 0) return;
      for (const { envelope } of messages) await handle(envelope);
    }
  };
  return {
    deps,
    /** Handles one message as the queue function does. */
    handle,
    stop: () => outbox.stop(),
    clock,
    tables,
    queue,
    email,
    events,
    /** requestReset. @returns the mail's id */
    request,
    /** Handles every waiting message, also those that are put back, until none is left. At most `rounds` times. */
    deliverAll,
    /** A row as a site or an operator would write it. @returns the address's hash */
    addAccount: ({ email: address, id = '1', username = 'someuser', ...columns }: AccountColumns): string => {
      const addressHash = addressHashOf(address);
      const row = { email: address, username, password: oldPassword, isActive: true, generation: 0, ...columns };
      tables.accounts.edit(addressHash, id, row);
      return addressHash;
    },
    /** requestReset and all that follows. @returns the mails that were accepted since */
    mailsFor: async (address: string, requester?: Requester): Promise<Mail[]> => {
      const before = email.accepted.length;
      await request(address, requester);
      await deliverAll();
      return email.accepted.slice(before);
    },
    account: (address: string, id = '1') =>
      tables.accounts.rows().find((row) => row.partitionKey === addressHashOf(address) && row.rowKey === id),
    /** What is sealed in the newest message. */
    queued: () => {
      const opened = openMessage(deps.settings, queue.sent.at(-1)?.envelope);
      return opened.outcome === 'opened' ? parseMailRequest(opened.inside) : undefined;
    },
    /** The outcomes of the messages that were handled so far. */
    outcomes: () => events.flatMap((event) => (event.event === 'sendMail' ? [event.outcome] : [])),
    /** Every table call since the last time. */
    newCalls: () => Object.values(tables).flatMap(({ calls }) => calls.splice(0)),
  };
}

/** The same with one live account, `someuser@somewhere.com`, and no limits in the way. */
export function createUnlimitedFlow(options: TestFlowOptions = {}): TestFlow {
  const t = createTestFlow({ perAddress: 'off', perIp: 'off', ...options });
  t.addAccount({ email: 'someuser@somewhere.com' });
  return t;
}

/** The next calls of this kind fail as if the service were down. */
export function down(table: MemoryTableStore, call: TableCall, times = 1): void {
  table.intercept(call, () => Promise.reject(new StorageUnavailable('tables', '503')), times);
}

/** The next call of this kind hangs until its deadline. */
export function hang(table: MemoryTableStore, call: TableCall): void {
  table.intercept(call, async () => {
    const signal = deadline();
    await once(signal, 'abort');
    throw new StorageUnavailable('tables', 'timeout');
  });
}

/** The next call of this kind does its work, and its reply is lost: the client's own retry sees `answer`. */
export function loseReply(table: MemoryTableStore, call: TableCall, answer: 'stale' | 'exists'): void {
  table.intercept(call, async (run) => {
    await run();
    return answer;
  });
}

export function keysIn({ text }: Pick<Mail, 'text'>): string[] {
  return [...text.matchAll(/\/reset\/key\/([^/\s]+)\//g)].map(([, key = '']) => key);
}

export function keyIn(mail: Mail | undefined): string {
  const [key, ...more] = mail === undefined ? [] : keysIn(mail);
  if (key === undefined || more.length > 0) throw new Error('there is not exactly one link in the mail');
  return key;
}
