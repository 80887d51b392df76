// One key, one password, over the wire and with races between real writes. What needs no wire is in test/shared/resetKey.test.ts and
// test/shared/resetFlow.redeem.test.ts.
import { startFaultProxy, type FaultProxy } from '../fakes/faultProxy';
import { emptyStorage } from '../support/storage';
import type { AppAnswer } from '../support/app';
import { goodPassword, oldHash, startTarget, type Target } from '../support/attack';
import { expectHashOf, expectOneRedemption, expectSameAnswer } from '../support/invariants';

const forgedKeys = 200;

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
  afterAll(async () => {
    await target.checkAndStop();
    await proxy.close();
  });

  /** On a machine under load a call may take too long: a 503 asks for a repeat. */
  const insist = async (key: string, password: string): Promise<AppAnswer> => {
    const answer = await target.redeem(key, password);
    return answer.status === 503 ? insist(key, password) : answer;
  };

  it('[K2] [I2] [I3] lets exactly one of twenty concurrent redemptions win, twenty different passwords, slow writes', async () => {
    const email = await target.victim();
    const key = await target.keyFor(email);
    void proxy.rule({ service: 'table', method: 'PATCH', fault: { delayMs: 300 } });
    const passwords = Array.from({ length: 20 }, (_, n) => `${goodPassword} number ${n}`);
    const before = proxy.calls.length;
    const answers = await Promise.all(passwords.map((password) => insist(key, password)));
    const winner = expectOneRedemption(answers);
    expect(winner).toBeGreaterThanOrEqual(0);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([200, 410]));
    const row = await target.row(email);
    const password = passwords[winner] ?? '';
    await expectHashOf(row, { password, losers: passwords.filter((other) => other !== password).slice(0, 3) });
    expect(row).toMatchObject({ generation: 1 });
    // They were in flight together: at least two reached the conditional write, after the notice that they queued.
    const notices = proxy.calls.slice(before).filter(({ service, method }) => service === 'queue' && method === 'POST');
    expect(notices.length).toBeGreaterThan(1);
    proxy.clearRules();
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
    const answers = await Promise.all(
      Array.from({ length: forgedKeys }, (_, n) => target.redeem(forged[n % forged.length], goodPassword)),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([400]));
    for (const answer of answers.slice(1)) expectSameAnswer(answers[0] ?? answer, answer);
    // A key that gets past the signature costs two reads; notices of other tests may be handled meanwhile.
    const calls = proxy.calls.filter(({ service }) => service === 'table').length - before;
    expect(calls).toBeLessThan((2 * forgedKeys) / forged.length);
    await expectHashOf(await target.row(email), { unchanged: oldHash });
  });

  it('[P1] [P2] sets a password of any characters, exactly as it was sent', async () => {
    const email = await target.victim();
    const password = ` Пароль\0🔑 qzjxkvbwpyghfcm `;
    await expect(target.redeem(await target.keyFor(email), password)).resolves.toMatchObject({ status: 200 });
    const losers = [password.trim(), password.split('\0')[0] ?? ''];
    await expectHashOf(await target.row(email), { password, losers });
  });
});
