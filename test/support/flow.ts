// The whole flow on memory tables under the real adapters, with a clock that a test sets and every event captured.
import type { Clock } from '../../shared/clock';
import type { AppEvent } from '../../shared/events';
import { addressHashOf } from '../../shared/address';
import type { Rate } from '../../shared/limits';
import type { Mail } from '../../shared/mail/emailBackend';
import { requestReset, type Asker } from '../../shared/resetFlow';
import type { SigningSecret } from '../../shared/resetKey';
import { sendMail, type SendMailFlow } from '../../shared/sendMail';
import { createSiteSource, defaultResetUrl, type Site } from '../../shared/site';
import { createAccountsTable } from '../../shared/storage/accountsTable';
import { createBoundKeysTable } from '../../shared/storage/boundKeysTable';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import { createLimitsTable } from '../../shared/storage/limitsTable';
import { createSiteTable } from '../../shared/storage/siteTable';
import { createMemoryQueue, type MemoryQueue } from '../fakes/memoryQueue';
import { createMemoryTableStore, type MemoryTableStore } from '../fakes/memoryTableStore';
import { createScriptedEmail, type ScriptedEmail } from '../fakes/scriptedEmail';

export const secretA: SigningSecret = { kid: 'a', secret: Buffer.alloc(32, 'secret A ') };
export const secretB: SigningSecret = { kid: 'b', secret: Buffer.alloc(32, 'secret B ') };
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
  readonly boundKeys: MemoryTableStore;
  readonly limits: MemoryTableStore;
  readonly deliveries: MemoryTableStore;
  readonly site: MemoryTableStore;
}

export interface TestFlow {
  readonly flow: SendMailFlow;
  readonly clock: TestClock;
  readonly tables: TestTables;
  readonly queue: MemoryQueue;
  readonly email: ScriptedEmail;
  readonly events: AppEvent[];
  /** A row as a site or an operator would write it. @returns its `sub` */
  readonly addAccount: (columns: {
    email: string;
    id?: string;
    username?: string;
    [column: string]: unknown;
  }) => string;
  /** requestReset with a deadline. @returns the mail's id */
  readonly request: (email: string, asker?: Asker) => Promise<string>;
  /** Runs sendMail on every waiting message, also those it puts back, until none is left. At most `rounds` times. */
  readonly deliverAll: (rounds?: number) => Promise<void>;
  /** requestReset and all that follows. @returns the mails that were accepted since */
  readonly mailsFor: (email: string, asker?: Asker) => Promise<Mail[]>;
  /** The account's row. */
  readonly account: (email: string, id?: string) => Record<string, unknown> | undefined;
}

export interface TestFlowOptions {
  readonly signingSecrets?: readonly [SigningSecret, ...SigningSecret[]];
  readonly resetKeyTtlMinutes?: number;
  readonly perAddress?: Rate | 'off';
  readonly perIp?: Rate | 'off';
  readonly site?: Site;
  readonly isBreached?: (password: string) => Promise<boolean>;
}

/** For calls that must not take long, and in these tests never do. */
export const within = (): AbortSignal => AbortSignal.timeout(10_000);

export function createTestFlow(options: TestFlowOptions = {}): TestFlow {
  const clock = createTestClock();
  const events: AppEvent[] = [];
  const emit = (event: AppEvent): void => void events.push(event);
  const tables: TestTables = {
    accounts: createMemoryTableStore(),
    boundKeys: createMemoryTableStore(),
    limits: createMemoryTableStore(),
    deliveries: createMemoryTableStore(),
    site: createMemoryTableStore(),
  };
  const queue = createMemoryQueue();
  const email = createScriptedEmail();
  const { perAddress = { burst: 3, refillMs: 300_000 }, perIp = { burst: 60, refillMs: 60_000 } } = options;
  const flow: SendMailFlow = {
    settings: {
      signingSecrets: options.signingSecrets ?? [secretA],
      siteId: '1',
      resetKeyTtlMinutes: options.resetKeyTtlMinutes ?? 60,
      password: { minLength: 15, hasher: 'argon2id' },
      limits: { perAddress, perIp },
    },
    clock: clock.now,
    emit,
    queue,
    accounts: createAccountsTable(tables.accounts, emit),
    boundKeys: createBoundKeysTable(tables.boundKeys),
    deliveries: createDeliveriesTable(tables.deliveries),
    limits: createLimitsTable(tables.limits),
    site: createSiteSource(createSiteTable(tables.site, '1'), options.site ?? codalab, false, clock.now, emit),
    email,
    ...(options.isBreached && { isBreached: options.isBreached }),
  };
  const request = (address: string, asker: Asker = {}): Promise<string> => requestReset(flow, address, asker, within());
  const deliverAll = async (rounds = 10): Promise<void> => {
    for (let round = 0; round < rounds; round++) {
      const messages = queue.takeAll();
      if (messages.length === 0) return;
      for (const { envelope } of messages) await sendMail(flow, envelope);
    }
  };
  return {
    flow,
    clock,
    tables,
    queue,
    email,
    events,
    request,
    deliverAll,
    addAccount: ({ email: address, id = '1', username = 'someuser', ...columns }) => {
      const sub = addressHashOf(address);
      const row = { email: address, username, password: oldPassword, isActive: true, generation: 0, ...columns };
      tables.accounts.edit(sub, id, row);
      return sub;
    },
    mailsFor: async (address, asker) => {
      const before = email.accepted.length;
      await request(address, asker);
      await deliverAll();
      return email.accepted.slice(before);
    },
    account: (address, id = '1') =>
      tables.accounts.rows().find((row) => row.partitionKey === addressHashOf(address) && row.rowKey === id),
  };
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
