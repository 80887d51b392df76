import { createHmac } from 'node:crypto';
import { StorageUnavailable } from '../../shared/errors';
import { verifyPassword } from '../../shared/password/passwordHash';
import { checkKey, redeemKey, type RedeemOutcome } from '../../shared/resetFlow';
import { issueResetKey } from '../../shared/resetKey';
import type { MemoryTableStore } from '../fakes/memoryTableStore';
import {
  createTestFlow,
  goodPassword,
  keyIn,
  oldPassword,
  secretA,
  start,
  within,
  type TestFlow,
} from '../support/flow';

const email = 'someuser@somewhere.com';
const sub = 'cM-Cuc5Ca17_SqXTIlSZcQ';

function setUp(options: Parameters<typeof createTestFlow>[0] = {}) {
  const test = createTestFlow({ perAddress: 'off', perIp: 'off', ...options });
  test.addAccount({ email });
  const mailedKey = async (): Promise<string> => keyIn((await test.mailsFor(email))[0]);
  const redeem = (key: string, password = goodPassword): Promise<RedeemOutcome> =>
    redeemKey(test.flow, key, password, within());
  const check = (key: string) => checkKey(test.flow, key, within());
  const noticesOf = () => test.email.accepted.filter(({ category }) => category === 'password-changed');
  const tables = (): MemoryTableStore[] => Object.values(test.tables) as MemoryTableStore[];
  const storageCalls = (): number => tables().reduce((sum, { calls }) => sum + calls.length, 0);
  const forgetCalls = (): void => {
    for (const { calls } of tables()) calls.length = 0;
  };
  const rows = (): string => JSON.stringify(tables().map((table) => table.rows()));
  return {
    ...test,
    tables: test.tables,
    allTables: tables,
    rows,
    mailedKey,
    redeem,
    check,
    noticesOf,
    storageCalls,
    forgetCalls,
  };
}
const passwordOf = ({ account }: Pick<TestFlow, 'account'>): string => String(account(email)?.['password']);

describe('checkKey', () => {
  it('[S1] reads only, however often it is called', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    const before = test.rows();
    test.forgetCalls();
    for (let time = 0; time < 10; time++) {
      await expect(test.check(key)).resolves.toEqual({
        outcome: 'live',
        username: 'someuser',
        expiresAt: new Date(start.getTime() + 3_600_000),
      });
    }
    expect(test.rows()).toBe(before);
    const calls = test.allTables().flatMap(({ calls: made }) => made);
    expect(new Set(calls)).toEqual(new Set(['get', 'list']));
    expect(calls).toHaveLength(20); // two per check; the site row comes from the cache
    await expect(test.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
  });

  it('[K3] [K16] takes a signed key that was never bound for an invalid one', async () => {
    const test = setUp();
    const { key } = issueResetKey(test.flow.settings, sub, start);
    await expect(test.check(key)).resolves.toEqual({ outcome: 'invalid_key' });
    await expect(test.redeem(key)).resolves.toEqual({ outcome: 'invalid_key' });
  });

  it('[K16] takes a bound key under a forged signature for an invalid one', async () => {
    const test = setUp();
    const [header = '', payload = ''] = (await test.mailedKey()).split('.');
    const forged = createHmac('sha256', 'a guess').update(`${header}.${payload}`).digest('base64url');
    await expect(test.check(`${header}.${payload}.${forged}`)).resolves.toEqual({ outcome: 'invalid_key' });
  });

  it('asks no storage for a key that is forged or expired', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.forgetCalls();
    await test.check('forged');
    await test.check(`${key.slice(0, -2)}AA`);
    test.clock.advance(3600);
    await expect(test.check(key)).resolves.toEqual({ outcome: 'expired_key' });
    expect(test.storageCalls()).toBe(0);
  });

  it.each(['accounts', 'boundKeys'] as const)(
    '[O2] says that storage is down when the table of the %s does not answer',
    async (name) => {
      const test = setUp();
      const key = await test.mailedKey();
      test.tables[name].intercept(name === 'accounts' ? 'list' : 'get', () => {
        throw new StorageUnavailable('tables', '503');
      });
      await expect(test.check(key)).rejects.toMatchObject({ name: 'StorageUnavailable' });
      await expect(test.check(key)).resolves.toMatchObject({ outcome: 'live' });
    },
  );
});

