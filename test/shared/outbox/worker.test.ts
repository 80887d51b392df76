import { StorageUnavailable } from '../../shared/errors';
import type { SendResult } from '../../shared/mail/emailBackend';
import { openOutgoingMail, sealOutgoingMail } from '../../shared/outgoingMail';
import { checkKey, enqueue, redeemKey } from '../../shared/resetFlow';
import { sendMail } from '../../shared/sendMail';
import type { MemoryTableStore } from '../fakes/memoryTableStore';
import {
  createTestFlow,
  goodPassword,
  keyIn,
  keysIn,
  oldPassword,
  secretA,
  secretB,
  start,
  within,
  type TestFlow,
} from '../support/flow';

const email = 'someuser@somewhere.com';
const unavailable: SendResult = { outcome: 'transient', reason: 'sendgrid_503', surelyNotAccepted: true };
const hours = 3600;

/** A flow with one live account and no limits in the way. */
function setUp(options: Parameters<typeof createTestFlow>[0] = {}): TestFlow {
  const test = createTestFlow({ perAddress: 'off', perIp: 'off', ...options });
  test.addAccount({ email });
  return test;
}
const down = (table: MemoryTableStore, call: 'get' | 'list' | 'insert' | 'merge' | 'remove', times = 1): void => {
  table.intercept(
    call,
    () => {
      throw new StorageUnavailable('tables', '503');
    },
    times,
  );
};
const outcomesOf = ({ events }: TestFlow): unknown[] =>
  events.filter(({ event }) => event === 'sendMail').map(({ outcome }) => outcome);
const nothingHappened = ({ email: backend, tables, queue }: TestFlow): void => {
  expect(backend.tried).toEqual([]);
  expect(tables.boundKeys.rows()).toEqual([]);
  expect(tables.deliveries.rows()).toEqual([]);
  expect(queue.poisoned).toEqual([]);
};

