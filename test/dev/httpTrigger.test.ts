// HTTP functions under the dev host, which must treat them as the real Functions host does.
import { once } from 'node:events';
import net from 'node:net';
import type { HostProcess } from '../../dev/host/hostProcess';
import { compileRoute } from '../../dev/host/httpServer';
import { startFixtureApp } from './fixtures/fixtureApp';
import { send, sendBytes } from './fixtures/rawHttp';

let host: HostProcess;
const maxBodyBytes = 2000;

beforeAll(async () => {
  const env = { DEV_FUNCTION_KEY: 'the-key', FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(maxBodyBytes) };
  host = await startFixtureApp({ env });
});
afterAll(() => host.stop());

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(host.url + path, init);

/** What the fixture's functions answer: JSON, read as latin1. */
const bodyOf = (latin1: string) => JSON.parse(Buffer.from(latin1, 'latin1').toString()) as { params?: unknown };

describe('routes', () => {
  test.each<[string, number | Record<string, string>]>([
    ['/api/ECHO/a', { first: 'a' }],
    ['/api/echo/a/', { first: 'a' }],
    ['/api/echo/a%20b%C3%A9', { first: 'a bé' }],
    ['/api/echo/a%2Fb', { first: 'a%2Fb' }],
    ['/api/echo/%zz%ff', { first: '%zz%ff' }],
    ['/api/rest/a/b/c', { rest: 'a/b/c' }],
    ['/api/rest', {}],
    ['/api/x/../echo/a', { first: 'a' }],
    ['/api/x/%2e%2E/echo/a', { first: 'a' }],
    ['/../api/./echo/a', { first: 'a' }],
    ['/api/echo/a\\..\\b', { first: 'a\\..\\b' }],
    ['/api/echo/%00', 400],
    ['/api/echo/a/b', 404],
    ['/api/unknown', 404],
    ['/echo/a', 404],
  ])('%s', async (path, expected) => {
    const { status, body } = await send(host.url, { path });
    expect(status === 200 ? bodyOf(body).params : status).toEqual(expected);
  });

  test('of two routes that fit, the function that is first by name answers', async () => {
    expect(await (await get('/api/order/fixed')).text()).toBe('orderA');
  });

  test.each(['DELETE', 'HEAD'])('%s, which is not registered, is 404', async (method) => {
    expect((await get('/api/echo/a', { method })).status).toBe(404);
  });

  test.each(['{id:int}', 'a/{b?}', '{name}.css', '{id'])('the template %s is an error', (template) => {
    expect(() => compileRoute(template)).toThrow(/not supported/);
  });
});

test('a function gets method, URL, query, headers in lower case and body bytes; repeated values are joined by a comma', async () => {
  const body = Buffer.from([0, 200, 255]);
  const headers = { 'Content-Length': '3', 'X-One': 'A', 'X-Two': ['a', 'b'], 'X-Forwarded-For': '6.6.6.6' };
  const path = '/api/echo/a?x=1&x=2&y=%26';
  const answer = await send(host.url, { method: 'PUT', path, headers, chunks: [body] });
  expect(bodyOf(answer.body)).toEqual({
    method: 'PUT',
    url: `${host.url}${path}`,
    params: { first: 'a' },
    query: { x: '1,2', y: '&' },
    headers: expect.objectContaining({
      'x-one': 'A',
      'x-two': 'a,b',
      'x-forwarded-for': expect.stringMatching(/^6\.6\.6\.6, 127\.0\.0\.1:\d+$/),
    }),
    body: body.toString('latin1'),
  });
});

test('a body that came chunked, without a Content-Length, is empty', async () => {
  const answer = await send(host.url, { method: 'POST', path: '/api/echo/a', chunks: ['some', 'thing'] });
  const headers = { 'x-forwarded-for': expect.stringMatching(/^127/) };
  expect(bodyOf(answer.body)).toMatchObject({ body: '', headers });
});

test('the answer has the status, headers and body bytes that the function gave; to HEAD no body', async () => {
  const response = await get('/api/answer');
  expect(response.status).toBe(203);
  expect(response.headers.get('x-custom')).toBe('yes');
  expect(response.headers.get('content-type')).toBe('application/octet-stream');
  expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 10]);
  const head = await get('/api/answer', { method: 'HEAD' });
  expect([head.status, await head.text()]).toEqual([203, '']);
  expect((await get('/api/nothing')).status).toBe(204);
});

test('a function that throws answers 500 without a body; the error is logged, the URL is not', async () => {
  const response = await get('/api/throws?secret-query');
  expect([response.status, await response.text()]).toEqual([500, '']);
  expect(host.output()).toMatch(/\[throws\] Executed 'throws' \(Failed[^]*thrown on purpose/);
  expect(host.output()).not.toContain('secret-query');
});

test('an answer with a cookie is 500, and the log says why', async () => {
  expect((await get('/api/cookie')).status).toBe(500);
  expect(host.output()).toContain('does not send cookies');
});

test.each([
  ['by header', '/api/keyed', { 'x-functions-key': 'the-key' }, 200],
  ['by query', '/api/keyed?code=the-key', {}, 200],
  ['missing', '/api/keyed', {}, 401],
  ['wrong', '/api/keyed?code=the-kex', {}, 401],
])('a function key that is %s', async (_what, path, headers, status) => {
  expect((await get(path, { headers })).status).toBe(status);
});

describe('hostile requests', () => {
  test('a body over the limit is an empty 500, before it is sent; one of just the limit is served', async () => {
    const head = 'POST /api/echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2001\r\n\r\n';
    expect(await sendBytes(host.url, head)).toMatch(/^HTTP\/1\.1 500 /);
    const body = 'x'.repeat(maxBodyBytes);
    expect(await (await get('/api/echo/a', { method: 'POST', body })).json()).toMatchObject({ body });
  });

  test.each([
    'NONSENSE',
    'GET / HTTP/1.1\r\nConnection: close',
    'GET / HTTP/1.1\r\nHost: bad host\r\nConnection: close',
  ])('a broken request is 400: %j', async (head) => {
    expect(await sendBytes(host.url, `${head}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
  });

  test('a client that goes away before its body is complete does no harm', async () => {
    const socket = net.connect(Number(new URL(host.url).port), '127.0.0.1');
    const part = 'POST /api/echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc';
    socket.write(part, () => socket.destroy());
    await once(socket, 'close');
    expect((await get('/api/echo/a')).status).toBe(200);
  });

  test.each([
    ['other.example', 421],
    ['localhost.other.example', 421],
    ['LOCALHOST:1', 200],
    ['[::1]:99', 200],
  ])('to the Host %s the answer is %i', async (name, status) => {
    expect(await send(host.url, { path: '/api/echo/a', headers: { host: name } })).toMatchObject({ status });
  });
});
