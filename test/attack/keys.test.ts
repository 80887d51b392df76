// Rows J and K over the wire, with the races: one key, one password. What needs no wire is in test/shared/resetKey.test.ts and
// test/shared/redeemKey.test.ts.
import { createHmac } from 'node:crypto';
import { addressHashOf } from '../../shared/address';
import { startFaultProxy, type FaultProxy } from '../fakes/faultProxy';
import { emptyStorage } from '../support/storage';
import { apiKey, goodPassword, oldHash, startTarget, type Target } from '../support/attack';
import { expectHashOf, expectOneRedemption, expectSameAnswer, messagesOf, rowsOf } from '../support/invariants';

describe('a reset key under attack', () => {
  let proxy: FaultProxy;
  let target: Target;
  beforeAll(async () => {
    proxy = await startFaultProxy(emptyStorage());
    target = await startTarget({
      connectionString: proxy.connectionString,
      env: { LIMIT_PER_ADDRESS: 'off', ALLOW_DEV_EMAIL_BACKEND: 'true' },
    });
  });
  afterEach(() => proxy.clearRules());
  afterAll(async () => {
    await target.checkAndStop();
    await proxy.close();
  });
  const edit = async (email: string, columns: Record<string, string | number | boolean>): Promise<void> => {
    await target.app.storage.table('Accounts').merge(addressHashOf(email), '1', columns, '*');
  };
  const writesOf = () => proxy.calls.filter(({ method }) => method !== 'GET');

  it('[K1] [K14] works once, and raises the generation', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    await expect(target.redeem(key)).resolves.toMatchObject({ status: 200 });
    await expect(target.redeem(key, 'another good long password')).resolves.toMatchObject({
      status: 410,
      json: { code: 'used_key' },
    });
    const row = await target.row(email);
    expect(row).toMatchObject({ generation: 1 });
    await expectHashOf(row, { password: goodPassword, losers: ['another good long password'] });
  });

  it('[K2] [I2] [I3] lets exactly one of twenty concurrent redemptions win, twenty different passwords, slow writes', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    void proxy.rule({ service: 'table', method: 'PATCH', fault: { delayMs: 200 } });
    void proxy.rule({ service: 'table', method: 'PUT', fault: { delayMs: 200 } });
    void proxy.rule({ service: 'table', method: 'MERGE', fault: { delayMs: 200 } });
    const passwords = Array.from({ length: 20 }, (_, n) => `${goodPassword} number ${n}`);
    const before = proxy.calls.length;
    const answers = await Promise.all(passwords.map((password) => target.redeem(key, password)));
    const winner = expectOneRedemption(answers);
    expect(winner).toBeGreaterThanOrEqual(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 410]));
    const row = await target.row(email);
    const password = passwords[winner] ?? '';
    await expectHashOf(row, { password, losers: passwords.filter((other) => other !== password).slice(0, 3) });
    expect(row).toMatchObject({ generation: 1 });
    // All twenty were in flight: at least two reached the conditional write, and the notices they queued are one mail.
    const notices = proxy.calls
      .slice(before)
      .filter(
        ({ service, method, path }) =>
          service === 'queue' && method === 'POST' && path.endsWith('/outgoing-mail/messages'),
      );
    expect(notices.length).toBeGreaterThan(1);
  });

  it('[K2] lets exactly one of two keys of one account win, ten times', async () => {
    for (let round = 0; round < 10; round++) {
      const email = await target.victim();
      const keys = [await target.keyFor(email), await target.keyFor(email)];
      const answers = await Promise.all(keys.map((key, n) => target.redeem(key, `${goodPassword} key ${n}`)));
      const winner = expectOneRedemption(answers);
      expect(winner).toBeGreaterThanOrEqual(0);
      await expectHashOf(await target.row(email), {
        password: `${goodPassword} key ${winner}`,
        losers: [`${goodPassword} key ${1 - winner}`],
      });
    }
  }, 60_000);

  it('[O2] is spent by its own success also when the reply to the write was lost', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    for (const method of ['PATCH', 'PUT', 'MERGE'])
      void proxy.rule({ service: 'table', method, path: /Accounts/, times: 1, fault: 'loseReply' });
    const answer = await target.redeem(key, `${goodPassword} lost`);
    expect(answer).toMatchObject({ status: 200, json: { status: 'changed' } });
    const row = await target.row(email);
    expect(row).toMatchObject({ generation: 1 });
    await expectHashOf(row, { password: `${goodPassword} lost` });
  });

  it.each([
    ['[K5] the password was changed by another route', { password: 'pbkdf2_sha256$1$salt$BBBB' }, 410],
    ['[K6] the address was changed in the row', { email: 'elsewhere@somewhere.com' }, 400],
    ['[K12] the account was disabled', { isActive: false }, 400],
    ['an operator revoked the keys', { generation: 7 }, 410],
  ])('is dead when %s', async (_what, columns, status) => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    await edit(email, columns);
    const before = await target.row(email);
    await expect(target.check(key)).resolves.toMatchObject({ status });
    await expect(target.redeem(key)).resolves.toMatchObject({ status });
    await expect(target.row(email)).resolves.toEqual(before);
    if ('email' in columns) await target.app.storage.table('Accounts').remove(addressHashOf(email), '1', '*');
  });

  it('[K12] is dead when the account is deleted, and makes no row anew', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    await target.app.storage.table('Accounts').remove(addressHashOf(email), '1', '*');
    await expect(target.redeem(key)).resolves.toMatchObject({ status: 400 });
    await expect(target.row(email)).resolves.toBeUndefined();
  });

  it('[K7] [K8] lives beside a newer one, and dies with it', async () => {
    const email = await target.victim();
    const [first, second, third] = [await target.keyFor(email), await target.keyFor(email), await target.keyFor(email)];
    await expect(target.check(first)).resolves.toMatchObject({ status: 200 });
    await expect(target.redeem(second)).resolves.toMatchObject({ status: 200 });
    for (const key of [first, third])
      await expect(target.redeem(key)).resolves.toMatchObject({ status: 410, json: { code: 'used_key' } });
  });

  it('[K9] stays good after passwords that were refused', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    for (const password of ['short', 'passwordpassword', email, 'x'.repeat(129)]) {
      await expect(target.redeem(key, password)).resolves.toMatchObject({ status: 422 });
    }
    for (const password of [null, 7])
      await expect(target.redeem(key, password)).resolves.toMatchObject({ status: 400 });
    await expect(target.redeem(key, `${goodPassword} k9`)).resolves.toMatchObject({ status: 200 });
  });

  it('[K15] [P4] [J4] costs neither a hash nor a storage call when it is forged', async () => {
    const email = await target.victim();
    const [header = '', payload = '', signature = ''] = (await target.keyFor(email)).split('.');
    const forged = [
      `${header}.${payload}.${signature.slice(0, -2)}AA`,
      `${header}.${payload}.`,
      `${Buffer.from('{"alg":"none","typ":"reset+jwt","kid":"dev"}').toString('base64url')}.${payload}.${signature}`,
      `${Buffer.from('{"alg":"HS256","typ":"reset+jwt","kid":"../../dev/null"}').toString('base64url')}.${payload}.${signature}`,
      `${Buffer.from('{"alg":"HS256","typ":"reset+jwt","kid":"dev","jku":"https://evil.example"}').toString('base64url')}.${payload}.${signature}`,
      'x'.repeat(2000),
      `${header}.${payload}.${signature}\n`,
      `${header}.${payload}.${signature}=`,
    ];
    await target.settledQueue();
    const before = proxy.calls.filter(({ service }) => service === 'table').length;
    const started = performance.now();
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, n) => target.redeem(forged[n % forged.length], goodPassword)),
    );
    const elapsedMs = performance.now() - started;
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    for (const answer of answers.slice(1)) expectSameAnswer(answers[0] ?? answer, answer);
    expect(proxy.calls.filter(({ service }) => service === 'table')).toHaveLength(before);
    expect(elapsedMs).toBeLessThan(400 * 25);
    await expectHashOf(await target.row(email), { unchanged: oldHash });
  });

  it('[S1] may be checked ten times: nothing is written', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    await target.settledQueue();
    const before = writesOf().filter(({ service }) => service === 'table').length;
    for (let time = 0; time < 10; time++) await expect(target.check(key)).resolves.toMatchObject({ status: 200 });
    expect(writesOf().filter(({ service }) => service === 'table')).toHaveLength(before);
    await expect(target.redeem(key)).resolves.toMatchObject({ status: 200 });
  });

  it('[K16] cannot be had from a dump of every table and queue, nor from the signing secret alone', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    const tables = await Promise.all(
      (['Accounts', 'ResetKeys', 'Limits', 'Deliveries', 'SiteSettings'] as const).map((name) =>
        rowsOf(target.app.storage, name),
      ),
    );
    const queues = [
      ...(await messagesOf(target.app.storage, 'outgoing-mail')),
      ...(await messagesOf(target.app.storage, 'outgoing-mail-poison')),
    ];
    const strings = new Set<string>();
    const collect = (value: unknown): void => {
      if (typeof value === 'string') strings.add(value);
      else if (typeof value === 'object' && value !== null) Object.values(value).forEach(collect);
    };
    collect([tables, queues]);
    expect(strings.size).toBeGreaterThan(20);
    for (const text of strings) expect(text).not.toContain(key);
    const candidates = [...strings].filter((text) => text.length > 20).slice(0, 300);
    for (const candidate of candidates) {
      const { status } = await target.redeem(candidate);
      expect([400, 413]).toContain(status);
    }
    // The secret leaked, too: a key signed with it is bound to nothing.
    const secret = Buffer.from('ZGV2ZWxvcG1lbnQgb25seTogdGhpcyBzZWNyZXQgaXMgaW4gdGhlIHJlcG9zaXRvcnk=', 'base64');
    const rowKey = (tables[1] ?? []).find(({ partitionKey }) => partitionKey === addressHashOf(email))?.rowKey ?? '';
    for (const jti of [rowKey.slice(0, 22), 'AAECAwQFBgcICQoLDA0ODw']) {
      const claims = { iss: 'pr', aud: '1', sub: addressHashOf(email), jti, exp: Math.floor(Date.now() / 1000) + 3000 };
      const input = [{ alg: 'HS256', typ: 'reset+jwt', kid: 'dev' }, claims]
        .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
        .join('.');
      const signed = `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
      await expect(target.redeem(signed)).resolves.toMatchObject({ status: 400, json: { code: 'invalid_key' } });
    }
    await expectHashOf(await target.row(email), { unchanged: oldHash });
    expect(JSON.stringify(tables)).not.toContain(apiKey);
  }, 60_000);

  it.each([
    [14, 422],
    [15, 200],
    [128, 200],
    [129, 422],
  ])('[P1] [P2] sets a password of %d characters, or leaves the key good (%d)', async (length, status) => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    const password = ` Пароль\0🔑 `.padEnd(length + 1, 'qzjxkvbwpyghfcm').slice(0, length + 1);
    expect(Array.from(password)).toHaveLength(length);
    await expect(target.redeem(key, password)).resolves.toMatchObject({ status });
    const row = await target.row(email);
    if (status === 200) await expectHashOf(row, { password, losers: [password.trim(), password.split('\0')[0] ?? ''] });
    else await expectHashOf(row, { unchanged: oldHash });
  });
});
