// The body readers: one reading of every body, or none. Which origins may read an answer. Which bucket a client has.
import fc from 'fast-check';
import { z } from 'zod';
import {
  type Answer,
  bucketOf,
  clientBucket,
  corsAnswer,
  jsonAnswer,
  maxBodyBytes,
  readFormBody,
  readJsonBody,
  unknownClient,
  withCors,
} from '../../../shared/http/message';

const schema = z.strictObject({ email: z.string() });
const json = { 'content-type': 'application/json' };
const form = { 'content-type': 'application/x-www-form-urlencoded' };
const bytes = (...parts: readonly (string | number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

function requestOf(body: string | Uint8Array, headers: Record<string, string>) {
  const request = {
    headers: new Headers(headers),
    wasRead: false,
    arrayBuffer: async () => {
      request.wasRead = true;
      return new Uint8Array(Buffer.from(body)).buffer;
    },
  };
  return request;
}
async function readJson(body: string | Uint8Array, headers: Record<string, string> = json) {
  const request = requestOf(body, headers);
  const read = await readJsonBody(request, schema);
  const refusal = read.outcome === 'refused' ? read.answer : { status: 0, body: '' };
  return { ...read, status: refusal.status, answer: refusal.body ?? '', bodyWasRead: request.wasRead };
}
async function readForm(body: string | Uint8Array, headers: Record<string, string> = form) {
  const request = requestOf(body, headers);
  const read = await readFormBody(request);
  if (read.outcome === 'read') return Object.fromEntries(read.fields);
  return request.wasRead ? read.problem : `${read.problem}, unread`;
}

describe('readJsonBody', () => {
  it.each(['application/json', 'Application/JSON ; charset=utf-8 ', 'application/json;charset="UTF-8"'])(
    'reads %s',
    async (type) => {
      const read = { outcome: 'read', body: { email: 'a@b' } };
      await expect(readJson('{"email":"a@b"}', { 'content-type': type })).resolves.toMatchObject(read);
    },
  );

  it.each<Record<string, string>>([
    {},
    ...[
      'text/plain',
      'application/x-www-form-urlencoded',
      'application/json; charset=utf-16',
      'application/jsonp',
      'application/json, text/plain',
      'application/json; charset=utf-8; charset=utf-7',
    ].map((type) => ({ 'content-type': type })),
    { ...json, 'content-encoding': 'gzip' },
  ])('[N3] [N4] refuses %j with 415, the body unread', async (headers) => {
    await expect(readJson('{"email":"a@b"}', headers)).resolves.toMatchObject({ status: 415, bodyWasRead: false });
  });

  it('[N4] reads 16 KiB and refuses a byte more, by its length if it says so, unread', async () => {
    const filled = (length: number): string => `{"email":"${'x'.repeat(length - 12)}"}`;
    await expect(readJson(filled(maxBodyBytes))).resolves.toMatchObject({ outcome: 'read' });
    await expect(readJson(filled(maxBodyBytes + 1))).resolves.toMatchObject({ status: 413 });
    const announced = { ...json, 'content-length': String(101 * 1024 * 1024) };
    await expect(readJson('{}', announced)).resolves.toMatchObject({ status: 413, bodyWasRead: false });
  });

  it.each<[string, string | Buffer]>([
    ['truncated JSON', '{"email":"a@b"'],
    ['nothing', ''],
    ['null', 'null'],
    ['an array with the object', '[{"email":"a@b"}]'],
    ['a byte order mark', '\ufeff{"email":"a@b"}'],
    ['a lone surrogate escape deeper down', '{"email":{"x":["\\udfff"]}}'],
    ['16,000 brackets', '['.repeat(16_000)],
    ['5,000 nested objects', `${'{"a":'.repeat(2700)}1${'}'.repeat(2700)}`],
    ['something behind it', '{"email":"a@b"}x'],
    ['a stray byte', bytes('{"email":"', [0xff], '"}')],
    ['an overlong slash', bytes('{"email":"', [0xc0, 0xaf], '"}')],
    ['half a character', bytes('{"email":"', [0xe2, 0x82], '"}')],
    ['a surrogate in UTF-8', bytes('{"email":"', [0xed, 0xa0, 0x80], '"}')],
    ['UTF-16', Buffer.from('{"email":"a@b"}', 'utf16le')],
    ['__proto__', '{"email":"a@b","__proto__":{"admin":true}}'],
    ['__proto__ around it', '{"__proto__":{"email":"victim@x"}}'],
    ['constructor', '{"email":"a@b","constructor":1}'],
    ['a list of addresses', '{"email":["victim@x","evil@y"]}'],
    ['null as address', '{"email":null}'],
    ['no field', '{}'],
    ['a further field', '{"email":"a@b","site":"2"}'],
    ['a field in other letters', '{"Email":"a@b"}'],
  ])('[A3] [A7] [N1] [N2] [N5] refuses %s with 400, and tells of no internals', async (_what, body) => {
    const { status, answer } = await readJson(body);
    expect(status).toBe(400);
    expect(answer).not.toMatch(/\bat |Error|JSON\.parse|zod/i);
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it('D23 says what is wrong with a lone surrogate', async () => {
    expect((await readJson('{"email":"\\ud800"}')).answer).toContain('lone surrogate');
    expect((await readJson('{"email":')).answer).toContain('not JSON');
  });

  it('[A5] takes the last of a field that is there twice', async () => {
    const twice = '{"email":["x"],"\\u0065mail":"last@x"}';
    await expect(readJson(twice)).resolves.toMatchObject({ body: { email: 'last@x' } });
  });

  it.each(['{"email":7,"canary":"canary"}', '{"canary\\n\\u001b[31m":"a@b","email":"a@b"}', 'canary'])(
    '[LG4] quotes nothing of %s',
    async (body) => {
      expect((await readJson(body)).answer).toMatch(/^(?!.*canary).+/);
    },
  );
});

describe('readFormBody', () => {
  it.each([
    ['', {}],
    ['a=b&c=d+e%2Bf', { a: 'b', c: 'd e+f' }],
    ['a=1=2&&b', { a: '1=2', b: '' }],
    ['p=%20%F0%9F%98%80%00%20', { p: ' 😀\0 ' }],
    ['p=\u{feff}x', { p: '\u{feff}x' }],
    ['__proto__=x', Object.fromEntries([['__proto__', 'x']])],
  ])('reads %j', async (body, fields) => {
    await expect(readForm(body)).resolves.toEqual(fields);
  });

  it.each([
    ['a field twice, once escaped', 'a=1&%61=2'],
    ['escapes that are not UTF-8', 'a=%FF'],
    ['an escaped surrogate', 'a=%ED%A0%80'],
    ['a broken escape', 'a=%zz'],
    ['bytes that are not UTF-8', bytes('a=', [0xff])],
  ])('refuses %s', async (_name, body) => {
    await expect(readForm(body)).resolves.toBe('unreadable_form');
  });

  it.each<[string, Record<string, string>, unknown]>([
    ['a charset of UTF-8', { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' }, { a: 'b' }],
    ['JSON', json, 'not_a_form, unread'],
    ['another charset', { 'content-type': `${form['content-type']}; charset=iso-8859-1` }, 'not_a_form, unread'],
    ['multipart', { 'content-type': 'multipart/form-data; boundary=x' }, 'not_a_form, unread'],
    ['compression', { ...form, 'content-encoding': 'gzip' }, 'not_a_form, unread'],
    ['a length over 16 KiB', { ...form, 'content-length': '16385' }, 'form_too_large, unread'],
  ])('judges the headers: %s', async (_what, headers, expected) => {
    await expect(readForm('a=b', headers)).resolves.toEqual(expected);
  });

  it('reads at most 16 KiB', async () => {
    await expect(readForm(`a=${'b'.repeat(16 * 1024 - 2)}`)).resolves.toHaveProperty('a');
    await expect(readForm(`a=${'b'.repeat(16 * 1024 - 1)}`)).resolves.toBe('form_too_large');
  });
});

const site = 'https://www.example.org';
const corsHeadersOf = ({ headers }: Answer): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => /^access-control|^vary/i.test(name)));
const answersTo = (origin: string, allowed: readonly string[]): Answer[] => {
  const headers = new Headers({ Origin: origin });
  return [corsAnswer(headers, allowed), withCors(jsonAnswer(200, {}), headers, allowed)];
};

it.each([
  'https://evil.example',
  'null',
  `${site}.evil.example`,
  'http://www.example.org',
  `${site}:444`,
  `${site}/`,
  'https://WWW.example.org',
  '',
])('[W3] a cross-origin call from %j gets no permission unless that origin is listed', (origin) => {
  for (const answer of answersTo(origin, [site])) expect(Object.keys(corsHeadersOf(answer))).toEqual(['Vary']);
  for (const answer of answersTo(origin, [])) expect(corsHeadersOf(answer)).toEqual({});
});

it('a cross-origin call from a listed origin may be made and read, without cookies', () => {
  const [preflight, answer] = answersTo(site, ['https://other.example', site]);
  expect(preflight?.status).toBe(204);
  expect(preflight && corsHeadersOf(preflight)).toMatchObject({
    'Access-Control-Allow-Origin': site,
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': 'Content-Type',
    Vary: 'Origin',
  });
  expect(preflight?.headers).not.toHaveProperty('Access-Control-Allow-Credentials');
  expect(answer?.headers).toMatchObject({
    'Access-Control-Allow-Origin': site,
    'Access-Control-Expose-Headers': 'Retry-After',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
});

describe('clientBucket', () => {
  it.each([
    ['203.0.113.7', 1, '203.0.113.7'],
    ['9.9.9.9,8.8.8.8, 7.7.7.7,203.0.113.7:50123', 1, '203.0.113.7'],
    ['1.2.3.4, 203.0.113.7, 10.0.0.1', 2, '203.0.113.7'],
    ['1.2.3.4', 0, unknownClient],
    ['1.2.3.4', 2, unknownClient],
    [null, 1, unknownClient],
    ['1.2.3.4,', 1, unknownClient],
    ['1.2.3.4, evil', 1, unknownClient],
    ['999.1.1.1', 1, unknownClient],
    ['1.2.3', 1, unknownClient],
    ['01.2.3.4', 1, unknownClient],
  ])('[LM3] [LM4] of %j behind %d trusted hops is %s: what the hop wrote counts', (header, hops, bucket) => {
    expect(clientBucket(header, hops)).toBe(bucket);
  });

  it('[LM3] is never moved by what a client writes to the left', () => {
    const inventions = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 6 });
    fc.assert(
      fc.property(inventions, fc.ipV4(), fc.nat(65_535), (invented, peer, port) => {
        expect(clientBucket([...invented, `${peer}:${port}`].join(','), 1)).toBe(peer);
      }),
    );
  });
});

describe('bucketOf', () => {
  it.each([
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:443', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['[2001:0DB8:0:0:ffff::]', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2002:cb00:7107::1', '203.0.113.7'], // 6to4
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', unknownClient],
    ['203.0.113.7:x', unknownClient],
    ['[203.0.113.7', unknownClient],
    ['203.0.113.0/24', unknownClient],
    ['localhost', unknownClient],
    ['', unknownClient],
  ])('of %s is %s', (entry, bucket) => {
    expect(bucketOf(entry)).toBe(bucket);
  });

  it('is the same for every address of an IPv6 /64, and for every spelling of it', () => {
    const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    const hex = (parts: number[]): string => parts.map((part) => part.toString(16)).join(':');
    fc.assert(
      fc.property(half, half, (net, host) => {
        fc.pre(net.some((part) => part !== 0));
        expect(bucketOf(`${hex(net)}:${hex(host)}`)).toBe(`${hex(net)}::/64`);
        expect(bucketOf(`[${hex(net)}:${hex(host).toUpperCase()}]:80`)).toBe(`${hex(net)}::/64`);
      }),
    );
  });

  it('is short, and never the text itself unless that is an address', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(bucketOf(text)).toMatch(/^(?:unknown|[\d.]{7,15}|[\da-f:]{7,20}::\/64)$/);
      }),
    );
  });
});
