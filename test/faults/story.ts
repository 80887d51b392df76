// One person's whole story with one fault in it, and what must hold afterwards.
import { setTimeout as later } from 'node:timers/promises';
import { addressHashOf } from '../../shared/address';
import { createPeekPoison } from '../../shared/storage/outgoingMailQueue';
import type { Fault, ProxiedCall } from '../fakes/faultProxy';
import { addAccount, eventually, readAccount, type AppAnswer } from '../support/app';
import type { SentMail } from '../support/invariants';
import { acceptedMails, answerMs, type Lane } from './lane';
import { verifyPassword } from '../support/verifyPassword';

/** What a person does, and what the app then does by itself (`send`, `notice`). `again`: with the rows of the first time there. */
export const steps = [
  'request',
  'send',
  'check',
  'send again',
  'redeem',
  'redeem, two at once',
  'redeem again',
  'notice',
] as const;
export type Step = (typeof steps)[number];

/** A call that a step makes. */
export interface Point {
  readonly step: Step;
  /** Such as `table PATCH Accounts`. */
  readonly call: string;
  /** Which of the step's calls of this name, from 0. */
  readonly index: number;
  /** Only a process that has just started makes it. */
  readonly cold: boolean;
}

export const faultNames = ['503', 'reset', 'reply lost', 'reply late', 'lands late', 'hang', 'kill'] as const;
export type FaultName = (typeof faultNames)[number];

/** One cell of the matrix. */
export interface Cell {
  readonly point: Point;
  readonly fault: FaultName;
  /** Once, or for longer than an HTTP call may take. A process is killed before the service has got the call, or after. */
  readonly lasting: boolean;
}

const forever = new Promise<never>(() => {});
/** Longer than one try may take: 1.5 s of a storage call, 8 s of a send. */
const beyondTryMs = (call: string): number => (call.startsWith('provider') ? 9_000 : 2_500);
/** Longer than an HTTP call may take; for the provider, longer than the first retry waits. */
const lastingMs = (call: string): number => (call.startsWith('provider') ? 15_000 : 6_000);
const leaseMs = 61_000;

function faultOf({ fault: name, lasting, point: { call } }: Cell): Fault {
  switch (name) {
    case '503':
      return { status: 503 };
    case 'reset':
      return 'reset';
    case 'reply lost':
      return 'loseReply';
    case 'reply late':
      return { replyDelayMs: beyondTryMs(call) };
    case 'lands late':
      return { delayMs: beyondTryMs(call) };
    case 'hang':
      return { hold: forever };
    case 'kill':
      return lasting ? { replyDelayMs: Infinity } : { hold: forever };
  }
}

/** The call without what differs from one user to the next. */
function callName({ service, method, path }: ProxiedCall): string {
  if (service === 'provider') return `provider ${method}`;
  const [, , resource = '', below] = path.split('/');
  const name = /^\w[\w-]*/.exec(resource)?.[0] ?? resource;
  return `${service} ${method} ${name}${below === undefined ? '' : `/${below}`}`;
}

/** The host's own polling and renewing is no part of a step. */
const isPolling = (call: ProxiedCall): boolean => call.service === 'queue' && ['GET', 'PUT'].includes(call.method);

/** The names of the calls since then, in order. */
const callsSince = ({ proxy }: Lane, count: number): string[] =>
  proxy.calls
    .slice(count)
    .filter((call) => !isPolling(call))
    .map(callName);

/** The fault of a cell, once it is armed. */
interface Armed {
  /** How often it applied, and processes were killed. */
  hits(): number;
  /** Settled when calls pass again and a process is there. */
  readonly over: Promise<void>;
}

function arm(lane: Lane, cell: Cell): Armed {
  const { point, fault, lasting } = cell;
  const isKill = fault === 'kill';
  const [service, method = '', name = ''] = point.call.split(' ');
  let hits = 0;
  const applied = lane.proxy.rule({
    service: service === 'table' || service === 'queue' ? service : 'provider',
    method,
    path: new RegExp(name === '' ? '' : `/${name}(?:\\(|/|$)`),
    skip: point.index,
    times: lasting && !isKill ? Infinity : 1,
    fault: faultOf(cell),
    onApply: () => (hits += 1),
  });
  const over = applied.then(async () => {
    if (isKill) await lane.kill();
    else if (lasting) await later(lastingMs(point.call));
    lane.proxy.clearRules();
    if (isKill) await lane.start(leaseMs);
  });
  return { hits: () => hits, over };
}

