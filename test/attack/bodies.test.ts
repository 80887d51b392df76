// Hostile bodies over the wire end in a clear 4xx: nothing is stored, queued, hashed or mailed. Which bodies and addresses are
// refused is tested in test/shared/http/message.test.ts and test/shared/address.test.ts; here is one of each sort, and chance.
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { send } from '../dev/fixtures/rawHttp';
import { apiKey, oldHash, startTarget, type Target } from '../support/attack';
import { expectHashOf, messagesOf, rowsOf } from '../support/invariants';

const calls = ['request', 'check', 'redeem'] as const;
const fuzzRuns = 500;
const parallel = 24;
const newPassword = 'correct horse battery staple';

describe('a hostile body', () => {
  let target: Target;
  let victim: string;
  let before: string;
  beforeAll(async () => {
    target = await startTarget({ env: { LIMIT_PER_ADDRESS: 'off' }, queues: false });
    victim = await target.victim();
    before = await everything();
  });
  afterEach(async () => {
    expect(await everything()).toBe(before);
    await expectHashOf(await target.row(victim), { unchanged: oldHash });
  });
  afterAll(() => target.checkAndStop());

  const post = (call: string, body: unknown, headers?: Record<string, string>) =>
    target.app.post(`password-reset/${call}`, body, headers);
  const everything = async (): Promise<string> => {
    const { storage } = target.app;
    const tables = ['SiteSettings', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'] as const;
    const queues = ['outgoing-mail', 'outgoing-mail-poison'] as const;
    const rows = tables.map((name) => rowsOf(storage, name));
    return JSON.stringify(await Promise.all([...rows, ...queues.map((name) => messagesOf(storage, name))]));
  };

  it('[A2] [A3] [A4] [A5] [A7] [A8] [T1] with an address that is none, or several, or elsewhere', async () => {
    const lists: unknown[] = [
      [victim, 'evil@y.example'],
      [[victim]],
      { 0: victim },
      { toString: victim },
      null,
      0,
      true,
      undefined,
    ];
    const texts = [
      `${victim},evil@y.example`,
      `evil@y.example <${victim}>`,
      `${victim}\r\nBcc: evil@y.example`,
      `\u200b${victim}`,
      'user@[127.0.0.1]',
      "') or true",
      'g0:'.repeat(5000),
    ];
    for (const email of [...lists, ...texts]) {
      await expect(target.request(email)).resolves.toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
    await expect(post(`request?email=${victim}`, {})).resolves.toMatchObject({ status: 400 });
  });

  it.each(calls)('[A5] [N1] [N2] [N3] [N4] that is no JSON, of another shape, type or size: %s', async (call) => {
    const good = JSON.stringify({ email: victim, key: 'x', newPassword });
    const invalidUtf8 = Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xff]), Buffer.from(`${victim}"}`)]);
    const malformed = ['', 'null', '{"email":', '\ufeff{}', '['.repeat(16_000), invalidUtf8];
    for (const body of [...malformed, `{"__proto__":${good}}`, good.replace('{', '{"constructor":1,')]) {
      const { status, text } = await post(call, body);
      expect(status).toBe(400);
      expect(text).not.toMatch(/at \w+.*:\d+|SyntaxError|zod/i);
    }
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=utf-7', '']) {
      await expect(post(call, good, { 'Content-Type': type })).resolves.toMatchObject({ status: 415 });
    }
    await expect(post(call, '['.repeat(100_000))).resolves.toMatchObject({ status: 413 });
    const bomb = gzipSync(Buffer.alloc(8_000_000, ' '));
    expect(bomb.length).toBeLessThan(16_384);
    await expect(post(call, bomb, { 'Content-Encoding': 'gzip' })).resolves.toMatchObject({ status: 415 });
    // The host passes on a body with Content-Length only.
    const path = `/api/password-reset/${call}`;
    const headers = { 'Content-Type': 'application/json' };
    const chunked = await send(target.app.host.url, { method: 'POST', path, headers, chunks: [good] });
    expect(chunked.status).toBe(411);
    expect(JSON.parse(chunked.body)).toMatchObject({
      code: 'length_required',
      detail: expect.stringContaining('Content-Length'),
    });
  });

  it('[K10] [K11] [J4] [P1] [P3] [N5] with a key or a password that is none, or a field too many', async () => {
    for (const key of [undefined, null, '', {}, ['k'], { $ne: null }, 7, 'x'.repeat(3000), '.'.repeat(10_000)]) {
      await expect(target.check(key)).resolves.toMatchObject({ status: 400 });
      await expect(target.redeem(key)).resolves.toMatchObject({ status: 400 });
    }
    const extras = [{ newPassword: null }, { newPassword: [newPassword] }, { sub: 'x' }, { clientIp: '1.2.3.4' }];
    for (const extra of extras) {
      const answer = await post('redeem', { key: 'x', newPassword, ...extra });
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
  });

  it('[LG4] that tries to forge lines in the log', async () => {
    for (const email of ['a\n[ERROR] forged-line', 'a\u001b[31mforged-line', `forged-line${'x'.repeat(10_000)}`]) {
      await target.request(email);
      await target.check(email);
      await post('request', { [email]: email }, { 'User-Agent': 'forged-line', Referer: 'forged-line' });
    }
    expect(target.app.host.output()).not.toContain('forged-line');
  });

  it(`made by chance, ${fuzzRuns} times: only 4xx, and no change of state`, async () => {
    const samples = fc.sample(hostileBody(victim), fuzzRuns);
    const statuses = new Map<number, number>();
    const worker = async (): Promise<void> => {
      for (let sample = samples.pop(); sample !== undefined; sample = samples.pop()) {
        const { status, text } = await post(sample.call, sample.body, sample.headers);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (text.includes(victim) || text.includes(apiKey)) throw new Error('an answer quotes something');
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    expect([...statuses.keys()].filter((status) => ![400, 413, 415, 422].includes(status))).toEqual([]);
    expect(statuses.get(400)).toBeGreaterThan(fuzzRuns / 10);
    expect(target.app.host.output()).not.toMatch(/unexpectedError|UnhandledPromise|uncaught/i);
  });
});

interface HostileBody {
  readonly call: (typeof calls)[number];
  readonly body: string | Buffer;
  readonly headers: Record<string, string>;
}

/** Bodies that no well-meaning client sends; none of them is a well-formed request for an address. */
function hostileBody(victim: string): fc.Arbitrary<HostileBody> {
  const nasty = ['', '\0', '\u200b', '\ud800', '\r\nBcc: x', "' or 1 eq 1", '../../x', '{{7*7}}', '<script>', '$ne'];
  const text = fc.oneof(fc.constantFrom(...nasty, 'a'.repeat(300)), fc.string({ unit: 'binary', maxLength: 80 }));
  const broken = text.chain((part) => fc.constantFrom(`${victim}${part}@`, `${victim},${part}`, `<${victim}>${part}`));
  const part = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019-_=')), maxLength: 60 });
  const jws = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
  // No string at random: it might be an address.
  const value = fc.oneof(broken, jws, fc.array(broken, { maxLength: 3 }), fc.dictionary(text, broken), fc.double());
  const names = ['email', 'key', 'newPassword', 'locale', 'clientIp', 'constructor', '__proto__', 'toString'] as const;
  // As text, so that a name may come twice.
  const fields = fc.array(
    fc.tuple(fc.constantFrom(...names), value).map((field) => field.map((item) => JSON.stringify(item)).join(':')),
    { maxLength: 5 },
  );
  const object = fields.map((all) => `{${all.join(',')}}`);
  const body = fc.oneof<fc.Arbitrary<string | Buffer>[]>(
    object,
    fc.tuple(jws, text).map(([key, chosen]) => JSON.stringify({ key, newPassword: chosen })),
    fc.tuple(object, fc.nat(40)).map(([made, length]) => made.slice(0, length)),
    fc.uint8Array({ maxLength: 200 }).map((made) => Buffer.from(made)),
  );
  const types = ['text/plain', 'application/json; charset=utf-16', 'application/json;', 'application/xml'];
  const otherType = fc.constantFrom(...types).map((type) => ({ 'Content-Type': type }));
  const headers = fc.oneof({ weight: 12, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: otherType });
  return fc.record({ call: fc.constantFrom(...calls), body, headers });
}