describe('redeemKey', () => {
  it('[K1] sets the password once', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    await expect(test.redeem(key)).resolves.toEqual({ outcome: 'changed', username: 'someuser' });
    const hash = passwordOf(test);
    await expect(verifyPassword(goodPassword, hash)).resolves.toBe(true);
    await expect(test.redeem(key, 'another good long password')).resolves.toEqual({ outcome: 'used_key' });
    await expect(test.redeem(key)).resolves.toEqual({ outcome: 'used_key' });
    expect(passwordOf(test)).toBe(hash);
  });

  it('[N5] [K14] changes the password, the generation and the note of the reset, and nothing else', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    const before = test.account(email);
    await test.redeem(key);
    const after = test.account(email);
    expect(after).toEqual({
      ...before,
      etag: expect.any(String),
      password: expect.stringMatching(/^argon2\$argon2id\$/),
      generation: 1,
      lastResetKeyId: expect.stringMatching(/^[\w-]{43}$/),
      passwordChangedAt: start,
    });
  });

  it('[K14] tells the mailbox once, without password or link', async () => {
    const test = setUp();
    await test.redeem(await test.mailedKey());
    expect(test.queue.sent.at(-1)?.delaySeconds).toBe(30);
    await test.deliverAll();
    const notices = test.noticesOf();
    expect(notices).toEqual([expect.objectContaining({ to: email })]);
    expect(notices[0]?.text).not.toMatch(/reset\/key|https?:\/\/\S*login/);
    expect(JSON.stringify(notices)).not.toContain(goodPassword);
  });

  it('makes four storage calls, the writes last', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.forgetCalls();
    const sent = test.queue.sent.length;
    await test.redeem(key);
    expect(test.tables.boundKeys.calls).toEqual(['get']);
    expect(test.tables.accounts.calls).toEqual(['list', 'merge']);
    expect(test.queue.sent).toHaveLength(sent + 1);
    expect(test.storageCalls()).toBe(3);
  });

  it.each([
    ['too short', 'short', 'too_short'],
    ['too long', 'x y'.repeat(100), 'too_long'],
    ['common', 'passwordpassword', 'too_common'],
    ['ill-formed', `${goodPassword}\ud800`, 'malformed'],
  ])('[E8] refuses a password that is %s before it looks at the key', async (_what, password, code) => {
    const test = setUp();
    const key = await test.mailedKey();
    test.forgetCalls();
    const refused = { outcome: 'rejected_password', problems: [expect.objectContaining({ code })] };
    const forGood = await test.redeem(key, password);
    expect(forGood).toEqual(refused);
    expect(await test.redeem('forged', password)).toEqual(forGood);
    expect(test.storageCalls()).toBe(0);
    await expect(test.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
  });

  it('[K9] [P3] refuses a password about the account or the site only for a good key, and leaves it good', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    for (const about of [email, 'codalab.org 2026', 'CodaLabCodaLabCodaLab']) {
      await expect(test.redeem(key, about)).resolves.toMatchObject({
        outcome: 'rejected_password',
        problems: [{ code: 'about_you' }],
      });
      await expect(test.redeem('forged', about)).resolves.toEqual({ outcome: 'invalid_key' });
    }
    expect(passwordOf(test)).toBe(oldPassword);
    await expect(test.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
  });

  it('[K9] asks for breaches only once the key was found good, and leaves it good', async () => {
    const asked: string[] = [];
    const isBreached = async (password: string): Promise<boolean> => {
      asked.push(password);
      return password.includes('leaked');
    };
    const test = setUp({ isBreached });
    const key = await test.mailedKey();
    await test.redeem('forged', 'a leaked long password');
    await test.redeem(key, email);
    expect(asked).toEqual([]);
    await expect(test.redeem(key, 'a leaked long password')).resolves.toMatchObject({
      problems: [{ code: 'breached' }],
    });
    await expect(test.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
    expect(asked).toEqual(['a leaked long password', goodPassword]);
  });

  it.each(['', ' ', 'undefined', 'null', '{}', '[object Object]', '.', 'a.b.c', '__proto__'])(
    '[K10] refuses %j as a key, also for an account that never asked',
    async (key) => {
      const test = setUp();
      await expect(test.redeem(key)).resolves.toEqual({ outcome: 'invalid_key' });
      expect(passwordOf(test)).toBe(oldPassword);
    },
  );

  it.each([
    ['[K5] the password was changed by another route', { password: 'pbkdf2_sha256$1$salt$BBBB' }, 'used_key'],
    ['[K6] the address got another spelling', { email: 'SomeUser@somewhere.com' }, 'used_key'],
    ['an operator revoked the keys', { generation: 1 }, 'used_key'],
    ['[K12] the account was disabled', { isActive: false }, 'invalid_key'],
    ['the password was made unusable', { password: '!' }, 'invalid_key'],
    ['[K6] the row was given another address', { email: 'other@somewhere.com' }, 'invalid_key'],
  ])('refuses a key when %s', async (_what, columns, outcome) => {
    const test = setUp();
    const key = await test.mailedKey();
    test.tables.accounts.edit(sub, '1', columns);
    const before = test.account(email);
    await expect(test.check(key)).resolves.toEqual({ outcome });
    await expect(test.redeem(key)).resolves.toEqual({ outcome });
    expect(test.account(email)).toEqual(before);
  });

  it('works again when an account was disabled and enabled, unless that raised the generation', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.tables.accounts.edit(sub, '1', { isActive: false });
    test.tables.accounts.edit(sub, '1', { isActive: true });
    await expect(test.check(key)).resolves.toMatchObject({ outcome: 'live' });
    test.tables.accounts.edit(sub, '1', { generation: 2 });
    await expect(test.check(key)).resolves.toEqual({ outcome: 'used_key' });
  });

  it('[K7] two keys live side by side: a second request never kills the first mail', async () => {
    const test = setUp();
    const [older, newer] = [await test.mailedKey(), await test.mailedKey()];
    expect(older).not.toBe(newer);
    await expect(test.check(newer)).resolves.toMatchObject({ outcome: 'live' });
    await expect(test.redeem(older)).resolves.toMatchObject({ outcome: 'changed' });
  });

  it('[K8] one redemption ends every key of the account', async () => {
    const test = setUp();
    const [older, newer] = [await test.mailedKey(), await test.mailedKey()];
    await test.redeem(newer);
    await expect(test.redeem(older)).resolves.toEqual({ outcome: 'used_key' });
    await expect(test.check(older)).resolves.toEqual({ outcome: 'used_key' });
  });

  it('ends no key of another account of the same address', async () => {
    const test = setUp();
    test.addAccount({ email, id: '2', username: 'otheruser' });
    const [mail] = await test.mailsFor(email);
    const [mine = '', theirs = ''] = [...(mail?.text ?? '').matchAll(/\/key\/([^/\s]+)\//g)].map(
      ([, key]) => key ?? '',
    );
    await test.redeem(mine);
    await expect(test.check(theirs)).resolves.toMatchObject({ outcome: 'live', username: 'otheruser' });
    expect(test.account(email, '2')).toMatchObject({ password: oldPassword, generation: 0 });
  });

  it('[K12] never makes a deleted account anew, and gives its successor to nobody', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.tables.accounts.drop(sub, '1');
    await expect(test.redeem(key)).resolves.toEqual({ outcome: 'invalid_key' });
    expect(test.account(email)).toBeUndefined();
    test.addAccount({ email, id: '2' });
    await expect(test.redeem(key)).resolves.toEqual({ outcome: 'invalid_key' });
    expect(test.account(email, '2')).toMatchObject({ password: oldPassword });
    test.addAccount({ email, id: '1', password: 'pbkdf2_sha256$1$salt$CCCC' });
    await expect(test.redeem(key)).resolves.toEqual({ outcome: 'used_key' });
  });

  it('[K12] loses to an account that is deleted between reading and writing', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.tables.accounts.intercept('merge', (run) => {
      test.tables.accounts.drop(sub, '1');
      return run();
    });
    await expect(test.redeem(key)).resolves.toEqual({ outcome: 'used_key' });
    expect(test.account(email)).toBeUndefined();
  });

  it('[K2] takes exactly one of twenty concurrent redemptions and tells the mailbox once', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    const passwords = Array.from({ length: 20 }, (_, n) => `${goodPassword} number ${n}`);
    const outcomes = await Promise.all(passwords.map((password) => test.redeem(key, password)));
    const winners = passwords.filter((_, n) => outcomes[n]?.outcome === 'changed');
    expect(winners).toHaveLength(1);
    expect(outcomes.filter(({ outcome }) => outcome === 'used_key')).toHaveLength(19);
    await expect(verifyPassword(winners[0] ?? '', passwordOf(test))).resolves.toBe(true);
    expect(test.account(email)).toMatchObject({ generation: 1 });
    await test.deliverAll();
    expect(test.noticesOf()).toHaveLength(1);
  });

  it('[K2] takes exactly one of two concurrent redemptions of two keys of the account', async () => {
    const test = setUp();
    const keys = [await test.mailedKey(), await test.mailedKey()];
    const outcomes = await Promise.all(keys.map((key, n) => test.redeem(key, `${goodPassword} number ${n}`)));
    expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['changed', 'used_key']);
    await test.deliverAll();
    expect(test.noticesOf()).toHaveLength(1);
  });

  it('succeeds when only the reply to its write was lost', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.tables.accounts.intercept('merge', async (run) => {
      await run();
      return 'stale'; // what the SDK's own retry is told
    });
    await expect(test.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
    expect(test.account(email)).toMatchObject({ generation: 1 });
    await test.deliverAll();
    expect(test.noticesOf()).toHaveLength(1);
  });

  it('[O2] leaves the key unspent when the account cannot be written, and sends no notice', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.tables.accounts.intercept('merge', () => {
      throw new StorageUnavailable('tables', '503');
    });
    await expect(test.redeem(key)).rejects.toMatchObject({ name: 'StorageUnavailable' });
    expect(passwordOf(test)).toBe(oldPassword);
    await test.deliverAll();
    expect(test.noticesOf()).toEqual([]);
    await expect(test.redeem(key, 'another good long password')).resolves.toMatchObject({ outcome: 'changed' });
  });

  it('[O3] changes nothing when the notice cannot be queued: nobody is changed in silence', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.queue.failNext();
    await expect(test.redeem(key)).rejects.toMatchObject({ part: 'queue' });
    expect(passwordOf(test)).toBe(oldPassword);
    await expect(test.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
    await test.deliverAll();
    expect(test.noticesOf()).toHaveLength(1);
  });

  it('tells the mailbox after a write that failed first and succeeded later', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    test.tables.accounts.intercept('merge', () => {
      throw new StorageUnavailable('tables', '503');
    });
    await expect(test.redeem(key)).rejects.toThrow();
    test.clock.advance(31);
    await test.deliverAll(); // the notice of the first try: nothing to tell yet
    await expect(test.redeem(key)).resolves.toMatchObject({ outcome: 'changed' });
    await test.deliverAll();
    expect(test.noticesOf()).toHaveLength(1);
  });

  it('[T2] works for an account id of 256 characters, whatever it is made of', async () => {
    const test = createTestFlow({ perAddress: 'off', perIp: 'off' });
    for (const id of ['"'.repeat(256), 'ä'.repeat(256), 'x'.repeat(256)]) {
      const address = `user${id.charCodeAt(0)}@somewhere.com`;
      test.addAccount({ email: address, id });
      const [mail] = await test.mailsFor(address);
      await expect(redeemKey(test.flow, keyIn(mail), goodPassword, within())).resolves.toMatchObject({
        outcome: 'changed',
      });
      await test.deliverAll();
    }
    expect(test.email.accepted.filter(({ category }) => category === 'password-changed')).toHaveLength(3);
  });

  it('[D1] redeems a key of a secret that no longer signs, and refuses it once that is dropped', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    const other = { kid: 'new', secret: Buffer.alloc(32, 9) };
    const dropped = { ...test.flow, settings: { ...test.flow.settings, signingSecrets: [other] as const } };
    await expect(redeemKey(dropped, key, goodPassword, within())).resolves.toEqual({ outcome: 'invalid_key' });
    const rotated = { ...test.flow, settings: { ...test.flow.settings, signingSecrets: [other, secretA] as const } };
    await expect(redeemKey(rotated, key, goodPassword, within())).resolves.toMatchObject({ outcome: 'changed' });
  });

  it('[K4] refuses a key of another site that shares secret and tables', async () => {
    const test = setUp();
    const key = await test.mailedKey();
    const otherSite = { ...test.flow, settings: { ...test.flow.settings, siteId: '2' } };
    await expect(redeemKey(otherSite, key, goodPassword, within())).resolves.toEqual({ outcome: 'invalid_key' });
  });
});
