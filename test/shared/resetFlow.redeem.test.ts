// Steps 3 and 4: what a key in a link is worth.
import { createHmac } from 'node:crypto';
import jwt from 'jsonwebtoken';
import { StorageUnavailable } from '../../shared/errors';
import type { SiteEvent } from '../../shared/resetDeps';
import { checkKey, redeemKey } from '../../shared/resetFlow';
import { issueResetKey } from '../../shared/resetKey';
import type { MemoryTableStore } from '../fakes/memoryTableStore';
import {
  createUnlimitedFlow,
  down,
  goodPassword,
  keyIn,
  keysIn,
  loseReply,
  oldPassword,
  secretA,
  start,
  type TestFlow,
  type TestFlowOptions,
} from '../support/flow';
import { verifyPassword } from '../support/verifyPassword';

const email = 'someuser@somewhere.com';
const addressHash = 'cM-Cuc5Ca17_SqXTIlSZcQ';
const otherPassword = 'another good long password';

function setUp(options: TestFlowOptions = {}) {
  const test = createUnlimitedFlow(options);
  return {
    ...test,
    mailedKey: async () => keyIn((await test.mailsFor(email))[0]),
    redeem: (key: string, password = goodPassword) => redeemKey(test.deps, key, password),
    check: (key: string) => checkKey(test.deps, key),
    noticesOf: () => test.email.accepted.filter(({ category }) => category === 'password-changed'),
    rows: () => JSON.stringify(Object.values(test.tables).map((table: MemoryTableStore) => table.rows())),
  };
}
const passwordOf = ({ account }: Pick<TestFlow, 'account'>): string => String(account(email)?.['password']);

describe('checkKey', () => {
  it('[S1] reads only, by two calls, however often it is called', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    const before = t.rows();
    t.newCalls();
    const expiresAt = new Date(start.getTime() + 3_600_000);
    for (let time = 0; time < 10; time++) {
      await expect(t.check(key)).resolves.toEqual({ outcome: 'live', username: 'someuser', expiresAt });
    }
    expect(t.rows()).toBe(before);
    expect(t.newCalls().sort()).toEqual([...Array(10).fill('get'), ...Array(10).fill('list')]); // the site row is cached
    await expect(t.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
  });

  it('[K3] [K16] refuses a signed key that was never bound', async () => {
    const t = setUp();
    const { key } = issueResetKey(t.deps.settings, addressHash, start);
    await expect(t.check(key)).resolves.toEqual({ outcome: 'invalid_key' });
    await expect(t.redeem(key)).resolves.toEqual({ outcome: 'invalid_key' });
  });

  it('[K16] makes no storage call for a key that is forged or expired', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    t.newCalls();
    const signature = createHmac('sha256', 'a guess')
      .update(key.replace(/\.[^.]*$/, ''))
      .digest('base64url');
    for (const forged of ['forged', key.replace(/[^.]*$/, signature)]) {
      await expect(t.check(forged)).resolves.toEqual({ outcome: 'invalid_key' });
    }
    t.clock.advance(3600);
    await expect(t.check(key)).resolves.toEqual({ outcome: 'expired_key' });
    expect(t.newCalls()).toEqual([]);
  });

  it('refuses an expired key that a leaked secret signed anew with a later end', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    t.clock.advance(3 * 86_400);
    await expect(t.check(key)).resolves.toEqual({ outcome: 'expired_key' });
    const exp = Math.floor(t.clock.now().getTime() / 1000) + 3600;
    const header = { alg: 'HS256', typ: 'reset+jwt', kid: secretA.kid } as const;
    const claims = { ...(jwt.decode(key) as object), exp };
    const again = jwt.sign(claims, secretA.secret, { algorithm: 'HS256', noTimestamp: true, header });
    await expect(t.redeem(again)).resolves.toEqual({ outcome: 'invalid_key' });
  });

  it.each(['accounts', 'resetKeys'] as const)('[O2] throws if the table %s does not answer', async (name) => {
    const t = setUp();
    const key = await t.mailedKey();
    down(t.tables[name], name === 'accounts' ? 'list' : 'get');
    await expect(t.check(key)).rejects.toMatchObject({ name: 'StorageUnavailable' });
    await expect(t.check(key)).resolves.toMatchObject({ outcome: 'live' });
  });
});

