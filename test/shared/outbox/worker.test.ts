// One message of the queue becomes one mail, once.
import { enqueueMail } from '../../../shared/mailRequest';
import { derivedId, enqueue } from '../../../shared/outbox/outgoingMail';
import { checkKey, redeemKey } from '../../../shared/resetFlow';
import type { SendResult } from '../../../shared/mail/emailBackend';
import type { MemoryTableStore } from '../../fakes/memoryTableStore';
import {
  createTestFlow,
  createUnlimitedFlow,
  down,
  goodPassword,
  hang,
  keyIn,
  oldPassword,
  secretA,
  secretB,
  start,
  type TestFlow,
  type TestFlowOptions,
} from '../../support/flow';

const email = 'someuser@somewhere.com';
const addressHash = 'cM-Cuc5Ca17_SqXTIlSZcQ';
const id = 'AAECAwQFBgcICQoLDA0ODw';
const unavailable: SendResult = { outcome: 'transient', reason: 'sendgrid_503', surelyNotAccepted: true };
const unsure: SendResult = { outcome: 'transient', reason: 'timeout', surelyNotAccepted: false };
const refusal: SendResult = { outcome: 'permanent', reason: 'sendgrid_400' };
const day = 86_400;

/** A flow with a message that waits to be handled. */
async function setUpMessage(options: TestFlowOptions = {}) {
  const t = createUnlimitedFlow(options);
  const mailId = await t.request(email);
  const [{ envelope } = {}] = t.queue.takeAll();
  if (envelope === undefined) throw new Error('nothing was queued');
  return { ...t, mailId, envelope };
}
const rowOf = ({ tables }: TestFlow) => tables.deliveries.rows().find(({ partitionKey }) => partitionKey !== 'alert');
const alertsOf = ({ deps }: TestFlow) => deps.deliveries.alerts();

it('a mail that is accepted is recorded, and its message is done', async () => {
  const t = createUnlimitedFlow();
  await t.mailsFor(email);
  expect(rowOf(t)).toMatchObject({ state: 'accepted', backend: 'scripted', charged: true, kind: 'passwordReset' });
  expect(t.queue.takeAll()).toEqual([]);
  const sent = {
    event: 'sendMail',
    level: 'info',
    outcome: 'accepted',
    backend: 'scripted',
    attempt: 0,
    ageSeconds: 0,
  };
  expect(t.events).toContainEqual(expect.objectContaining(sent));
});

