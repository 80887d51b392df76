// Rows A and N over the wire, and a fuzz run: hostile bodies end in a clear 4xx, and nothing is stored, queued, hashed or mailed.
import { Agent, request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { send } from '../dev/fixtures/rawHttp';
import { apiKey, oldHash, startTarget, type Target } from '../support/attack';
import { expectHashOf, messagesOf, rowsOf } from '../support/invariants';

const calls = ['request', 'check', 'redeem'] as const;
const fuzzRuns = 10_000;
const parallel = 24;

describe('a hostile body', () => {
  let target: Target;
  let victim: string;
  let agent: Agent;
  beforeAll(async () => {
    target = await startTarget({ env: { LIMIT_PER_ADDRESS: 'off' }, queues: false });
    victim = await target.victim();
    agent = new Agent({ keepAlive: true, maxSockets: parallel });
    await target.check('x'); // the first call reads the site row; what comes after it must store nothing
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
      const request = httpRequest(
        `${target.app.host.url}/api/password-reset/${call}`,
        {
          method: 'POST',
          agent,
          headers: { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(body), ...headers },
        },
        (response) => {
          let text = '';
          response.setEncoding('latin1').on('data', (part: string) => (text += part));
          response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
          response.on('error', reject);
        },
      );
      request.on('error', reject).end(body);
    });
  const everything = async (): Promise<string> =>
    JSON.stringify([
      await Promise.all(
        (['SiteSettings', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'] as const).map((name) =>
          rowsOf(target.app.storage, name),
        ),
      ),
      await messagesOf(target.app.storage, 'outgoing-mail'),
      await messagesOf(target.app.storage, 'outgoing-mail-poison'),
    ]);
  let before: string;
  beforeEach(async () => {
    before = await everything();
  });
  afterEach(async () => {
    expect(await everything()).toBe(before);
    await expectHashOf(await target.row(victim), { unchanged: oldHash });
  });

  it('[A3] with several addresses in one field', async () => {
    for (const email of [
      [victim, 'evil@y.example'],
      [[victim]],
      { 0: victim },
      { length: 1, 0: victim },
      { toString: victim },
    ]) {
      await expect(target.request(email)).resolves.toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
  });

  it('[A4] with several addresses in one string', async () => {
    for (const list of [
      `${victim},evil@y.example`,
      `${victim};evil@y.example`,
      `${victim} evil@y.example`,
      `evil@y.example <${victim}>`,
      'g:evil@y.example;',
      `${victim}%0abcc:evil@y.example`,
      `${victim}\r\nBcc: evil@y.example`,
      `${victim}\0evil@y.example`,
    ]) {
      await expect(target.request(list)).resolves.toMatchObject({ status: 400 });
    }
  });

  it('[A2] with invisible characters in the address', async () => {
    for (const char of ['\u00a0', '\ufeff', '\u200b', '\u200d', '\u202e', '\u00ad', '\n', '\r', '\v', '\u2028']) {
      await expect(target.request(`${char}${victim}`)).resolves.toMatchObject({ status: 400 });
      await expect(target.request(victim.replace('@', `${char}@`))).resolves.toMatchObject({ status: 400 });
    }
  });

  it('[A7] of a wrong type or size', async () => {
    const sizes = [
      '',
      ' ',
      'x'.repeat(321),
      `a@${'a.'.repeat(5000)}`,
      'g0:'.repeat(5000),
      `${'a'.repeat(310)}@x.example`,
    ];
    for (const email of [null, 0, true, [], {}, ...sizes])
      await expect(target.request(email)).resolves.toMatchObject({ status: 400 });
    await expect(target.request('x'.repeat(1_000_000))).resolves.toMatchObject({ status: 413 });
    await expect(target.request('g0:'.repeat(20_000))).resolves.toMatchObject({ status: 413 });
  });

  it('[A8] [T1] with an address that parsers understand differently, or with OData', async () => {
    for (const email of [
      '"evil@z x"@victim.y',
      'user@good(x)evil',
      '"a\\"b"@c',
      'user@[127.0.0.1]',
      "x' or email ne '",
      "') or true",
      'xn--@-',
      '@',
      'a@b@c',
    ]) {
      await expect(target.request(email)).resolves.toMatchObject({ status: 400 });
    }
  });

  it('[A5] with an array as parameter, or as a form', async () => {
    await expect(post('request', `{"email[]":"${victim}"}`)).resolves.toMatchObject({ status: 400 });
    await expect(post('request', `email=${victim}&email=evil@y.example`)).resolves.toMatchObject({ status: 400 });
    const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
    await expect(post('request', `email=${victim}&email=evil@y.example`, form)).resolves.toMatchObject({ status: 415 });
    await expect(post(`request?email=${victim}`, '{}')).resolves.toMatchObject({ status: 400 });
  });

  it('[N1] that reaches for a prototype', async () => {
    for (const body of [
      `{"__proto__":{"email":"${victim}"}}`,
      `{"constructor":{"prototype":{"email":"${victim}"}}}`,
      `{"email":"${victim}","__proto__":{"isAdmin":true}}`,
    ]) {
      await expect(post('request', body)).resolves.toMatchObject({ status: 400 });
    }
    await expect(post('request', '{}')).resolves.toMatchObject({ status: 400 });
  });

  it('[N2] that is no JSON, or JSON of another shape: no 5xx, no stack', async () => {
    const invalidUtf8 = Buffer.concat([
      Buffer.from('{"email":"'),
      Buffer.from([0xff, 0xfe]),
      Buffer.from(`${victim}"}`),
    ]);
    const bodies = [
      '{"email":',
      'null',
      '[]',
      '"x"',
      '1',
      '',
      '\ufeff{}',
      '{"email":"\\ud800@x.example"}',
      '['.repeat(16_000),
      invalidUtf8,
    ];
    for (const call of calls) {
      for (const body of bodies) {
        const { status, text } = await post(call, body);
        expect(status).toBe(400);
        expect(text).not.toMatch(/at \w+.*:\d+|SyntaxError|zod/i);
      }
      await expect(post(call, '['.repeat(100_000))).resolves.toMatchObject({ status: 413 });
    }
  });

  it('[N3] of another content type', async () => {
    const good = JSON.stringify({ email: victim, key: 'x', newPassword: 'y' });
    for (const call of calls) {
      for (const type of [
        'text/plain',
        'application/x-www-form-urlencoded',
        'multipart/form-data; boundary=x',
        'application/json; charset=utf-7',
        '',
      ]) {
        await expect(post(call, good, { 'Content-Type': type })).resolves.toMatchObject({ status: 415 });
      }
    }
  });

  it('[N4] that is huge, chunked without a length, or a gzip bomb', async () => {
    const announced = { 'Content-Type': 'application/json', 'Content-Length': String(101 * 1024 * 1024) };
    await expect(
      send(target.app.host.url, { method: 'POST', path: '/api/password-reset/request', headers: announced }),
    ).resolves.toMatchObject({ status: 500 }); // over the host's own limit: it never reaches the app
    const chunked = await send(target.app.host.url, {
      method: 'POST',
      path: '/api/password-reset/request',
      headers: { 'Content-Type': 'application/json' },
      chunks: [JSON.stringify({ email: victim })],
    });
    expect([400, 411, 413]).toContain(chunked.status); // the real host hands over an empty body
    const bomb = gzipSync(Buffer.alloc(8_000_000, ' '));
    expect(bomb.length).toBeLessThan(16_384);
    await expect(post('request', bomb, { 'Content-Encoding': 'gzip' })).resolves.toMatchObject({ status: 415 });
    await expect(post('request', `{"email":"${victim}"}${' '.repeat(17_000)}`)).resolves.toMatchObject({ status: 413 });
  });

  it('[K10] [K11] [J4] with a key that is none', async () => {
    const keys: unknown[] = [
      undefined,
      null,
      '',
      'undefined',
      {},
      [],
      ['k'],
      { $ne: null },
      { toString: 1 },
      7,
      true,
      'x'.repeat(3000),
      '.'.repeat(10_000),
    ];
    for (const key of keys) {
      await expect(target.check(key)).resolves.toMatchObject({ status: 400 });
      await expect(target.redeem(key)).resolves.toMatchObject({ status: 400 });
    }
    await expect(target.redeem('.'.repeat(100_000))).resolves.toMatchObject({ status: 413 });
  });

  it('[P1] [P3] with a password that is none', async () => {
    for (const password of [null, 7, [], ['correct horse battery staple'], {}, undefined]) {
      const answer = await target.app.post('password-reset/redeem', { key: 'x', newPassword: password });
      expect(answer).toMatchObject({ status: 400, json: { code: 'invalid_request' } });
    }
    await expect(target.redeem('x', 'q'.repeat(1_000_000))).resolves.toMatchObject({ status: 413 });
    await expect(target.redeem('x', 'short')).resolves.toMatchObject({ status: 422 });
  });

  it('[N5] with fields that set something else', async () => {
    for (const extra of [
      { password: 'x' },
      { email: victim },
      { role: 'admin' },
      { site: '2' },
      { sub: 'x' },
      { exp: 1 },
      { clientIp: '1.2.3.4' },
    ]) {
      const body = { key: 'x', newPassword: 'correct horse battery staple', ...extra };
      await expect(target.app.post('password-reset/redeem', body)).resolves.toMatchObject({ status: 400 });
    }
  });

  it('[LG4] that tries to forge lines in the log', async () => {
    for (const email of ['a\n[ERROR] forged-line', 'a\u001b[31mforged-line', `forged-line${'x'.repeat(10_000)}`]) {
      await target.request(email);
      await target.check(email);
      await target.app.post(
        'password-reset/request',
        { [email]: email },
        { 'User-Agent': 'forged-line', Referer: 'forged-line' },
      );
    }
    expect(target.app.host.output()).not.toContain('forged-line');
  });

  it(`made by chance, ${fuzzRuns} times over the wire: only 4xx, and no change of state`, async () => {
    const samples = fc.sample(hostileBody(victim), fuzzRuns);
    const statuses = new Map<number, number>();
    let next = 0;
    const worker = async (): Promise<void> => {
      for (let index = next++; index < samples.length; index = next++) {
        const sample = samples[index];
        if (sample === undefined) return;
        const { status, text } = await post(sample.call, sample.body, sample.headers);
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (text.includes(victim) || text.includes(apiKey)) throw new Error('an answer quotes something');
      }
    };
    await Promise.all(Array.from({ length: parallel }, worker));
    expect([...statuses.keys()].filter((status) => ![400, 413, 415, 422].includes(status))).toEqual([]);
    expect([...statuses.values()].reduce((sum, count) => sum + count, 0)).toBe(fuzzRuns);
    expect(statuses.get(400)).toBeGreaterThan(fuzzRuns / 10);
    expect(target.app.host.output()).not.toMatch(/unexpectedError|UnhandledPromise|uncaught/i);
  }, 90_000);
});

interface HostileBody {
  readonly call: (typeof calls)[number];
  readonly body: string | Buffer;
  readonly headers: Record<string, string>;
}

/** Bodies that no well-meaning client sends; none of them is a well-formed request for an address. */
function hostileBody(victim: string): fc.Arbitrary<HostileBody> {
  const nasty = fc.constantFrom(
    ...[
      '',
      '\0',
      '\u200b',
      '\ud800',
      '\r\nBcc: x',
      "' or 1 eq 1",
      '../../x',
      '{{7*7}}',
      '<script>',
      '%00',
      '$ne',
      '__proto__',
      'a'.repeat(300),
    ],
  );
  const text = fc.oneof(nasty, fc.string({ unit: 'binary', maxLength: 80 }));
  const broken = fc.oneof(
    text.map((part) => `${victim}${part}@`),
    text.map((part) => `@${part}${victim}`),
    text.map((part) => `${victim},${part}`),
    text.map((part) => `<${victim}>${part}`),
  );
  const value = fc.oneof(broken, fc.jsonValue({ maxDepth: 3 }), fc.array(broken, { maxLength: 3 }), fc.constant(null));
  const jws = fc
    .array(fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019-_=')), maxLength: 60 }), {
      minLength: 1,
      maxLength: 4,
    })
    .map((parts) => parts.join('.'));
  const name = fc.constantFrom(
    'email',
    'key',
    'newPassword',
    'locale',
    'clientIp',
    'constructor',
    '__proto__',
    'toString',
  );
  const objects = fc.array(fc.tuple(name, fc.oneof(value, jws)), { maxLength: 5 }).map((entries) => {
    const fields = entries.map(([field, item]) => `${JSON.stringify(field)}:${JSON.stringify(item)}`);
    return `{${fields.join(',')}}`;
  });
  const redemption = fc.tuple(jws, text).map(([key, newPassword]) => JSON.stringify({ key, newPassword }));
  const bytes = fc.uint8Array({ maxLength: 200 }).map((made) => Buffer.from(made));
  const cut = fc.tuple(objects, fc.nat(40)).map(([body, length]) => body.slice(0, length));
  const body = fc.oneof<
    [fc.Arbitrary<string>, fc.Arbitrary<string>, fc.Arbitrary<Buffer>, fc.Arbitrary<string>, fc.Arbitrary<string>]
  >(objects, redemption, bytes, cut, fc.json());
  const headers = fc.oneof(
    { weight: 12, arbitrary: fc.constant({}) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom('text/plain', 'application/json; charset=utf-16', 'application/json;', 'application/xml')
        .map((type) => ({ 'Content-Type': type })),
    },
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