describe('sendMail', () => {
  it('mails the link to the stored address, byte for byte, and records it', async () => {
    const test = createTestFlow();
    test.addAccount({ email: 'SomeUser@Somewhere.com' });
    const [mail] = await test.mailsFor('someuser@somewhere.COM');
    expect(mail).toMatchObject({
      to: 'SomeUser@Somewhere.com',
      from: 'info@codalab.org',
      subject: '[CodaLab] Password Reset E-mail',
    });
    expect(mail?.text).toContain('https://codalab.org/accounts/password/reset/key/');
    expect(test.tables.deliveries.rows()).toEqual([
      expect.objectContaining({ state: 'accepted', backend: 'scripted', charged: true, kind: 'passwordReset' }),
    ]);
    expect(test.queue.takeAll()).toEqual([]);
  });

  it('mails a link that works', async () => {
    const test = setUp();
    const key = keyIn((await test.mailsFor(email))[0]);
    await expect(checkKey(test.flow, key, within())).resolves.toMatchObject({ outcome: 'live', username: 'someuser' });
  });

  it.each([
    ['unknown', undefined],
    ['inactive', { isActive: false }],
    ['without a usable password', { password: '!x' }],
    ['without any password', { password: '' }],
    ['with a broken row', { username: '' }],
    ['with a row whose address belongs elsewhere', { email: 'other@somewhere.com' }],
  ])('[E1] binds nothing, sends nothing and leaves no row when the account is %s', async (_what, columns) => {
    const test = createTestFlow();
    const sub = test.addAccount({ email });
    if (columns === undefined) test.tables.accounts.drop(sub, '1');
    else test.tables.accounts.edit(sub, '1', columns);
    await test.request(email, { client: '203.0.113.7' });
    await test.deliverAll();
    nothingHappened(test);
    expect(outcomesOf(test)).toEqual(['nobody']);
    expect(test.queue.takeAll()).toEqual([]);
  });

  it('judges by what is true now, not by what was true when somebody asked', async () => {
    const test = setUp();
    await test.request(email);
    test.addAccount({ email, isActive: false });
    await test.deliverAll();
    nothingHappened(test);
  });

  it('mails one link per account when an address has two accounts', async () => {
    const test = setUp();
    test.addAccount({ email, id: '2', username: 'otheruser' });
    const mails = await test.mailsFor(email);
    expect(mails).toHaveLength(1);
    expect(mails[0]?.text).toMatch(/someuser[^]*otheruser/);
    const [first = '', second = '', ...more] = keysIn(mails[0] ?? { text: '' });
    expect(more).toEqual([]);
    await expect(checkKey(test.flow, first, within())).resolves.toMatchObject({
      outcome: 'live',
      username: 'someuser',
    });
    await expect(checkKey(test.flow, second, within())).resolves.toMatchObject({
      outcome: 'live',
      username: 'otheruser',
    });
  });

  it('[A6] mails each of two stored spellings on its own, with a key of its own account only', async () => {
    const test = createTestFlow({ perAddress: { burst: 1, refillMs: 300_000 } });
    test.addAccount({ email: 'a@x.example', id: '1', username: 'small' });
    test.addAccount({ email: 'A@x.example', id: '2', username: 'capital' });
    const mails = await test.mailsFor('a@X.example', { client: '203.0.113.7' });
    expect(mails.map(({ to }) => to).sort()).toEqual(['A@x.example', 'a@x.example']);
    for (const mail of mails) {
      const username = mail.to.startsWith('a') ? 'small' : 'capital';
      await expect(checkKey(test.flow, keyIn(mail), within())).resolves.toMatchObject({ outcome: 'live', username });
    }
    expect(mails[0]?.messageId).not.toBe(mails[1]?.messageId);
  });

  it('[A6] [Q4] mails the second spelling once, also when the first message is handled twice', async () => {
    const test = createTestFlow();
    test.addAccount({ email: 'a@x.example', id: '1' });
    test.addAccount({ email: 'A@x.example', id: '2' });
    test.email.script(unavailable);
    await test.mailsFor('a@x.example');
    expect(test.email.accepted.map(({ to }) => to).sort()).toEqual(['A@x.example', 'a@x.example']);
  });

  it('[A1] mails nobody for an address that only looks like a stored one', async () => {
    const test = createTestFlow();
    test.addAccount({ email: 'mike@example.org' });
    for (const lookalike of ['m\u0131ke@example.org', 'M\u0130KE@example.org', 'mi\u212ae@example.org'])
      await test.request(lookalike);
    await test.deliverAll();
    nothingHappened(test);
  });

  it('writes in the language of the account, else of the request, else of the site', async () => {
    const test = setUp();
    const [mail] = await test.mailsFor(email, { locale: 'xx' });
    expect(mail?.locale).toBe('en');
  });

  describe('and the limits', () => {
    it('[LM1] mails three times at once and a fourth time after the refill, silently', async () => {
      const test = createTestFlow({ perIp: 'off' });
      test.addAccount({ email });
      for (let n = 0; n < 6; n++) await test.request(email, { client: `203.0.113.${n}` });
      await test.deliverAll();
      expect(test.email.accepted).toHaveLength(3);
      expect(test.tables.deliveries.rows().filter(({ state }) => state === 'suppressed')).toHaveLength(3);
      expect(test.tables.deliveries.rows()).toContainEqual(expect.objectContaining({ reason: 'address_limit' }));
      expect(await test.mailsFor(email)).toHaveLength(0);
      test.clock.advance(300);
      expect(await test.mailsFor(email)).toHaveLength(1);
    });

    it('[LM5] leaves every key alone that she already has', async () => {
      const test = createTestFlow();
      test.addAccount({ email });
      const keys = (await test.mailsFor(email)).map(keyIn);
      for (let n = 0; n < 10; n++) await test.request(email, { client: '203.0.113.7' });
      await test.deliverAll();
      expect(test.email.accepted).toHaveLength(3);
      for (const key of [...keys, ...test.email.accepted.map(keyIn)]) {
        await expect(checkKey(test.flow, key, within())).resolves.toMatchObject({ outcome: 'live' });
      }
    });

    it('[LM6] never mails more than the limit when a hundred messages are handled at once', async () => {
      const test = createTestFlow({ perIp: 'off' });
      test.addAccount({ email });
      for (let n = 0; n < 100; n++) await test.request(email);
      await Promise.all(test.queue.takeAll().map(({ envelope }) => sendMail(test.flow, envelope)));
      await test.deliverAll(30);
      expect(test.email.accepted).toHaveLength(3);
    });

    it('[LM9] counts the address that is stored, not the spelling that was typed', async () => {
      const test = createTestFlow();
      test.addAccount({ email });
      for (const typed of [
        'someuser@somewhere.com',
        'SOMEUSER@somewhere.com',
        'someuser@SOMEWHERE.com',
        'SomeUser@Somewhere.Com',
      ]) {
        await test.mailsFor(typed);
      }
      expect(test.email.accepted).toHaveLength(3);
      for (const other of ['someuser+1@somewhere.com', 'some.user@somewhere.com'])
        expect(await test.mailsFor(other)).toEqual([]);
    });

    it('[LM7] counts a client over all addresses, and charges what nobody owns too', async () => {
      const test = createTestFlow({ perIp: { burst: 5, refillMs: 60_000 } });
      test.addAccount({ email });
      for (let n = 0; n < 5; n++) await test.mailsFor(`unknown${n}@somewhere.com`, { client: '203.0.113.7' });
      expect(await test.mailsFor(email, { client: '203.0.113.7' })).toEqual([]);
      expect(await test.mailsFor(email, { client: '203.0.113.8' })).toHaveLength(1);
      expect(await test.mailsFor(email)).toHaveLength(1); // a site's own server without clientIp
      expect(test.tables.deliveries.rows()).toContainEqual(
        expect.objectContaining({ state: 'suppressed', reason: 'ip_limit' }),
      );
    });

    it('[LM8] leaves no trace of an unknown address but the buckets of clients', async () => {
      const test = createTestFlow({ perIp: 'off' });
      for (let n = 0; n < 50; n++) await test.request(`unknown${n}@somewhere.com`, { client: `203.0.113.${n}` });
      await test.deliverAll();
      expect(test.tables.limits.rows()).toEqual([]);
      nothingHappened(test);
    });

    it('charges a mail once, however often it is tried', async () => {
      const test = createTestFlow();
      test.addAccount({ email });
      test.email.script(unavailable, unavailable, unavailable, unavailable);
      await test.request(email, { client: '203.0.113.7' });
      await test.deliverAll(20);
      expect(test.email.tried).toHaveLength(5);
      expect(await test.mailsFor(email)).toHaveLength(1);
      expect(await test.mailsFor(email)).toHaveLength(1);
      expect(await test.mailsFor(email)).toHaveLength(0);
    });

    it('keeps the token of a mail that is refused: an address that always bounces is not free of the limits', async () => {
      const rate = { burst: 3, refillMs: 300_000 };
      const test = createTestFlow({ perAddress: rate });
      test.addAccount({ email });
      const refusal = { outcome: 'permanent', reason: 'sendgrid_400' } as const;
      test.email.script(refusal, refusal, refusal, refusal);
      for (let times = 0; times < 10; times++) await test.mailsFor(email, { client: '203.0.113.7' });
      expect(test.email.tried).toHaveLength(3);
      expect(test.queue.poisoned).toHaveLength(3);
    });

    it('gives the token back for a mail that an outage of a day kept from being sent', async () => {
      const rate = { burst: 1, refillMs: 100 * 3_600_000 };
      const test = createTestFlow({ perAddress: rate, perIp: rate });
      test.addAccount({ email });
      test.email.script({ outcome: 'transient', reason: 'sendgrid_503', surelyNotAccepted: true });
      await test.request(email, { client: '203.0.113.7' });
      await test.deliverAll(1);
      test.clock.advance(24 * 3600);
      await test.deliverAll();
      expect(test.queue.poisoned).toHaveLength(1);
      expect(await test.mailsFor(email, { client: '203.0.113.7' })).toHaveLength(1);
    });

    it('puts the mail back when it loses the race for a limit row too often', async () => {
      const test = createTestFlow();
      test.addAccount({ email });
      await test.mailsFor(email);
      test.tables.limits.intercept('merge', () => 'stale', 4);
      await test.request(email);
      await test.deliverAll(1);
      expect(test.email.accepted).toHaveLength(1);
      expect(test.events).toContainEqual(expect.objectContaining({ outcome: 'putBack', reason: 'limit_contended' }));
      await test.deliverAll();
      expect(test.email.accepted).toHaveLength(2);
    });
  });

  describe('and what fails for a while', () => {
    it('is put back with attempt + 1, after 10 s doubling to 10 min, give or take a fifth', async () => {
      const test = setUp();
      test.email.script(...Array.from({ length: 9 }, () => unavailable));
      await test.request(email);
      await test.deliverAll(20);
      const [first, ...copies] = test.queue.sent;
      expect(copies.map(({ envelope }) => envelope.attempt)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
      expect(new Set(copies.map(({ envelope }) => envelope.sealed))).toEqual(new Set([first?.envelope.sealed]));
      [10, 20, 40, 80, 160, 320, 600, 600, 600].forEach((seconds, index) => {
        const delay = copies[index]?.delaySeconds ?? 0;
        expect(delay).toBeGreaterThanOrEqual(Math.floor(seconds * 0.8));
        expect(delay).toBeLessThanOrEqual(Math.min(600, seconds * 1.2));
      });
      expect(test.email.accepted).toHaveLength(1);
    });

    it('[G4] waits as long as the provider asks, when that is longer', async () => {
      const test = setUp();
      test.email.script({ ...unavailable, reason: 'sendgrid_429', retryAfterSeconds: 299 });
      await test.request(email);
      await test.deliverAll();
      expect(test.queue.sent[1]?.delaySeconds).toBe(299);
    });

    it('[G7] is sent again with the same Message-ID, and both links work', async () => {
      const test = setUp();
      test.email.script({ outcome: 'transient', reason: 'connection_lost', surelyNotAccepted: false });
      await test.request(email);
      await test.deliverAll();
      const [lost, sent] = test.email.tried;
      expect(sent?.messageId).toBe(lost?.messageId);
      expect(sent?.id).toBe(lost?.id);
      for (const mail of [lost, sent])
        await expect(checkKey(test.flow, keyIn(mail), within())).resolves.toMatchObject({ outcome: 'live' });
    });

    it.each(['accounts', 'boundKeys', 'limits', 'deliveries', 'site'] as const)(
      '[O4] is put back when the table of the %s does not answer, and mailed afterwards: nobody is taken for unknown',
      async (name) => {
        const test = createTestFlow();
        test.addAccount({ email });
        const { [name]: table } = test.tables;
        down(table, name === 'accounts' ? 'list' : name === 'limits' || name === 'site' ? 'get' : 'insert');
        await test.request(email, { client: '203.0.113.7' });
        await test.deliverAll(1);
        expect(test.email.tried).toEqual([]);
        expect(outcomesOf(test)).toEqual(['putBack']);
        await test.deliverAll();
        // The lease of the first try may have to run out first.
        test.clock.advance(61);
        await test.deliverAll();
        expect(test.email.accepted).toHaveLength(1);
      },
    );

    it('[ST1] is put back while there is no good site row', async () => {
      const test = setUp();
      test.tables.site.edit('site', '1', { domain: 'broken/' });
      await test.request(email);
      await test.deliverAll(3);
      expect(test.email.tried).toEqual([]);
      expect(test.events).toContainEqual(expect.objectContaining({ outcome: 'putBack', reason: 'no_good_site_row' }));
      test.tables.site.drop('site', '1');
      await test.deliverAll();
      expect(test.email.accepted).toHaveLength(1);
    });

    it('[O4] stays with the host when the queue does not take the copy', async () => {
      const test = setUp();
      test.email.script(unavailable);
      await test.request(email);
      const [message] = test.queue.takeAll();
      test.queue.failNext();
      await expect(sendMail(test.flow, message?.envelope)).rejects.toMatchObject({
        name: 'StorageUnavailable',
        part: 'queue',
      });
    });

    it('[G3] is kept while the provider refuses us, with one alert when it lasts', async () => {
      const test = setUp();
      const refused: SendResult = {
        outcome: 'transient',
        reason: 'sendgrid_401',
        surelyNotAccepted: true,
        misconfigured: true,
      };
      test.email.script(...Array.from({ length: 6 }, () => refused));
      await test.request(email);
      await test.deliverAll(3);
      expect(await test.flow.deliveries.alerts(within())).toEqual([]);
      await test.deliverAll(20);
      expect(await test.flow.deliveries.alerts(within())).toEqual([
        expect.objectContaining({ kind: 'provider', reason: 'sendgrid_401' }),
      ]);
      expect(test.email.accepted).toHaveLength(1);
      expect(test.queue.poisoned).toEqual([]);
    });

    it('loses nothing in an hour without a provider, and nobody gets a dead link', async () => {
      const test = setUp();
      let minutes = 0;
      await test.request(email);
      while (minutes < 60) {
        test.email.script(unavailable);
        await test.deliverAll(1);
        test.clock.advance(600);
        minutes += 10;
      }
      await test.deliverAll(1);
      const [mail] = test.email.accepted;
      await expect(checkKey(test.flow, keyIn(mail), within())).resolves.toMatchObject({
        outcome: 'live',
        expiresAt: new Date(test.clock.now().getTime() + 3_600_000),
      });
    });
  });

  describe('and the life of the key', () => {
    it('uses the key of the request while half of its life is left', async () => {
      const test = setUp();
      await test.request(email);
      test.clock.advance(30 * 60);
      await test.deliverAll();
      const opened = openOutgoingMail([secretA], test.queue.sent[0]?.envelope);
      expect(opened).toMatchObject({ content: { key: keyIn(test.email.accepted[0]) } });
    });

    it('issues another when more than half of it went by in the queue, with a full life', async () => {
      const test = setUp();
      await test.request(email);
      test.clock.advance(30 * 60 + 1);
      await test.deliverAll();
      const key = keyIn(test.email.accepted[0]);
      expect(openOutgoingMail([secretA], test.queue.sent[0]?.envelope)).not.toMatchObject({ content: { key } });
      await expect(checkKey(test.flow, key, within())).resolves.toMatchObject({
        outcome: 'live',
        expiresAt: new Date(test.clock.now().getTime() + 3_600_000),
      });
    });

    it('[D1] issues another when the secret that signed it was dropped meanwhile', async () => {
      const before = setUp({ signingSecrets: [secretA] });
      await before.request(email);
      const after = setUp({ signingSecrets: [secretB, secretA] });
      await sendMail(after.flow, before.queue.sent[0]?.envelope);
      await expect(checkKey(after.flow, keyIn(after.email.accepted[0]), within())).resolves.toMatchObject({
        outcome: 'live',
      });
    });

    it('never revives a used key by a repeat of its mail', async () => {
      const test = setUp();
      // A crash: the mail went out, and nothing was recorded.
      const envelope = await (async () => {
        await test.request(email);
        const [message] = test.queue.takeAll();
        down(test.tables.deliveries, 'merge');
        await sendMail(test.flow, message?.envelope);
        return message?.envelope;
      })();
      const key = keyIn(test.email.accepted[0]);
      await expect(redeemKey(test.flow, key, goodPassword, within())).resolves.toMatchObject({ outcome: 'changed' });
      test.clock.advance(61);
      await sendMail(test.flow, envelope);
      expect(test.email.accepted).toHaveLength(2);
      await expect(checkKey(test.flow, key, within())).resolves.toEqual({ outcome: 'used_key' });
      const repeated = keyIn(test.email.accepted[1]);
      expect(repeated).not.toBe(key);
      await expect(checkKey(test.flow, repeated, within())).resolves.toMatchObject({ outcome: 'live' });
      expect(test.email.accepted[1]?.messageId).toBe(test.email.accepted[0]?.messageId);
    });
  });

  describe('and messages that come twice', () => {
    it('[Q4] sends one mail when a message is handled again', async () => {
      const test = setUp();
      await test.request(email);
      const [message] = test.queue.takeAll();
      for (let time = 0; time < 3; time++) await sendMail(test.flow, message?.envelope);
      expect(test.email.tried).toHaveLength(1);
      expect(outcomesOf(test)).toEqual(['accepted', 'done', 'done']);
    });

    it('[Q4] sends one mail when two workers handle it at once: the second waits for the lease', async () => {
      const test = setUp();
      await test.request(email);
      const [message] = test.queue.takeAll();
      test.email.during(() => sendMail(test.flow, message?.envelope));
      await sendMail(test.flow, message?.envelope);
      expect(test.email.tried).toHaveLength(1);
      expect(outcomesOf(test)).toEqual(['busy', 'accepted']);
      const [copy] = test.queue.takeAll();
      expect(copy).toMatchObject({ delaySeconds: 60, envelope: { attempt: 0 } });
      await sendMail(test.flow, copy?.envelope);
      expect(test.email.tried).toHaveLength(1);
    });

    it('[Q5] sends again when a worker died while sending, and the repeat is recognisable', async () => {
      const test = setUp();
      await test.request(email);
      const [message] = test.queue.takeAll();
      test.email.during(() => Promise.reject(new Error('the process is gone')));
      await sendMail(test.flow, message?.envelope).catch((): undefined => undefined);
      test.clock.advance(61);
      await test.deliverAll();
      expect(new Set(test.email.tried.map(({ messageId }) => messageId)).size).toBe(1);
      expect(test.email.accepted).toHaveLength(1);
    });

    it('[Q4] ends the chain that is behind: one mail, whatever order the copies come in', async () => {
      const test = setUp();
      test.email.script(unavailable);
      await test.request(email);
      const [first] = test.queue.takeAll();
      await sendMail(test.flow, first?.envelope);
      const [second] = test.queue.takeAll();
      await sendMail(test.flow, first?.envelope); // the host could not delete it
      expect(outcomesOf(test)).toEqual(['putBack', 'done']);
      await sendMail(test.flow, second?.envelope);
      await sendMail(test.flow, first?.envelope);
      expect(test.email.accepted).toHaveLength(1);
    });

    it('[Q6] handles requests in any order: the older one kills no newer key', async () => {
      const test = setUp();
      await test.request(email);
      test.clock.advance(1);
      await test.request(email);
      for (const { envelope } of test.queue.takeAll().reverse()) await sendMail(test.flow, envelope);
      expect(test.email.accepted).toHaveLength(2);
      for (const mail of test.email.accepted) {
        await expect(checkKey(test.flow, keyIn(mail), within())).resolves.toMatchObject({ outcome: 'live' });
      }
    });

    it('does not send again when the mail went out and could not be recorded', async () => {
      const test = setUp();
      down(test.tables.deliveries, 'merge');
      await test.request(email);
      await test.deliverAll();
      expect(test.email.accepted).toHaveLength(1);
      expect(test.queue.sent).toHaveLength(1);
      expect(test.events).toContainEqual(expect.objectContaining({ event: 'deliveryNotRecorded', level: 'error' }));
    });
  });

  describe('and what fails for good', () => {
    it('[G2] is tried once, recorded, alerted and kept in the poison queue', async () => {
      const test = setUp();
      test.email.script({ outcome: 'permanent', reason: 'sendgrid_400' });
      const id = await test.request(email);
      await test.deliverAll();
      expect(test.email.tried).toHaveLength(1);
      expect(test.queue.poisoned).toEqual([test.queue.sent[0]?.envelope]);
      expect(await test.flow.deliveries.alerts(within())).toEqual([
        expect.objectContaining({ id, kind: 'mail', reason: 'sendgrid_400' }),
      ]);
      expect(test.tables.deliveries.rows()).toContainEqual(
        expect.objectContaining({ rowKey: id, state: 'failed', reason: 'sendgrid_400' }),
      );
      expect(test.events).toContainEqual(
        expect.objectContaining({ event: 'sendMail', outcome: 'failed', level: 'error' }),
      );
    });

    it('is given up 24 hours after the request, and not before', async () => {
      const test = setUp();
      const id = await test.request(email);
      test.email.script(unavailable);
      test.clock.advance(24 * hours - 1);
      await test.deliverAll(1);
      expect(outcomesOf(test)).toEqual(['putBack']);
      test.clock.advance(1);
      await test.deliverAll(1);
      expect(outcomesOf(test)).toEqual(['putBack', 'failed']);
      expect(test.email.tried).toHaveLength(1);
      expect(test.queue.poisoned).toHaveLength(1);
      expect(test.tables.deliveries.rows()).toContainEqual(
        expect.objectContaining({ rowKey: id, state: 'failed', reason: 'too_late' }),
      );
    });

    it('[O4] is given up after 24 hours also when the tables were down all the time', async () => {
      const test = setUp();
      await test.request(email);
      test.clock.advance(24 * hours);
      down(test.tables.deliveries, 'insert');
      await test.deliverAll();
      expect(test.queue.poisoned).toHaveLength(1);
      expect(test.email.tried).toEqual([]);
    });
  });

  describe('and messages it cannot open', () => {
    it.each([['text'], [null], [{}], [{ v: 1 }], [7]])('[Q1] poisons what is unreadable at once (%#)', async (junk) => {
      const test = setUp();
      await sendMail(test.flow, junk);
      expect(test.queue.poisoned).toEqual([junk]);
      expect(test.events).toEqual([
        expect.objectContaining({ event: 'sendMail', outcome: 'poisoned', level: 'error' }),
      ]);
    });

    it('[Q7] sends 31 mails when one of 32 messages is junk', async () => {
      const test = setUp();
      for (let n = 0; n < 31; n++) await test.request(email);
      const messages: unknown[] = test.queue.takeAll().map(({ envelope }) => envelope);
      messages.splice(7, 0, { v: 1, id: 'junk' });
      await Promise.all(messages.map((message) => sendMail(test.flow, message)));
      expect(test.email.accepted).toHaveLength(31);
      expect(test.queue.poisoned).toEqual([{ v: 1, id: 'junk' }]);
    });

    it.each([
      ['a newer version', { v: 2 }, 'newer_version'],
      ['an unknown kid', { kid: 'zz' }, 'unknown_kid'],
    ])('[D3] puts %s back with a warning, for an instance that can open it', async (_what, change, reason) => {
      const test = setUp();
      await test.request(email);
      const [message] = test.queue.takeAll();
      await sendMail(test.flow, { ...message?.envelope, ...change });
      expect(test.queue.poisoned).toEqual([]);
      expect(test.queue.takeAll()).toEqual([
        expect.objectContaining({ envelope: { ...message?.envelope, ...change, attempt: 1 } }),
      ]);
      expect(test.events).toContainEqual(expect.objectContaining({ level: 'warn', outcome: 'putBack', reason }));
    });

    it('[D3] poisons it when nobody could open it for a day', async () => {
      const test = setUp();
      const envelope = {
        ...sealOutgoingMail(secretB, 'AAECAwQFBgcICQoLDA0ODw', {
          kind: 'resetAddress',
          email,
          key: 'k',
          acceptedAt: start,
        }),
        attempt: 150,
      };
      await sendMail(test.flow, envelope);
      expect(test.queue.poisoned).toEqual([envelope]);
    });
  });

  describe('and the notice', () => {
    const notice = (test: TestFlow, sub: string, resetKeyId: string) =>
      enqueue(
        test.flow,
        'AAECAwQFBgcICQoLDA0ODw',
        { kind: 'passwordChanged', sub, accountId: '1', resetKeyId, acceptedAt: start },
        0,
        within(),
      );

    it('goes out when that key set the present password', async () => {
      const test = createTestFlow();
      const sub = test.addAccount({ email, lastResetKeyId: 'this' });
      await notice(test, sub, 'this');
      await test.deliverAll();
      expect(test.email.accepted).toEqual([expect.objectContaining({ to: email, category: 'password-changed' })]);
    });

    it('does not go out when the write it announced never came, or another key did it', async () => {
      const test = createTestFlow();
      const sub = test.addAccount({ email });
      await notice(test, sub, 'this');
      test.addAccount({ email, id: '1', lastResetKeyId: 'other' });
      await notice(test, sub, 'this');
      await test.deliverAll();
      nothingHappened(test);
    });

    it('goes out also to an account that was disabled since, and within any limit', async () => {
      const test = createTestFlow({ perAddress: { burst: 1, refillMs: 300_000 } });
      const sub = test.addAccount({ email });
      await test.mailsFor(email);
      test.tables.accounts.edit(sub, '1', { lastResetKeyId: 'this', isActive: false });
      await notice(test, sub, 'this');
      await test.deliverAll();
      expect(test.email.accepted.map(({ category }) => category)).toEqual(['password-reset', 'password-changed']);
    });
  });

  it('[I4] says in no event, message or row what nobody may read', async () => {
    const test = setUp();
    test.email.script(unavailable, { outcome: 'permanent', reason: 'sendgrid_400' });
    await test.request(email, { client: '203.0.113.7' });
    await test.deliverAll();
    await test.mailsFor(email);
    const key = keyIn(test.email.accepted[0]);
    const { boundKeys, deliveries, limits } = test.tables;
    const everything = JSON.stringify([
      test.events,
      test.queue.sent,
      test.queue.poisoned,
      [boundKeys, deliveries, limits].map((table) => table.rows()),
    ]);
    for (const secret of [email, key, key.split('.')[1] ?? '', oldPassword]) expect(everything).not.toContain(secret);
  });
});