describe('a mail that cannot be sent now', () => {
  it('is retried with attempt + 1, after 10 s doubling to 10 min, give or take a fifth', async () => {
    const t = createUnlimitedFlow();
    t.email.script(...Array.from({ length: 9 }, () => unavailable));
    await t.request(email);
    await t.deliverAll(20);
    const [first, ...copies] = t.queue.sent;
    expect(copies.map(({ envelope }) => envelope.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(new Set(copies.map(({ envelope }) => envelope.sealed))).toEqual(new Set([first?.envelope.sealed]));
    [10, 20, 40, 80, 160, 320, 600, 600, 600].forEach((seconds, index) => {
      const delay = copies[index]?.delaySeconds ?? 0;
      expect(delay).toBeGreaterThanOrEqual(Math.floor(seconds * 0.8));
      expect(delay).toBeLessThanOrEqual(Math.min(600, seconds * 1.2));
    });
    expect(t.email.accepted).toHaveLength(1);
  });

  it('[G4] waits as long as the provider asks, if that is longer', async () => {
    const t = createUnlimitedFlow();
    t.email.script({ ...unavailable, reason: 'sendgrid_429', retryAfterSeconds: 299 });
    await t.mailsFor(email);
    expect(t.queue.sent[1]?.delaySeconds).toBe(299);
  });

  const raceLost = (table: MemoryTableStore): void => table.intercept('insert', () => 'exists', 6);
  it.each<[string, string, (tables: TestFlow['tables']) => void]>([
    ['the table of accounts does not answer', 'storage_503', ({ accounts }) => down(accounts, 'list')],
    ['the table of reset keys does not answer', 'storage_503', ({ resetKeys }) => down(resetKeys, 'insert')],
    ['the table of limits does not answer', 'storage_503', ({ limits }) => down(limits, 'insert')],
    ['the table of deliveries does not answer', 'storage_503', ({ deliveries }) => down(deliveries, 'insert')],
    ['the site row does not answer', 'storage_503', ({ site }) => down(site, 'get')],
    ['its row is written by others all the time', 'claim_contended', ({ deliveries }) => raceLost(deliveries)],
    ['a limit row is written by others all the time', 'limit_contended', ({ limits }) => raceLost(limits)],
  ])('[O4] is retried when %s: nobody is taken for unknown', async (_what, reason, fault) => {
    const t = createTestFlow();
    t.addAccount({ email });
    fault(t.tables);
    await t.request(email, { client: '203.0.113.7' });
    await t.deliverAll(1);
    expect([t.email.tried, t.outcomes()]).toEqual([[], ['retry_later']]);
    expect(t.events).toContainEqual(expect.objectContaining({ outcome: 'retry_later', reason }));
    await t.deliverAll();
    expect(t.email.accepted).toHaveLength(1);
  });

  it('[ST1] waits for a good site row', async () => {
    const t = createUnlimitedFlow();
    t.tables.site.edit('site', '1', { domain: 'broken/' });
    await t.request(email);
    await t.deliverAll(3);
    expect(t.email.tried).toEqual([]);
    expect(t.events).toContainEqual(expect.objectContaining({ outcome: 'retry_later', reason: 'no_good_site_row' }));
    t.tables.site.drop('site', '1');
    await t.deliverAll();
    expect(t.email.accepted).toHaveLength(1);
  });

  it('is retried once, also if that cannot be recorded, and whatever its attempts while its age is known', async () => {
    const t = await setUpMessage();
    t.email.script(unavailable);
    down(t.tables.deliveries, 'merge');
    await t.handle({ ...t.envelope, attempt: 400 }); // replayed twice
    expect(t.queue.takeAll()).toMatchObject([{ envelope: { attempt: 401 } }]);
  });

  it('is retried if a table has not answered after 8 s', async () => {
    const t = await setUpMessage();
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'queueMicrotask'] });
    hang(t.tables.deliveries, 'insert');
    const handled = t.handle(t.envelope);
    await jest.advanceTimersByTimeAsync(8_000);
    await handled;
    jest.useRealTimers();
    expect(t.outcomes()).toEqual(['retry_later']);
  });

  it('waits for a version without the bug that kept it', async () => {
    const t = await setUpMessage();
    t.tables.resetKeys.intercept('insert', () => Promise.reject(new TypeError('a bug')));
    await t.handle(t.envelope);
    expect(t.events).toContainEqual(expect.objectContaining({ event: 'unexpectedError', errorName: 'TypeError' }));
    await t.deliverAll();
    expect(t.email.accepted).toHaveLength(1);
  });

  it('[O4] stays with the host if the queue does not take the copy', async () => {
    const t = await setUpMessage();
    t.email.script(unavailable);
    t.queue.failNext();
    await expect(t.handle(t.envelope)).rejects.toMatchObject({ name: 'StorageUnavailable', part: 'queue' });
  });

  it('[G3] is kept while the provider refuses the settings, with one alert once that has lasted', async () => {
    const t = createUnlimitedFlow();
    const refused: SendResult = { ...unavailable, reason: 'sendgrid_401', misconfigured: true };
    t.email.script(...Array.from({ length: 6 }, () => refused));
    await t.request(email);
    await t.deliverAll(3);
    expect(await alertsOf(t)).toEqual([]);
    await t.deliverAll(1);
    expect(await alertsOf(t)).toEqual([expect.objectContaining({ kind: 'provider', reason: 'sendgrid_401' })]);
    await t.deliverAll(20);
    expect(t.events.filter(({ event }) => event === 'deliveryAlert')).toHaveLength(1);
    expect(t.email.accepted).toHaveLength(1);
    expect(t.queue.poisoned).toEqual([]);
  });

  it('is no failure of the provider if it is an event that the site refuses', async () => {
    const sendSiteEvent = async (): Promise<SendResult> => ({
      ...unavailable,
      reason: 'site_401',
      misconfigured: true,
    });
    const t = createUnlimitedFlow({ sendSiteEvent });
    await enqueueMail(t.deps, id, { kind: 'siteEvent', addressHash, acceptedAt: start, type: 'x', data: {} });
    await t.deliverAll(4);
    expect(await alertsOf(t)).toMatchObject([{ kind: 'mail', reason: 'site_401' }]);
  });
});

