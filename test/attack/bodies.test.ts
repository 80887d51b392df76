// Hostile bodies over the wire end in a clear 4xx: nothing is stored, queued, hashed or mailed. Which bodies and addresses are
// refused is tested in test/shared/http/message.test.ts and test/shared/address.test.ts; here is one of each sort, and chance.
import { Agent, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { send } from '../dev/fixtures/rawHttp';
import { apiKey, oldHash, startTarget, type Target } from '../support/attack';
import { expectHashOf, messagesOf, rowsOf } from '../support/invariants';

const calls = ['request', 'check', 'redeem'] as const;
const fuzzRuns = 500;
const parallel = 24;

describe('a hostile body', () => {
  let target: Target;
  let victim: string;
  let agent: Agent;
  let before: string;
  beforeAll(async () => {
    target = await startTarget({ env: { LIMIT_PER_ADDRESS: 'off' }, queues: false });
    victim = await target.victim();
    agent = new Agent({ keepAlive: true, maxSockets: parallel });
    before = await everything();
  });
  afterEach(async () => {
    expect(await everything()).toBe(before);
    await expectHashOf(await target.row(victim), { unchanged: oldHash });
  });
  afterAll(async () => {
    agent.destroy();
    await target.checkAndStop();
  });

  const post = (
    call: string,
    body: string | Buffer,
    headers: Record<string, string> = {},
  ): Promise<{ status: number; text: string }> =>
    new Promise((resolve, reject) => {
      const length = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body) };
      const url = `${target.app.host.url}/api/password-reset/${call}`;
      const request = httpRequest(url, { method: 'POST', agent, headers: { ...length, ...headers } }, (response) => {
        let text = '';
        response.setEncoding('latin1').on('data', (part: string) => (text += part));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      });
      request.on('error', reject).end(body);
    });
  const everything = async (): Promise<string> => {
    const tables = ['SiteSettings', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'] as const;
    const { storage } = target.app;
    const rows = await Promise.all(tables.map((name) => rowsOf(storage, name)));
    return JSON.stringify([
      rows,
      await messagesOf(storage, 'outgoing-mail'),
      await messagesOf(storage, 'outgoing-mail-poison'),
    ]);
  };

  it('[A2] [A3] [A4] [A7] [A8] [T1] with an address that is none, or several', async () => {
    const lists: unknown[] = [
      [victim, 'evil@y.example'],
      [[victim]],
      { 0: victim },
      { toString: victim },
      null,
      0,
      true,
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
    await expect(target.request('x'.repeat(1_000_000))).resolves.toMatchObject({ status: 413 });
  });

  it('[A5] with the address in a query or a form', async () => {
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    await expect(post('request', `email=${victim}&email=evil@y.example`, form)).resolves.toMatchObject({ status: 415 });
    await expect(post(`request?email=${victim}`, '{}')).resolves.toMatchObject({ status: 400 });
  });

  it('[N1] [N2] [N3] that is no JSON, JSON of another shape, or of another type, on each of the three calls', async () => {
    const invalidUtf8 = Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xff]), Buffer.from(`${victim}"}`)]);
    const bodies = ['', 'null', '{"email":', '\ufeff{}', '['.repeat(16_000), invalidUtf8];
    const good = JSON.stringify({ email: victim, key: 'x', newPassword: 'y' });
    for (const call of calls) {
      for (const body of [...bodies, `{"__proto__":${good}}`, good.replace('{', '{"constructor":1,')]) {
        const { status, text } = await post(call, body);
        expect(status).toBe(400);
        expect(text).not.toMatch(/at \w+.*:\d+|SyntaxError|zod/i);
      }
      await expect(post(call, '['.repeat(100_000))).resolves.toMatchObject({ status: 413 });
      for (const type of ['text/plain', 'multipart/form-data; boundary=x', 'application/json; charset=utf-7', '']) {
        await expect(post(call, good, { 'Content-Type': type })).resolves.toMatchObject({ status: 415 });
      }
    }
  });

  it('[N4] that is huge, or a gzip bomb', async () => {
    const announced = { 'Content-Type': 'application/json', 'Content-Length': String(101 * 1024 * 1024) };
    const path = '/api/password-reset/request';
    await expect(send(target.app.host.url, { method: 'POST', path, headers: announced })).resolves.toMatchObject({
      status: 500, // over the host's own limit: it never reaches the app
    });
    const bomb = gzipSync(Buffer.alloc(8_000_000, ' '));
    expect(bomb.length).toBeLessThan(16_384);
    await expect(post('request', bomb, { 'Content-Encoding': 'gzip' })).resolves.toMatchObject({ status: 415 });
  });

  it('that is chunked gets 411 and is told what to do: the host passes on a body with Content-Length only', async () => {
    for (const call of calls) {
      const answer = await send(target.app.host.url, {
        method: 'POST',
        path: `/api/password-reset/${call}`,
        headers: { 'Content-Type': 'application/json' },
        chunks: [JSON.stringify({ email: victim, key: 'x', newPassword: 'y' })],
      });
      expect(answer.status).toBe(411);
      expect(JSON.parse(answer.body)).toMatchObject({
        code: 'length_required',
        detail: expect.stringContaining('Content-Length'),
      });
    }
  });

  it('[K10] [K11] [J4] [P1] [P3] [N5] with a key or a password that is none, or a field too many', async () => {
    const newPassword = 'correct horse battery staple';
    for (const key of [undefined, null, '', {}, ['k'], { $ne: null }, 7, 'x'.repeat(3000), '.'.repeat(10_000)]) {
      await expect(target.check(key)).resolves.toMatchObject({ status: 400 });
      await expect(target.redeem(key)).resolves.toMatchObject({ status: 400 });
    }
    for (const extra of [
      { newPassword: null },
      { newPassword: [newPassword] },
      { sub: 'x' },
      { clientIp: '1.2.3.4' },
    ]) {
      const answer = await target.app.post('password-reset/redeem', { key: 'x', newPassword, ...extra });
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
    await expect(target.redeem('x', 'q'.repeat(1_000_000))).resolves.toMatchObject({ status: 413 });
  });

  it('[LG4] that tries to forge lines in the log', async () => {
    for (const email of ['a\n[ERROR] forged-line', 'a\u001b[31mforged-line', `forged-line${'x'.repeat(10_000)}`]) {
      await target.request(email);
      await target.check(email);
      const headers = { 'User-Agent': 'forged-line', Referer: 'forged-line' };
      await target.app.post('password-reset/request', { [email]: email }, headers);
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
  const broken = fc.oneof(
    text.map((part) => `${victim}${part}@`),
    text.map((part) => `${victim},${part}`),
    text.map((part) => `<${victim}>${part}`),
  );
  const value = fc.oneof(broken, fc.jsonValue({ maxDepth: 3 }), fc.array(broken, { maxLength: 3 }));
  const part = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019-_=')), maxLength: 60 });
  const jws = fc.array(part, { minLength: 1, maxLength: 4 }).map((parts) => parts.join('.'));
  const names = ['email', 'key', 'newPassword', 'locale', 'clientIp', 'constructor', '__proto__', 'toString'] as const;
  const fields = fc.array(fc.tuple(fc.constantFrom(...names), fc.oneof(value, jws)), { maxLength: 5 });
  const objects = fields.map(
    (entries) => `{${entries.map((entry) => entry.map((item) => JSON.stringify(item)).join(':')).join(',')}}`,
  );
  const body: fc.Arbitrary<string | Buffer> = fc.oneof(
    objects,
    fc.tuple(jws, text).map(([key, newPassword]) => JSON.stringify({ key, newPassword })),
    fc.tuple(objects, fc.nat(40)).map(([made, length]) => made.slice(0, length)),
    fc.json(),
    fc.uint8Array({ maxLength: 200 }).map((made) => Buffer.from(made)),
  );
  const types = ['text/plain', 'application/json; charset=utf-16', 'application/json;', 'application/xml'];
  const headers = fc.oneof(
    { weight: 12, arbitrary: fc.constant({}) },
    { weight: 1, arbitrary: fc.constantFrom(...types).map((type) => ({ 'Content-Type': type })) },
  );
  return fc
    .record({ call: fc.constantFrom(...calls), body, headers })
    .filter(({ call, body: made }) => call !== 'request' || !isWellFormedRequest(made));
}

/** By accident it may be one: `fc.jsonValue` can make any string. */
function isWellFormedRequest(body: string | Buffer): boolean {
  try {
    const { email } = JSON.parse(body.toString()) as { email?: unknown };
    return typeof email === 'string' && /^[^@\s]+@[^@\s]+$/.test(email.trim()) && !/[<,]/.test(email);
  } catch {
    return false;
  }
}
