// Rows LM over the wire: an address gets so many mails, a client so many calls, whatever they say about themselves.
import { startScriptedSendGrid, type ScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { eventually } from '../support/app';
import { goodPassword, startTarget, type Target } from '../support/attack';
import { expectSameAnswer } from '../support/invariants';
import { emptyStorage } from '../support/storage';

/** Behind two trusted hops the dev host's own entry is the second, so that a test can be many clients. */
const behindProxy = { TRUSTED_PROXY_HOPS: '2' };
const from = (ip: string): Record<string, string> => ({ 'X-Forwarded-For': ip });
const statusesOf = (answers: readonly { status: number }[]): number[] => answers.map(({ status }) => status);

describe('the limits', () => {
  let target: Target;
  let twin: Target;
  let sendgrid: ScriptedSendGrid;
  beforeAll(async () => {
    const connectionString = emptyStorage();
    const env = { ...behindProxy, LIMIT_PER_IP: '20/1h' };
    sendgrid = await startScriptedSendGrid();
    const options = { connectionString, env, sendgrid };
    [target, twin] = await Promise.all([startTarget(options), startTarget(options)]);
  });
  afterAll(async () => {
    twin.stored.push(...target.stored);
    target.stored.push(...twin.stored);
    await Promise.all([target.checkAndStop(), twin.checkAndStop()]);
    await sendgrid.close();
  });
  const handled = (): number =>
    [target, twin].reduce((sum, { app }) => sum + app.host.output().split('"event":"sendMail"').length - 1, 0);
  const mailsTo = (address: string): number => target.mails().filter(({ to }) => to === address).length;
  const allHandled = (count: number) => eventually(() => (handled() >= count ? true : undefined), 60);

  it('[LM1] [LM6] [LM7] give one address three mails for thirty requests at once, from many clients over two processes', async () => {
    const email = await target.victim();
    const before = handled();
    const asks = Array.from({ length: 30 }, (_, n) =>
      (n % 2 === 0 ? target : twin).request(email, from(`203.0.113.${n}`)),
    );
    expect(new Set(statusesOf(await Promise.all(asks)))).toEqual(new Set([202]));
    await allHandled(before + 30);
    expect(mailsTo(email)).toBeLessThanOrEqual(3);
    expect(mailsTo(email)).toBeGreaterThanOrEqual(1);
  });

  it('[LM2] answer 429 with Retry-After to a client over its limit, for known and unknown addresses alike', async () => {
    const email = await target.victim();
    const me = from('192.0.2.1');
    for (let n = 0; n < 20; n++)
      await expect(target.request(`nobody${n}@somewhere.com`, me)).resolves.toMatchObject({ status: 202 });
    const known = await target.request(email, me);
    expect(known).toMatchObject({ status: 429, json: { code: 'too_many_requests' } });
    expect(Number(known.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect(Number(known.headers.get('retry-after'))).toBeLessThanOrEqual(3600);
    expectSameAnswer(known, await target.request('nobody@somewhere.com', me));
    await expect(target.request(email, from('192.0.2.2'))).resolves.toMatchObject({ status: 202 });
  });

  it.each(['check', 'redeem'])(
    '[LM3] count the trusted hop alone, whatever headers a client invents: %s',
    async (step) => {
      const answers = [];
      for (let n = 0; n < 30; n++) {
        const lie = `10.0.0.${n}`;
        const names = ['Client-IP', 'X-Real-IP', 'True-Client-IP', 'CF-Connecting-IP'];
        const headers = {
          ...Object.fromEntries(names.map((name) => [name, lie])),
          'X-Forwarded-For': `${lie}, 192.0.2.50`,
          Forwarded: `for=${lie}`,
        };
        const body = step === 'check' ? { key: 'x' } : { key: 'x', newPassword: goodPassword };
        answers.push(await target.app.post(`password-reset/${step}`, body, headers));
      }
      expect(statusesOf(answers)).toEqual([
        ...Array.from({ length: 20 }, () => 400),
        ...Array.from({ length: 10 }, () => 429),
      ]);
    },
  );

  it('are not spent by other sites’ pages that load links: only a visit to a signed key is charged', async () => {
    const key = await target.keyFor(await target.victim());
    const open = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
      const url = `${target.app.host.url}/accounts/password/reset/key/${path}/`;
      return (await fetch(url, { headers: { ...from('192.0.2.95'), ...headers } })).status;
    };
    const embedded = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'image' };
    const statuses = new Set<number>();
    for (let times = 0; times < 15; times++) {
      statuses
        .add(await open('x', embedded))
        .add(await open('x'))
        .add(await open(key, embedded));
    }
    expect(statuses).toEqual(new Set([400, 403]));
    await expect(open(key)).resolves.toBe(200);
  });

  it('apply to the client a site’s own server names, or to nobody', async () => {
    const backend = { 'x-functions-key': target.app.host.functionKey };
    const ask = (body: object) => target.app.post('backend/password-reset/check', { key: 'x', ...body }, backend);
    const named = [];
    for (let n = 0; n < 25; n++) named.push(await ask({ clientIp: '192.0.2.100' }));
    expect(statusesOf(named).filter((status) => status === 429)).toHaveLength(5);
    const unnamed = [];
    for (let n = 0; n < 25; n++) unnamed.push(await ask({}));
    expect(new Set(statusesOf(unnamed))).toEqual(new Set([400]));
    await expect(ask({ clientIp: ['192.0.2.100'] })).resolves.toMatchObject({ status: 400 });
  });
});