it('a refusal that may be the recipient’s own policy is tried as often as it may be, whatever outages came before', async () => {
  const t = createUnlimitedFlow();
  const policy: SendResult = { ...unavailable, reason: 'smtp_554', misconfigured: true, maxAttempts: 3 };
  t.email.script(...Array.from({ length: 5 }, () => unavailable), policy, policy, policy);
  await t.request(email);
  await t.deliverAll(20);
  expect(t.email.tried).toHaveLength(8);
  expect(rowOf(t)).toMatchObject({ state: 'failed', reason: 'smtp_554', refusedTries: 2 });
});

describe('D6 a send without a clear answer', () => {
  it('[G7] is repeated after one and ten minutes with the same Message-ID, and each link works', async () => {
    const t = createUnlimitedFlow();
    t.email.script(unsure, unsure);
    await t.mailsFor(email);
    expect(t.queue.sent.map(({ delaySeconds }) => delaySeconds >= 60)).toEqual([false, true, true]);
    expect(t.queue.sent[2]?.delaySeconds).toBe(600);
    expect(new Set(t.email.tried.map(({ messageId }) => messageId)).size).toBe(1);
    for (const mail of t.email.tried)
      await expect(checkKey(t.deps, keyIn(mail))).resolves.toMatchObject({ outcome: 'live' });
    expect(rowOf(t)).toMatchObject({ state: 'accepted' });
  });

  it('ends after the third, recorded and alerted, without a copy for a replay', async () => {
    const t = createUnlimitedFlow();
    t.email.script(unsure, unavailable, unsure, unsure);
    await t.request(email);
    await t.deliverAll(20);
    expect(t.email.tried).toHaveLength(4);
    expect(rowOf(t)).toMatchObject({ state: 'unsure', reason: 'timeout', unsureTries: 3 });
    expect(await alertsOf(t)).toEqual([expect.objectContaining({ kind: 'unsure', reason: 'timeout' })]);
    expect(t.outcomes()).toEqual(['retry_later', 'retry_later', 'retry_later', 'unsure']);
    expect([t.queue.takeAll(), t.queue.poisoned]).toEqual([[], []]);
  });
});

describe('a mail that comes twice', () => {
  it('[Q4] is sent once if two workers handle it: the second waits for the lease', async () => {
    const t = await setUpMessage();
    t.email.during(() => t.handle(t.envelope));
    await t.handle(t.envelope);
    expect(t.outcomes()).toEqual(['busy', 'accepted']);
    const [copy] = t.queue.takeAll();
    expect(copy).toMatchObject({ delaySeconds: 60, envelope: { attempt: 0 } });
    await t.handle(copy?.envelope);
    expect(t.email.tried).toHaveLength(1);
  });

  it('[Q5] is sent again if a worker died while sending, and the repeat is recognizable', async () => {
    const t = await setUpMessage();
    t.email.during(() => Promise.reject(new Error('the process is gone')));
    t.queue.failNext();
    await t.handle(t.envelope).catch(() => undefined);
    t.clock.advance(60);
    await t.handle(t.envelope);
    expect(t.email.tried).toHaveLength(2);
    expect(new Set(t.email.tried.map(({ messageId }) => messageId)).size).toBe(1);
    expect(t.email.accepted).toHaveLength(1);
  });

  it('[Q4] is sent by the chain that is ahead, whatever order the copies come in', async () => {
    const t = await setUpMessage();
    t.email.script(unavailable);
    await t.handle(t.envelope);
    const [second] = t.queue.takeAll();
    await t.handle(t.envelope); // the host could not delete it
    await t.handle(second?.envelope);
    await t.handle(t.envelope);
    expect(t.outcomes()).toEqual(['retry_later', 'done', 'accepted', 'done']);
  });

  it('is not sent again although it could not be recorded; by a repeat it never revives a key that was used in between', async () => {
    const t = await setUpMessage();
    down(t.tables.deliveries, 'merge');
    await t.handle(t.envelope);
    expect([t.outcomes(), t.queue.takeAll()]).toEqual([['accepted'], []]);
    expect(t.events).toContainEqual(expect.objectContaining({ event: 'deliveryNotRecorded', level: 'error' }));
    const key = keyIn(t.email.accepted[0]);
    await expect(redeemKey(t.deps, key, goodPassword)).resolves.toMatchObject({ outcome: 'changed' });
    t.clock.advance(60);
    await t.handle(t.envelope);
    await expect(checkKey(t.deps, key)).resolves.toEqual({ outcome: 'used_key' });
    await expect(checkKey(t.deps, keyIn(t.email.accepted[1]))).resolves.toMatchObject({ outcome: 'live' });
  });
});

