import { gzipSync } from 'node:zlib';
import { z } from 'zod';
import { maxBodyBytes, readJsonBody } from '../../../shared/http/body';

const schema = z.strictObject({ email: z.string() });
const json = { 'content-type': 'application/json' };

async function read(body: string | Uint8Array, headers: Record<string, string> = json) {
  let bodyWasRead = false;
  const bytes = Buffer.from(body as string);
  const request = {
    headers: new Headers(headers),
    arrayBuffer: async () => {
      bodyWasRead = true;
      return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
    },
  };
  const result = await readJsonBody(request, schema);
  return { ...result, status: result.outcome === 'refused' ? result.answer.status : 0, bodyWasRead };
}
const answerTo = async (body: string | Uint8Array): Promise<string> => {
  const result = await read(body);
  if (result.outcome !== 'refused') throw new Error('it was read');
  return result.answer.body ?? '';
};

describe('readJsonBody', () => {
  it.each([
    'application/json',
    'application/json; charset=utf-8',
    'application/json;charset="UTF-8"',
    'Application/JSON ; charset=utf-8 ',
  ])('reads %s', async (type) => {
    await expect(read('{"email":"a@b"}', { 'content-type': type })).resolves.toMatchObject({
      outcome: 'read',
      body: { email: 'a@b' },
    });
  });

  it.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/json; charset=utf-7',
    'application/json; charset=utf-16',
    'application/jsonp',
    'application/json, text/plain',
    'application/problem+json',
    'application/json; charset=utf-8; charset=utf-7',
    '',
  ])('[N3] refuses the content type %j with 415, the body unread', async (type) => {
    const result = await read('{"email":"a@b"}', { 'content-type': type });
    expect(result).toMatchObject({ status: 415, bodyWasRead: false });
  });

  it('[N3] refuses a body without a content type', async () => {
    await expect(read('{"email":"a@b"}', {})).resolves.toMatchObject({ status: 415, bodyWasRead: false });
  });

  it('[N4] refuses a compressed body, so that a gzip bomb is never unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    const result = await read(bomb, { ...json, 'content-encoding': 'gzip' });
    expect(result).toMatchObject({ status: 415, bodyWasRead: false });
    await expect(read(bomb)).resolves.toMatchObject({ status: 400 });
  });

  it('[N4] reads 16 KiB and refuses a byte more, by its length if it says so, unread', async () => {
    const filled = (bytes: number): string => `{"email":"${'x'.repeat(bytes - 12)}"}`;
    await expect(read(filled(maxBodyBytes))).resolves.toMatchObject({ outcome: 'read' });
    await expect(read(filled(maxBodyBytes + 1))).resolves.toMatchObject({ status: 413 });
    const announced = { ...json, 'content-length': String(101 * 1024 * 1024) };
    await expect(read('{}', announced)).resolves.toMatchObject({ status: 413, bodyWasRead: false });
  });

  it.each([
    ['truncated JSON', '{"email":"a@b"'],
    ['nothing', ''],
    ['null', 'null'],
    ['an array', '[]'],
    ['an array with the object', '[{"email":"a@b"}]'],
    ['a string', '"x"'],
    ['a number', '1'],
    ['a byte order mark', '\ufeff{"email":"a@b"}'],
    ['a lone surrogate escape', '{"email":"\\ud800"}'],
    ['a lone surrogate escape deeper down', '{"email":{"x":["\\udfff"]}}'],
    ['100,000 brackets', '['.repeat(100_000)],
    ['16,000 brackets', '['.repeat(16_000)],
    ['5,000 nested objects', `${'{"a":'.repeat(2700)}1${'}'.repeat(2700)}`],
    ['JSON5', "{email:'a@b'}"],
    ['a comment', '{"email":"a@b"/**/}'],
    ['something behind it', '{"email":"a@b"}x'],
    ['NaN', '{"email":NaN}'],
  ])('[N2] refuses %s with a 4xx and no stack', async (_what, body) => {
    const result = await read(body);
    expect([400, 413]).toContain(result.status);
    const text = result.outcome === 'refused' ? (result.answer.body ?? '') : '';
    expect(text).not.toMatch(/\bat |Error|JSON\.parse|zod/i);
  });

  it('D23 says what is wrong with a lone surrogate', async () => {
    expect(await answerTo('{"email":"\\ud800"}')).toContain('lone surrogate');
    expect(await answerTo('{"email":')).toContain('not JSON');
  });

  it.each([
    ['a stray byte', Buffer.from([0x7b, 0x22, 0x65, 0x22, 0x3a, 0x22, 0xff, 0x22, 0x7d])],
    ['an overlong slash', Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xc0, 0xaf]), Buffer.from('"}')])],
    ['half a character', Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xe2, 0x82]), Buffer.from('"}')])],
    [
      'a surrogate in UTF-8',
      Buffer.concat([Buffer.from('{"email":"'), Buffer.from([0xed, 0xa0, 0x80]), Buffer.from('"}')]),
    ],
    ['UTF-16', Buffer.from('{"email":"a@b"}', 'utf16le')],
    ['Latin-1', Buffer.from('{"email":"jörg@b"}', 'latin1')],
  ])('[N2] refuses %s: the bytes are not UTF-8', async (_what, bytes) => {
    await expect(read(bytes)).resolves.toMatchObject({ status: 400 });
  });

  it.each([
    '{"__proto__":{"email":"victim@x"}}',
    '{"email":"a@b","__proto__":{"admin":true}}',
    '{"constructor":{"prototype":{"email":"victim@x"}}}',
    '{"email":"a@b","constructor":1}',
    '{"email":"a@b","toString":1}',
  ])('[N1] refuses %s, and no prototype has changed', async (body) => {
    await expect(read(body)).resolves.toMatchObject({ status: 400 });
    expect(({} as Record<string, unknown>)['email']).toBeUndefined();
    expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
  });

  it.each([
    '{"email":["victim@x","evil@y"]}',
    '{"email":[["victim"]]}',
    '{"email":{"0":"victim"}}',
    '{"email":null}',
    '{"email":0}',
    '{"email":true}',
    '{}',
  ])('[A3] [A7] refuses %s', async (body) => {
    await expect(read(body)).resolves.toMatchObject({ status: 400 });
  });

  it('[A5] takes the last of a field that is there twice', async () => {
    await expect(read('{"email":"first@x","email":"last@x"}')).resolves.toMatchObject({ body: { email: 'last@x' } });
    await expect(read('{"email":["x"],"\\u0065mail":"last@x"}')).resolves.toMatchObject({ body: { email: 'last@x' } });
  });

  it('[N5] refuses fields that are not documented', async () => {
    await expect(read('{"email":"a@b","site":"2"}')).resolves.toMatchObject({ status: 400 });
    await expect(read('{"Email":"a@b"}')).resolves.toMatchObject({ status: 400 });
    await expect(read('{"email[]":"a@b"}')).resolves.toMatchObject({ status: 400 });
  });

  it('[LG4] quotes nothing of what was sent', async () => {
    expect(await answerTo('{"email":7,"canary":"canary"}')).not.toContain('canary');
    expect(await answerTo('{"canary\\n\\u001b[31m":"a@b","email":"a@b"}')).not.toContain('canary');
    expect(await answerTo('canary')).not.toContain('canary');
  });
});
