// The story and the outbox on memory tables under the real adapters, with a clock that a test sets and every event captured.
import { addressHashOf } from '../../shared/address';
import type { Clock } from '../../shared/clock';
import { StorageUnavailable } from '../../shared/errors';
import type { AppEvent } from '../../shared/events';
import { createLimitsTable, type Rate, refundLimits } from '../../shared/limits';
import type { Mail } from '../../shared/mail/emailBackend';
import { describeMailRequest, parseMailRequest, type MailRequest } from '../../shared/mailRequest';
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
import { createMemoryQueue, type MemoryQueue } from '../fakes/memoryQueue';
import { createMemoryTableStore, type MemoryTableStore, type TableCall } from '../fakes/memoryTableStore';
import { createScriptedEmail, type ScriptedEmail } from '../fakes/scriptedEmail';

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
export interface TestClock {
  readonly now: Clock;
  set(instant: Date): void;
  /** Forwards, or backwards with a negative number. */
  advance(seconds: number): void;
}

export function createTestClock(at: Date = start): TestClock {
  let instant = at;
  return {
    now: () => instant,
    set: (to) => {
      instant = to;
    },
    advance: (seconds) => {
      instant = new Date(instant.getTime() + seconds * 1000);
    },
  };
}

export interface TestTables {
  readonly accounts: MemoryTableStore;
  readonly resetKeys: MemoryTableStore;
  readonly limits: MemoryTableStore;
  readonly deliveries: MemoryTableStore;
  readonly site: MemoryTableStore;
  readonly siteTexts: MemoryTableStore;
}

type FlowDeps = ResetDeps & Omit<OutboxDeps, 'stopping'>;

export interface TestFlow {
  readonly deps: FlowDeps;
  /** Handles one message as the queue function does. */
  readonly handle: (message: unknown) => Promise<void>;
  /** Tells the outbox to stop; returns when it has. */
  readonly stop: () => Promise<void>;
  readonly clock: TestClock;
  readonly tables: TestTables;
  readonly queue: MemoryQueue;
  readonly email: ScriptedEmail;
  readonly events: AppEvent[];
  /** A row as a site or an operator would write it. @returns the address's hash */
  readonly addAccount: (columns: {
    email: string;
    id?: string;
    username?: string;
    [column: string]: unknown;
  }) => string;
  /** requestReset. @returns the mail's id */
  readonly request: (email: string, requester?: Requester) => Promise<string>;
  /** Handles every waiting message, also those that are put back, until none is left. At most `rounds` times. */
  readonly deliverAll: (rounds?: number) => Promise<void>;
  /** requestReset and all that follows. @returns the mails that were accepted since */
  readonly mailsFor: (email: string, requester?: Requester) => Promise<Mail[]>;
  /** The account's row. */
  readonly account: (email: string, id?: string) => Record<string, unknown> | undefined;
  /** What is sealed in the newest message. */
  readonly queued: () => MailRequest | undefined;
  /** The outcomes of the messages that were handled so far. */
  readonly outcomes: () => string[];
  /** Every table call since the last time. */
  readonly newCalls: () => TableCall[];
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

/** The outbox of an instance with these. */
export const createTestOutbox = (deps: FlowDeps) =>
  createOutbox(deps, {
    parse: parseMailRequest,
    describe: describeMailRequest,
    prepare: prepareMail,
    refund: refundLimits,
  });

export function createTestFlow(options: TestFlowOptions = {}): TestFlow {
  const clock = createTestClock();
  const events: AppEvent[] = [];
  const emit = (event: AppEvent): void => void events.push(event);
  const tables: TestTables = {
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
    handle,
    stop: () => outbox.stop(),
    clock,
    tables,
    queue,
    email,
    events,
    request,
    deliverAll,
    addAccount: ({ email: address, id = '1', username = 'someuser', ...columns }) => {
      const addressHash = addressHashOf(address);
      const row = { email: address, username, password: oldPassword, isActive: true, generation: 0, ...columns };
      tables.accounts.edit(addressHash, id, row);
      return addressHash;
    },
    mailsFor: async (address, requester) => {
      const before = email.accepted.length;
      await request(address, requester);
      await deliverAll();
      return email.accepted.slice(before);
    },
    account: (address, id = '1') =>
      tables.accounts.rows().find((row) => row.partitionKey === addressHashOf(address) && row.rowKey === id),
    queued: () => {
      const opened = openMessage(deps.settings, queue.sent.at(-1)?.envelope);
      return opened.outcome === 'opened' ? parseMailRequest(opened.inside) : undefined;
    },
    outcomes: () => events.flatMap((event) => (event.event === 'sendMail' ? [event.outcome] : [])),
    newCalls: () => {
      const { accounts, resetKeys, limits, deliveries, site } = tables;
      return [accounts, resetKeys, limits, deliveries, site].flatMap(({ calls }) => calls.splice(0));
    },
  };
}

/** The next calls of this kind fail as if the service were down. */
export function down(table: MemoryTableStore, call: TableCall, times = 1): void {
  table.intercept(call, () => Promise.reject(new StorageUnavailable('tables', '503')), times);
}

/** The next call of this kind does its work, and its reply is lost: the client's own retry sees `answer`. */
export function loseReply(table: MemoryTableStore, call: TableCall, answer: 'stale' | 'exists'): void {
  table.intercept(call, async (run) => {
    await run();
    return answer;
  });
}

/** The reset keys in a mail's links, in order. */
export function keysIn({ text }: Pick<Mail, 'text'>): string[] {
  return [...text.matchAll(/\/reset\/key\/([^/\s]+)\//g)].map(([, key = '']) => key);
}

/** The one key in a mail. */
export function keyIn(mail: Mail | undefined): string {
  const [key, ...more] = mail === undefined ? [] : keysIn(mail);
  if (key === undefined || more.length > 0) throw new Error('there is not exactly one link in the mail');
  return key;
}