describe('a mail that fails for good', () => {
  it('[G2] D18 is tried once and recorded, without a poison copy; one alert per address and day, at anybody’s wish', async () => {
    const t = createUnlimitedFlow();
    t.email.script(...Array.from({ length: 4 }, () => refusal));
    for (let nth = 0; nth < 3; nth++) await t.mailsFor(email);
    expect(t.email.tried).toHaveLength(3);
    expect(t.queue.poisoned).toEqual([]);
    expect(rowOf(t)).toMatchObject({ state: 'failed', reason: 'sendgrid_400', charged: true });
    const id = derivedId('refused', addressHash, '2026-03-01');
    expect(await alertsOf(t)).toMatchObject([{ id, kind: 'mail', reason: 'sendgrid_400' }]);
    t.clock.advance(day);
    await t.mailsFor(email);
    expect(await alertsOf(t)).toHaveLength(2);
    expect(t.events.filter(({ event }) => event === 'deliveryAlert')).toHaveLength(2);
  });

  it('is given up 24 hours after the request and not before, with an alert and a copy for a replay', async () => {
    const t = await setUpMessage({ perAddress: { burst: 3, refillMs: 300_000 } });
    t.email.script(unavailable);
    t.clock.advance(day - 1);
    await t.handle(t.envelope);
    t.clock.advance(1);
    down(t.tables.limits, 'get'); // the refund is best effort
    await t.deliverAll(1);
    expect(t.outcomes()).toEqual(['retry_later', 'failed']);
    expect(t.email.tried).toHaveLength(1);
    expect(t.queue.poisoned).toEqual([{ ...t.envelope, attempt: 1 }]);
    expect(rowOf(t)).toMatchObject({ rowKey: t.mailId, state: 'failed', reason: 'too_late' });
    expect(await alertsOf(t)).toMatchObject([{ mailId: t.mailId, kind: 'mail', reason: 'too_late' }]);
  });

  it('[O4] is given up by its attempts while the table does not answer: its age is not known', async () => {
    const t = await setUpMessage();
    t.clock.advance(2 * day);
    down(t.tables.deliveries, 'insert', 3);
    await t.handle({ ...t.envelope, attempt: 399 });
    expect(t.queue.takeAll()).toMatchObject([{ envelope: { attempt: 400 } }]);
    await t.handle({ ...t.envelope, attempt: 400 });
    expect(t.queue.poisoned).toEqual([{ ...t.envelope, attempt: 400 }]);
    expect(t.outcomes()).toEqual(['retry_later', 'failed']);
    expect(t.events).toContainEqual(expect.objectContaining({ event: 'deliveryAlert' })); // though it cannot be noted
    expect(t.email.tried).toEqual([]);
  });
});

