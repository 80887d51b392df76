// HTTP functions under the dev host, which must treat them as the real Functions host does.
import { once } from 'node:events';
import net from 'node:net';
import type { HostProcess } from '../../dev/host/hostProcess';
import { compileRoute } from '../../dev/host/routes';
import { startFixtureApp } from './fixtures/fixtureApp';
import { send, sendBytes } from './fixtures/rawHttp';

let host: HostProcess;
const maxBodyBytes = 2000;

beforeAll(async () => {
  host = await startFixtureApp({
    env: { DEV_FUNCTION_KEY: 'the-key', FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(maxBodyBytes) },
  });
});
afterAll(() => host.stop());

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(host.url + path, init);
const echo = async (path: string, init?: RequestInit): Promise<Echo> => (await get(path, init)).json() as Promise<Echo>;

/** What the fixture's function `echo` answers. */
interface Echo {
  method: string;
  url: string;
  params: Record<string, string>;
  query: Record<string, string>;
  headers: Record<string, string>;
  body: string;
}

describe('routes', () => {
  test('a path is matched ignoring case, and may end in a slash', async () => {
    expect((await get('/api/ECHO/a')).status).toBe(200);
    expect((await get('/api/echo/a/')).status).toBe(200);
    expect((await get('/api/echo/a/b')).status).toBe(404);
  });

  test('a parameter is decoded; an encoded slash and a malformed sequence stay as they are', async () => {
    expect((await echo('/api/echo/a%20b%C3%A9')).params).toEqual({ first: 'a bé' });
    expect((await echo('/api/echo/a%2Fb')).params).toEqual({ first: 'a%2Fb' });
    const { body } = await send(host.url, { path: '/api/echo/%zz%ff' });
    expect(JSON.parse(body).params).toEqual({ first: '%zz%ff' });
  });

  test('a rest parameter takes all segments, or none', async () => {
    expect(await echo('/api/rest/a/b/c')).toEqual({ rest: 'a/b/c' });
    expect(await echo('/api/rest')).toEqual({});
  });

  test.each(['/api/x/../echo/a', '/api/x/%2e%2E/echo/a', '/../api/./echo/a'])(
    'dot segments are removed first: %s',
    async (path) => {
      const { status, body } = await send(host.url, { path });
      expect([status, JSON.parse(body).params]).toEqual([200, { first: 'a' }]);
    },
  );

  test('of two routes that fit, the function that is first by name answers', async () => {
    expect(await (await get('/api/order/fixed')).text()).toBe('orderA');
  });

  test('an unknown path, a path without the prefix, and a method that is not registered are 404', async () => {
    expect((await get('/api/unknown')).status).toBe(404);
    expect((await get('/echo/a')).status).toBe(404);
    expect((await get('/api/echo/a', { method: 'DELETE' })).status).toBe(404);
    expect((await get('/api/echo/a', { method: 'HEAD' })).status).toBe(404);
  });

  test.each(['{id:int}', 'a/{b?}', '{name}.css', '{id'])(
    'a template it does not support is an error: %s',
    (template) => {
      expect(() => compileRoute(template)).toThrow(/not supported/);
    },
  );
});

describe('the request a function gets', () => {
  test('has method, body bytes, and a url built from the Host header', async () => {
    const body = Buffer.from([0, 200, 255]);
    const got = await echo('/api/echo/a?x=1', { method: 'PUT', body });
    expect(got).toMatchObject({ method: 'PUT', url: `${host.url}/api/echo/a?x=1`, body: body.toString('latin1') });
  });

  test('has its headers in lower case, repeated ones joined by a comma', async () => {
    const headers = { 'X-One': 'A', 'X-Two': ['a', 'b'] };
    const { body } = await send(host.url, { path: '/api/echo/a', headers });
    expect(JSON.parse(body).headers).toMatchObject({ 'x-one': 'A', 'x-two': 'a,b' });
  });

  test('has its query, repeated parameters joined by a comma', async () => {
    expect((await echo('/api/echo/a?x=1&x=2&y=%26')).query).toEqual({ x: '1,2', y: '&' });
  });

  test('names the peer with its port at the end of X-Forwarded-For', async () => {
    expect((await echo('/api/echo/a')).headers['x-forwarded-for']).toMatch(/^127\.0\.0\.1:\d+$/);
    const headers = { 'X-Forwarded-For': '6.6.6.6' };
    expect((await echo('/api/echo/a', { headers })).headers['x-forwarded-for']).toMatch(
      /^6\.6\.6\.6, 127\.0\.0\.1:\d+$/,
    );
  });

  test('has an empty body when the body came chunked, without a Content-Length', async () => {
    const response = await send(host.url, { method: 'POST', path: '/api/echo/a', chunks: ['some', 'thing'] });
    expect(response.status).toBe(200);
    expect(JSON.parse(response.body).body).toBe('');
  });
});

describe('the answer', () => {
  test('has the status, headers and body bytes the function gave; to HEAD no body', async () => {
    const response = await get('/api/answer');
    expect(response.status).toBe(203);
    expect(response.headers.get('x-custom')).toBe('yes');
    expect(response.headers.get('content-type')).toBe('application/octet-stream');
    expect([...new Uint8Array(await response.arrayBuffer())]).toEqual([0, 255, 10]);
    const head = await get('/api/answer', { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([203, '']);
  });

  test('is 204 when the function returned nothing', async () => {
    expect((await get('/api/nothing')).status).toBe(204);
  });

  test('is 500 without a body when the function threw, which is logged and survived', async () => {
    const response = await get('/api/throws');
    expect([response.status, await response.text()]).toEqual([500, '']);
    expect(host.output()).toContain("[throws] Executed 'throws' (Failed");
    expect(host.output()).toContain('thrown on purpose');
    expect((await get('/api/echo/a')).status).toBe(200);
  });
});

describe('the function key', () => {
  test('opens a function by header or by query', async () => {
    expect((await get('/api/keyed', { headers: { 'x-functions-key': 'the-key' } })).status).toBe(200);
    expect((await get('/api/keyed?code=the-key')).status).toBe(200);
  });

  test('is 401 when missing or wrong', async () => {
    expect((await get('/api/keyed')).status).toBe(401);
    expect((await get('/api/keyed?code=the-kex')).status).toBe(401);
    expect((await get('/api/keyed', { headers: { 'x-functions-key': 'short' } })).status).toBe(401);
  });
});

describe('hostile requests', () => {
  test('a body over the limit is an empty 500, before it is sent; one of just the limit is served', async () => {
    const answer = await sendBytes(
      host.url,
      'POST /api/echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2001\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 500 /);
    const body = 'x'.repeat(maxBodyBytes);
    expect((await echo('/api/echo/a', { method: 'POST', body })).body).toBe(body);
  });

  test('a broken request is 400', async () => {
    expect(await sendBytes(host.url, 'NONSENSE\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect(await sendBytes(host.url, 'GET / HTTP/1.1\r\nConnection: close\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /);
    expect((await send(host.url, { path: '/api/echo/%00' })).status).toBe(400);
    expect((await send(host.url, { path: '/api/echo/a', headers: { host: 'bad host' } })).status).toBe(400);
  });

  test('a client that goes away before its body is complete does no harm', async () => {
    const socket = net.connect(Number(new URL(host.url).port), '127.0.0.1');
    socket.write('POST /api/echo/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nabc', () =>
      socket.destroy(),
    );
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