/** The others happen by themselves. */
const isHttp = (step: Step): boolean => !['send', 'send again', 'notice'].includes(step);

let users = 0;
const passwords = { winner: 'correct horse battery staple', rival: 'another horse battery staple' };
const oldHash = 'pbkdf2_sha256$1$salt$AAAA';

/** Where the calls of a step are told to. */
export type Learn = (step: Step, calls: string[]) => void;

/**
 * Runs the story.
 * @param cold starts a new process before each step
 * @throws Error naming the first thing that does not hold
 */
export async function runStory(lane: Lane, cell?: Cell, learn?: Learn, cold = false): Promise<void> {
  const serial = ++users;
  const email = `person${serial}-${process.pid}@somewhere.com`;
  const firstMail = lane.provider.requests.length;
  const fail = (what: string): never => {
    throw new Error(what);
  };
  const mails = (category: string): SentMail[] =>
    acceptedMails(lane, firstMail).filter((mail) => mail.to === email && mail.category === category);
  let asked = 0;

  /** One call. A process that is killed meanwhile leaves it without an answer. */
  const post = async (route: string, body: object, expected: readonly number[]): Promise<AppAnswer | undefined> => {
    const started = performance.now();
    const answer = await lane
      .app()
      .post(`password-reset/${route}`, body)
      .catch((error: unknown) => (cell?.fault === 'kill' ? undefined : fail(`${route}: ${String(error)}`)));
    const ms = Math.round(performance.now() - started);
    if (answer === undefined) return undefined;
    if (ms > answerMs) fail(`${route} was answered after ${ms} ms`);
    if (answer.status === 503 && !answer.headers.has('retry-after')) fail(`${route}: 503 without Retry-After`);
    if (answer.status !== 503 && !expected.includes(answer.status))
      fail(`${route} answered ${answer.status} ${answer.text}`);
    return answer;
  };
  /** Without faults: what a person gets who follows a 503's advice. */
  const settle = async (route: string, body: object, expected: readonly number[]): Promise<AppAnswer> => {
    for (let tries = 0; tries < 40; tries++) {
      const answer = await post(route, body, expected);
      if (answer !== undefined && answer.status !== 503) return answer;
      await later(500);
    }
    return fail(`${route} still answers 503 after the fault`);
  };
  let armed: Armed | undefined;
  /** Runs a step, with the cell's fault if it is in this one. */
  const step = async <T>(name: Step, run: () => Promise<T>): Promise<T> => {
    const here = cell?.point.step === name;
    if (cold || (here && cell.point.cold)) {
      await lane.app().stop();
      await lane.start();
    }
    const before = lane.proxy.calls.length;
    if (here) armed = arm(lane, cell);
    let result = await run();
    // A process that has just started may be too slow, on a machine under load, to reach the call.
    for (let tries = 0; tries < 3 && armed?.hits() === 0 && isHttp(name); tries++) result = await run();
    if (here) {
      const isOver = await Promise.race([armed?.over.then(() => true), later(90_000, false, { ref: false })]);
      if (isOver !== true) fail('the fault did not apply');
    }
    learn?.(name, callsSince(lane, before));
    return result;
  };
  const ask = (): Promise<AppAnswer | undefined> => {
    asked += 1;
    return post('request', { email }, [202]);
  };
  /** Asks until the request is accepted, and waits until everything that follows from it is over. */
  const askAndSend = async (sendStep: 'send' | 'send again'): Promise<void> => {
    const before = new Set(mails('password-reset').map(({ id }) => id)).size;
    await step(sendStep, async () => {
      if ((await ask())?.status !== 202) {
        asked += 1; // a machine under load, or killed before the answer was out
        await settle('request', { email }, [202]);
      }
      await eventually(
        () => (new Set(mails('password-reset').map(({ id }) => id)).size > before ? true : undefined),
        150,
      ).catch(() => fail('no mail came'));
      await lane.settled();
    });
  };

  await addAccount(lane, { email, username: `person${serial}`, password: oldHash });
  if (cell?.point.step === 'request') {
    const first = await step('request', ask);
    if (first?.status !== 202) {
      asked += 1;
      await settle('request', { email }, [202]);
    }
    await eventually(() => mails('password-reset')[0], 150).catch(() => fail('no mail came'));
    await lane.settled();
  }
  if (cell?.point.step !== 'request') await askAndSend('send');
  if (cell?.point.step === 'send again' || learn !== undefined) await askAndSend('send again');

  await step('check', () => post('check', { key: mails('password-reset')[0]?.key }, [200]));
  for (const { key } of mails('password-reset')) await settle('check', { key }, [200]);

  const key = mails('password-reset').at(-1)?.key ?? '';
  const redeem = (newPassword: string, expected: readonly number[]) => post('redeem', { key, newPassword }, expected);
  const hash = async (): Promise<string> => String((await readAccount(lane, email))?.['password']);
  const isOneOf = async (allowed: readonly string[]): Promise<boolean> => {
    const stored = await hash();
    const verified = await Promise.all(allowed.map((password) => verifyPassword(password, stored).catch(() => false)));
    return stored === oldHash || verified.includes(true);
  };
  let [winner, loser] = [passwords.winner, passwords.rival];
  if (cell?.point.step === 'redeem, two at once') {
    const tried = [winner, loser];
    const answers = await step('redeem, two at once', () => Promise.all(tried.map((each) => redeem(each, [200, 410]))));
    if (!(await isOneOf(tried))) fail('the stored hash is neither the old one nor of a password that was sent');
    const first = await settle('redeem', { key, newPassword: winner }, [200, 410]);
    const second = await settle('redeem', { key, newPassword: loser }, [200, 410]);
    if (first.status === second.status) fail(`two redemptions both ended with ${first.status}`);
    if (second.status === 200) [winner, loser] = [loser, winner];
    if (answers[winner === tried[0] ? 1 : 0]?.status === 200) fail('both passwords were confirmed');
  } else {
    const answer = await step('redeem', () => redeem(winner, [200]));
    if (answer?.status === 200 && (await hash()) === oldHash) fail('200, but the password is the old one');
    if (answer?.status !== 200) {
      if (!(await isOneOf([winner]))) fail('the stored hash is neither the old one nor the new one');
      await settle('redeem', { key, newPassword: winner }, [200]);
    }
  }
  // Within the 5 s for which the notice waits, so that only its own calls follow.
  await step('notice', async () => {
    await eventually(() => mails('password-changed')[0], 150).catch(() => fail('no notice came'));
    await lane.settled();
  });
  if (cell?.point.step === 'redeem again' || learn !== undefined) {
    await step('redeem again', () => redeem(winner, [200]));
    await settle('redeem', { key, newPassword: winner }, [200]);
  }
  await settle('redeem', { key, newPassword: loser }, [410]);
  await armed?.over;
  await lane.settled();

  // What must hold in the end.
  const stored = await hash();
  if (!(await verifyPassword(winner, stored))) fail('the stored hash is not of the confirmed password');
  const all = [...mails('password-reset'), ...mails('password-changed')];
  const ids = new Set(all.map(({ id }) => id));
  const resets = new Set(mails('password-reset').map(({ id }) => id)).size;
  if (resets > asked) fail(`${resets} reset mails for ${asked} requests`);
  if (ids.size !== resets + 1) fail(`${ids.size - resets} notices`);
  const copies = all.length - ids.size;
  // Only what the provider accepted without our hearing of it, and a crash before that was recorded, may cost a copy.
  const { point, fault } = cell ?? {};
  const isProvider = point?.call.startsWith('provider') === true;
  const isBeforeRecord = point?.call === 'table PATCH Deliveries' && fault === 'kill';
  if (copies > (isProvider || isBeforeRecord ? (armed?.hits() ?? 0) : 0)) fail(`${copies} copies of a mail`);
  if (new Set(all.map(({ messageId }) => messageId)).size !== ids.size) fail('a copy has another Message-ID');
  const rows = new Map<string, unknown>();
  for await (const row of lane.storage.table('Deliveries').list(`PartitionKey eq '${addressHashOf(email)}'`)) {
    rows.set(row.rowKey ?? '', row['state']);
  }
  const isUnrecorded = cell?.point.call === 'table PATCH Deliveries' && cell.lasting;
  for (const id of ids) {
    const state = rows.get(id);
    if (state !== 'accepted' && !(isUnrecorded && state === 'sending')) fail(`a mail's record says ${String(state)}`);
  }
  const poisoned = await createPeekPoison(() => lane.storage.queue('outgoing-mail-poison'))();
  if (poisoned.count > 0) fail('a message was poisoned');
  const bug = /"event":"unexpectedError".*/.exec(lane.app().host.output())?.[0];
  if (bug !== undefined) fail(bug);
  if (cell !== undefined && armed?.hits() === 0) fail('the fault did not apply');
}