describe('redeemKey', () => {
  it('[K1] [N5] [K14] sets the password once, with the generation and the note of the reset, and nothing else', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    const before = t.account(email);
    t.newCalls();
    const sent = t.queue.sent.length;
    await expect(t.redeem(key)).resolves.toEqual({ outcome: 'changed', username: 'someuser' });
    expect(t.newCalls().sort()).toEqual(['get', 'list', 'merge']);
    expect(t.queue.sent).toHaveLength(sent + 1);
    const after = t.account(email);
    expect(after).toEqual({
      ...before,
      etag: expect.any(String),
      password: expect.stringMatching(/^argon2\$argon2id\$/),
      generation: 1,
      lastResetKeyId: expect.stringMatching(/^[\w-]{43}$/),
      passwordChangedAt: start,
    });
    await expect(verifyPassword(goodPassword, passwordOf(t))).resolves.toBe(true);
    await expect(t.redeem(key, otherPassword)).resolves.toEqual({ outcome: 'used_key' });
    expect(t.account(email)).toEqual(after);
  });

  it('[K14] tells the mailbox once, 5 s later, without password or link', async () => {
    const t = setUp();
    await t.redeem(await t.mailedKey());
    expect(t.queue.sent.at(-1)?.delaySeconds).toBe(5);
    await t.deliverAll();
    expect(t.noticesOf()).toEqual([expect.objectContaining({ to: email })]);
    expect(t.noticesOf()[0]?.text).not.toMatch(/reset\/key|https?:\/\/\S*login/);
    expect(JSON.stringify(t.noticesOf())).not.toContain(goodPassword);
  });

  it('tells the site when this password was changed, not the one before', async () => {
    const sent: SiteEvent[] = [];
    const sendSiteEvent = async (event: SiteEvent) => {
      sent.push(event);
      return { outcome: 'accepted', backend: 'site' } as const;
    };
    const t = setUp({ sendSiteEvent });
    const key = await t.mailedKey();
    await t.redeem(key);
    for (const seconds of [0, 599]) {
      t.clock.advance(seconds);
      await t.redeem(key);
      expect(t.queued()).toMatchObject({ kind: 'siteEvent', data: { at: start.toISOString() } });
    }
    await t.deliverAll();
    t.clock.advance(30 * 86_400 - 599);
    await t.redeem(await t.mailedKey(), otherPassword);
    await t.deliverAll();
    expect(sent.map(({ data }) => data['at'])).toEqual(
      [start, new Date(start.getTime() + 30 * 86_400_000)].map((at) => at.toISOString()),
    );
  });

  it('has changed the password also if the event to the site cannot be queued: the notice makes up for it', async () => {
    const t = setUp({ sendSiteEvent: async () => ({ outcome: 'accepted', backend: 'site' }) });
    const key = await t.mailedKey();
    t.tables.accounts.intercept('merge', async (run) => {
      t.queue.failNext();
      return run();
    });
    await expect(t.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
    expect(t.queued()).toMatchObject({ kind: 'passwordChanged' });
    await t.deliverAll();
    expect(t.queued()).toMatchObject({ kind: 'siteEvent' });
  });

  it('[E8] refuses a password that is too short before it looks at the key', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    t.newCalls();
    for (const given of [key, 'forged']) {
      const rejected = { outcome: 'rejected_password', problems: [{ code: 'too_short' }] };
      await expect(t.redeem(given, 'short')).resolves.toMatchObject(rejected);
    }
    expect(t.newCalls()).toEqual([]);
    await expect(t.check(key)).resolves.toMatchObject({ outcome: 'live' });
  });

  it('[K9] [P3] refuses a password about the account or the site only for a good key, and leaves it good', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    for (const about of [email, 'codalab.org 2026', 'CodaLabCodaLabCodaLab']) {
      const rejected = { outcome: 'rejected_password', problems: [{ code: 'about_you' }] };
      await expect(t.redeem(key, about)).resolves.toMatchObject(rejected);
      await expect(t.redeem('forged', about)).resolves.toEqual({ outcome: 'invalid_key' });
    }
    expect(passwordOf(t)).toBe(oldPassword);
    await expect(t.check(key)).resolves.toMatchObject({ outcome: 'live' });
  });

  it('[K9] asks for breaches only once the key was found good, and leaves it good', async () => {
    const asked: string[] = [];
    const isBreached = async (password: string): Promise<boolean> =>
      asked.push(password) > 0 && password.includes('leaked');
    const t = setUp({ isBreached });
    const key = await t.mailedKey();
    await t.redeem('forged', 'a leaked long password');
    await t.redeem(key, email);
    expect(asked).toEqual([]);
    await expect(t.redeem(key, 'a leaked long password')).resolves.toMatchObject({ problems: [{ code: 'breached' }] });
    await expect(t.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
    expect(asked).toEqual(['a leaked long password', goodPassword]);
  });

  it.each([
    ['[K5] the password was changed by another route', { password: 'pbkdf2_sha256$1$salt$BBBB' }, 'used_key'],
    ['[K6] the address got another spelling', { email: 'SomeUser@somewhere.com' }, 'used_key'],
    ['an operator revoked the keys', { generation: 1 }, 'used_key'],
    ['[K12] the account was disabled', { isActive: false }, 'invalid_key'],
    ['the password was made unusable', { password: '!' }, 'invalid_key'],
    ['[K6] the row was given another address', { email: 'other@somewhere.com' }, 'invalid_key'],
  ])('refuses a key if %s', async (_what, columns, outcome) => {
    const t = setUp();
    const key = await t.mailedKey();
    t.tables.accounts.edit(addressHash, '1', columns);
    const before = t.account(email);
    await expect(t.check(key)).resolves.toEqual({ outcome });
    await expect(t.redeem(key)).resolves.toEqual({ outcome });
    expect(t.account(email)).toEqual(before);
  });

  it('[K7] [K8] lets keys live side by side until one redemption ends them all', async () => {
    const t = setUp();
    const [older, newer] = [await t.mailedKey(), await t.mailedKey()];
    for (const key of [older, newer]) await expect(t.check(key)).resolves.toMatchObject({ outcome: 'live' });
    await expect(t.redeem(older)).resolves.toMatchObject({ outcome: 'changed' });
    const atCapacity = { ...t.deps, encodePassword: async () => undefined };
    await expect(redeemKey(atCapacity, newer, goodPassword)).resolves.toEqual({ outcome: 'used_key' }); // without a hash
    for (const key of [older, newer]) await expect(t.check(key)).resolves.toEqual({ outcome: 'used_key' });
  });

  it('ends no key of another account of the same address', async () => {
    const t = setUp();
    t.addAccount({ email, id: '2', username: 'otheruser' });
    const [mail] = await t.mailsFor(email);
    const [first = '', second = ''] = keysIn(mail ?? { text: '' });
    await t.redeem(first);
    await expect(t.check(second)).resolves.toMatchObject({ outcome: 'live', username: 'otheruser' });
    expect(t.account(email, '2')).toMatchObject({ password: oldPassword, generation: 0 });
  });

  it('[K12] never makes a deleted account anew, and changes none of its successors', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    t.tables.accounts.drop(addressHash, '1');
    await expect(t.redeem(key)).resolves.toEqual({ outcome: 'invalid_key' });
    expect(t.account(email)).toBeUndefined();
    t.addAccount({ email, id: '2' });
    await expect(t.redeem(key)).resolves.toEqual({ outcome: 'invalid_key' });
    expect(t.account(email, '2')).toMatchObject({ password: oldPassword });
  });

  it.each([
    ['twenty concurrent redemptions', 1],
    ['twenty concurrent redemptions of two keys', 2],
  ])('[K2] accepts exactly one of %s and tells the mailbox once', async (_what, keyCount) => {
    const t = setUp();
    const keys = [await t.mailedKey(), await t.mailedKey()].slice(0, keyCount);
    const passwords = Array.from({ length: 20 }, (_, nth) => `${goodPassword} number ${nth}`);
    const tries = passwords.map((password, nth) => t.redeem(keys[nth % keyCount] ?? '', password));
    const outcomes = (await Promise.all(tries)).map(({ outcome }) => outcome);
    expect([...outcomes].sort()).toEqual(['changed', ...Array(19).fill('used_key')]);
    const winner = passwords[outcomes.indexOf('changed')] ?? '';
    await expect(verifyPassword(winner, passwordOf(t))).resolves.toBe(true);
    expect(t.account(email)).toMatchObject({ generation: 1 });
    await t.deliverAll();
    expect(t.noticesOf()).toHaveLength(1);
  });

  it('[O2] leaves the key good if the account cannot be written; the notice goes out once, after the write that succeeds', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    down(t.tables.accounts, 'merge');
    await expect(t.redeem(key)).rejects.toMatchObject({ name: 'StorageUnavailable' });
    expect(passwordOf(t)).toBe(oldPassword);
    t.clock.advance(301);
    await t.deliverAll();
    expect(t.noticesOf()).toEqual([]);
    await expect(t.redeem(key, otherPassword)).resolves.toMatchObject({ outcome: 'changed' });
    await t.deliverAll();
    expect(t.noticesOf()).toHaveLength(1);
  });

  it('[O3] changes nothing if the notice cannot be queued: nobody is changed in silence', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    t.queue.failNext();
    await expect(t.redeem(key)).rejects.toMatchObject({ part: 'queue' });
    expect(passwordOf(t)).toBe(oldPassword);
    await expect(t.check(key)).resolves.toMatchObject({ outcome: 'live' });
  });

  it('D7 is busy, and leaves the key good, while passwords are hashed at capacity or the row is edited all the time', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    const sent = t.queue.sent.length;
    const atCapacity = { ...t.deps, encodePassword: async () => undefined };
    await expect(redeemKey(atCapacity, key, goodPassword)).resolves.toEqual({ outcome: 'busy' });
    expect(t.queue.sent).toHaveLength(sent);
    t.tables.accounts.intercept('merge', () => 'stale', 6);
    await expect(t.redeem(key)).resolves.toEqual({ outcome: 'busy' });
    await expect(t.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
  });
});

