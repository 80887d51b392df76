// The form reader: one reading of every body, or none.
import { readFormBody } from '../../../shared/http/body';

function request(body: string | Uint8Array, headers: Record<string, string> = {}) {
  const all = new Headers({ 'content-type': 'application/x-www-form-urlencoded', ...headers });
  const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
  return { headers: all, arrayBuffer: async () => new Uint8Array(bytes).buffer };
}

async function fieldsOf(body: string | Uint8Array): Promise<Record<string, string> | string> {
  const read = await readFormBody(request(body));
  return read.outcome === 'read' ? Object.fromEntries(read.fields) : read.problem;
}

it.each([
  ['', {}],
  ['a=b', { a: 'b' }],
  ['a=b&c=d+e%2Bf', { a: 'b', c: 'd e+f' }],
  ['a=1=2&&b', { a: '1=2', b: '' }],
  ['p=%20%F0%9F%98%80%00%20', { p: ' 😀\0 ' }],
  ['p=\u{feff}x', { p: '\u{feff}x' }],
  ['__proto__=x', Object.fromEntries([['__proto__', 'x']])],
])('reads %j', async (body, fields) => {
  await expect(fieldsOf(body)).resolves.toEqual(fields);
});

it.each([
  ['a field twice', 'a=1&a=2'],
  ['a field twice, once escaped', 'a=1&%61=2'],
  ['escapes that are not UTF-8', 'a=%FF'],
  ['an escaped surrogate', 'a=%ED%A0%80'],
  ['a broken escape', 'a=%zz'],
  ['bytes that are not UTF-8', new Uint8Array([0x61, 0x3d, 0xff])],
])('refuses %s', async (_name, body) => {
  await expect(fieldsOf(body)).resolves.toBe('unreadable_form');
});

it.each([
  ['application/json', 'not_a_form'],
  ['application/x-www-form-urlencoded; charset=iso-8859-1', 'not_a_form'],
  ['multipart/form-data; boundary=x', 'not_a_form'],
  ['text/plain', 'not_a_form'],
])('refuses %s', async (contentType, problem) => {
  await expect(readFormBody(request('a=b', { 'content-type': contentType }))).resolves.toEqual({
    outcome: 'refused',
    problem,
  });
});

it('accepts a charset of UTF-8, refuses a compressed body, and reads at most 16 KiB', async () => {
  const utf8 = { 'content-type': 'application/x-www-form-urlencoded;charset=UTF-8' };
  await expect(readFormBody(request('a=b', utf8))).resolves.toMatchObject({ outcome: 'read' });
  await expect(readFormBody(request('a=b', { 'content-encoding': 'gzip' }))).resolves.toMatchObject({
    problem: 'not_a_form',
  });
  await expect(fieldsOf(`a=${'b'.repeat(16 * 1024 - 2)}`)).resolves.toHaveProperty('a');
  await expect(fieldsOf(`a=${'b'.repeat(16 * 1024 - 1)}`)).resolves.toBe('form_too_large');
  await expect(readFormBody(request('a', { 'content-length': '16385' }))).resolves.toMatchObject({
    problem: 'form_too_large',
  });
});