describe('a message that cannot be opened', () => {
  it('[Q1] is poisoned at once if it is unreadable', async () => {
    const t = createUnlimitedFlow();
    await t.handle('junk');
    expect(t.queue.poisoned).toEqual(['junk']);
    expect(t.events).toEqual([{ event: 'sendMail', level: 'error', outcome: 'poisoned', reason: 'unreadable' }]);
  });

  it('[Q1] is poisoned at once if a good seal holds no request', async () => {
    const t = createUnlimitedFlow();
    await enqueue(t.deps, id, { kind: 'spam', to: email });
    await t.deliverAll();
    expect(t.queue.poisoned).toEqual([t.queue.sent[0]?.envelope]);
  });

  it.each([
    ['a newer version', { v: 3, site: '2' }, 'newer_version'],
    ['an unknown kid', { kid: 'zz' }, 'unknown_kid'],
  ])(
    '[D3] waits for an instance that can open it if it is of %s, with what that added',
    async (_what, change, reason) => {
      const t = await setUpMessage();
      await t.handle({ ...t.envelope, ...change });
      expect(t.queue.poisoned).toEqual([]);
      expect(t.queue.takeAll()).toMatchObject([{ envelope: { ...t.envelope, ...change, attempt: 1 } }]);
      expect(t.events).toContainEqual(expect.objectContaining({ level: 'warn', outcome: 'retry_later', reason }));
    },
  );

  it('[D3] is poisoned if nobody could open it for a day', async () => {
    const t = await setUpMessage({ sealingSecrets: [secretB] });
    const other = createTestFlow();
    await other.handle({ ...t.envelope, attempt: 149 });
    expect(other.queue.poisoned).toEqual([]);
    await other.handle({ ...t.envelope, attempt: 150 });
    expect(other.queue.poisoned).toEqual([{ ...t.envelope, attempt: 150 }]);
  });

  it('D11 is opened by a sealing secret, or by the signing secret of before, and by no secret that only signs elsewhere', async () => {
    const sealed = await setUpMessage({ sealingSecrets: [secretB] });
    expect(sealed.envelope.kid).toBe('b');
    const before = await setUpMessage();
    for (const { envelope } of [sealed, before]) await sealed.handle(envelope);
    expect(sealed.email.accepted).toHaveLength(2);
    const signsOnly = createTestFlow({ signingSecrets: [{ ...secretA, kid: 'b' }] });
    await signsOnly.handle(sealed.envelope);
    expect(signsOnly.queue.poisoned).toEqual([sealed.envelope]);
  });
});

describe('the end of the process', () => {
  it('begins nothing new: the message goes back at once', async () => {
    const t = await setUpMessage();
    await t.stop();
    await t.handle(t.envelope);
    expect(t.email.tried).toEqual([]);
    expect(t.queue.takeAll()).toEqual([{ delaySeconds: 1, envelope: t.envelope }]);
  });

  it('does not begin to send a mail that was being prepared', async () => {
    const t = await setUpMessage();
    t.tables.resetKeys.intercept('insert', (run) => {
      void t.stop();
      return run();
    });
    await t.handle(t.envelope);
    expect(t.email.tried).toEqual([]);
    expect(rowOf(t)).toMatchObject({ state: 'waiting', reason: 'stopped', unsureTries: 0 });
  });

  it('waits for the mail in flight', async () => {
    const t = await setUpMessage();
    let stopped: Promise<void> | undefined;
    t.email.during(async () => void (stopped = t.stop()));
    await t.handle(t.envelope);
    await stopped;
    expect(t.outcomes()).toEqual(['accepted']);
  });

  it('leaves a send that takes too long to another worker, as one without a clear answer', async () => {
    const t = await setUpMessage();
    jest.useFakeTimers({ doNotFake: ['Date', 'nextTick', 'queueMicrotask'] });
    t.email.during(() => {
      void t.stop();
      return new Promise(() => undefined);
    });
    const handled = t.handle(t.envelope);
    await jest.advanceTimersByTimeAsync(6_000);
    await handled;
    jest.useRealTimers();
    expect(rowOf(t)).toMatchObject({ state: 'waiting', reason: 'stopped', unsureTries: 1 });
    expect(t.queue.takeAll()).toMatchObject([{ envelope: { attempt: 1 }, delaySeconds: 60 }]);
  });
});

it('[I4] no event, message or row says what nobody may read', async () => {
  const t = createUnlimitedFlow();
  t.email.script(unavailable, refusal);
  await t.mailsFor(email, { client: '203.0.113.7' });
  await t.mailsFor(email);
  const key = keyIn(t.email.accepted[0]);
  const { resetKeys, deliveries, limits } = t.tables;
  const tables = [resetKeys, deliveries, limits].map((table) => table.rows());
  const everything = JSON.stringify([t.events, t.queue.sent, t.queue.poisoned, tables]);
  for (const secret of [email, key, key.split('.')[1] ?? '', oldPassword]) expect(everything).not.toContain(secret);
});