describe('D2 a redemption that is repeated', () => {
  it('with the same key and password has changed the password, for ten minutes', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    const atOnce = await Promise.all(Array.from({ length: 20 }, () => t.redeem(key)));
    expect(new Set(atOnce.map(({ outcome }) => outcome))).toEqual(new Set(['changed']));
    const after = t.account(email);
    expect(after).toMatchObject({ generation: 1 });
    const sent = t.queue.sent.length;
    for (const seconds of [0, 599]) {
      t.clock.advance(seconds);
      await expect(t.redeem(key)).resolves.toEqual({ outcome: 'changed', username: 'someuser' });
    }
    await expect(t.redeem(key, otherPassword)).resolves.toEqual({ outcome: 'used_key' });
    await expect(t.check(key)).resolves.toEqual({ outcome: 'used_key' });
    t.clock.advance(1);
    await expect(t.redeem(key)).resolves.toEqual({ outcome: 'used_key' });
    expect(t.account(email)).toEqual(after);
    expect(t.queue.sent).toHaveLength(sent);
  });

  it.each([
    ['the reply to the write was lost', (t: TestFlow) => loseReply(t.tables.accounts, 'merge', 'stale')],
    [
      'the reply was lost and the row cannot be read again',
      (t: TestFlow) => {
        loseReply(t.tables.accounts, 'merge', 'stale');
        t.tables.accounts.intercept('get', () => Promise.reject(new StorageUnavailable('tables', 'timeout')));
      },
    ],
  ])('succeeds if %s', async (_what, fault) => {
    const t = setUp();
    const key = await t.mailedKey();
    fault(t);
    await t.redeem(key).catch(() => undefined);
    await expect(t.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
    expect(t.account(email)).toMatchObject({ generation: 1 });
    await t.deliverAll();
    expect(t.noticesOf()).toHaveLength(1);
  });

  it('is over once the password was changed by somebody else', async () => {
    const t = setUp();
    const key = await t.mailedKey();
    await t.redeem(key);
    t.tables.accounts.edit(addressHash, '1', { password: 'pbkdf2_sha256$1$salt$BBBB', generation: 2 });
    await expect(t.redeem(key)).resolves.toEqual({ outcome: 'used_key' });
    expect(passwordOf(t)).toBe('pbkdf2_sha256$1$salt$BBBB');
  });
});
