// Rows L1–L3, W3 (calls) and N6: what a request says about hosts and origins never reaches a mail, a header or a limit.
import { send, sendBytes } from '../dev/fixtures/rawHttp';
import { siteOrigin, startTarget, type Target } from '../support/attack';
import { expectMailsToStoredOnly } from '../support/invariants';

describe('a request that lies about where it was sent', () => {
  let target: Target;
  beforeAll(async () => {
    // The dev host refuses foreign names by itself; here they must reach the app.
    target = await startTarget({
      allowedHosts: ['*'],
      env: { LIMIT_PER_ADDRESS: 'off', ALLOWED_ORIGINS: 'https://www.codalab.org' },
    });
  });
  afterAll(() => target.checkAndStop());

  const post = (email: string, headers: Record<string, string>, path = '/api/password-reset/request') => {
    const body = JSON.stringify({ email });
    const all = { 'Content-Type': 'application/json', 'Content-Length': String(Buffer.byteLength(body)), ...headers };
    return send(target.app.host.url, { method: 'POST', path, headers: all, chunks: [body] });
  };
  /** The mail, if the call was accepted, has the configured origin. */
  const expectHonestMail = async (email: string): Promise<void> => {
    const mails = await target.mailsTo(email, 1);
    expect(mails[0]?.text).toContain(`${siteOrigin}/accounts/password/reset/key/`);
    expect(JSON.stringify(mails)).not.toMatch(/evil/);
    expectMailsToStoredOnly(mails, target.stored, siteOrigin);
  };

  it.each([
    ['a foreign Host', { Host: 'evil.example' }],
    ['a Host with a port', { Host: 'evil.example:8080' }],
    ['X-Forwarded-Host', { 'X-Forwarded-Host': 'evil.example' }],
    ['X-Forwarded-Proto', { 'X-Forwarded-Proto': 'ftp', 'X-Forwarded-Port': '666' }],
    ['Forwarded', { Forwarded: 'for=1.2.3.4;host=evil.example;proto=http' }],
    ['X-Original-Host', { 'X-Original-Host': 'evil.example', 'X-Host': 'evil.example' }],
    ['X-Original-URL', { 'X-Original-URL': 'https://evil.example/', 'X-Rewrite-URL': '/evil' }],
    ['DISGUISED-HOST', { 'Disguised-Host': 'evil.example', 'X-WAWS-Unencoded-URL': '/evil' }],
    ['Origin and Referer', { Origin: 'https://evil.example', Referer: 'https://evil.example/x' }],
    ['redirect headers', { redirect_to: 'https://evil.example', 'X-Redirect-To': 'https://evil.example' }],
    ['a method override', { 'X-HTTP-Method-Override': 'DELETE' }],
  ] as [string, Record<string, string>][])(
    '[L1] [L2] [L3] %s: accepted, and the link is the configured one',
    async (_what, headers) => {
      const email = await target.victim();
      const answer = await post(email, headers);
      expect(answer).toMatchObject({ status: 202, body: '{"status":"accepted"}' });
      expect(JSON.stringify(answer.headers)).not.toContain('evil');
      await expectHonestMail(email);
    },
  );

  it('[L1] an absolute request line: the link is the configured one', async () => {
    const email = await target.victim();
    await expect(
      post(email, { Host: 'evil.example' }, 'http://evil.example/api/password-reset/request'),
    ).resolves.toMatchObject({ status: 202 });
    await expectHonestMail(email);
  });

  it.each([
    ['two Host headers', 'Host: codalab.org\r\nHost: evil.example\r\n'],
    ['user@ in the Host', 'Host: good@evil.example\r\n'],
    ['a port and user@ in the Host', 'Host: good:80@evil.example\r\n'],
    ['no Host', ''],
  ])('[L1] %s: refused, or the link is the configured one', async (_what, host) => {
    const email = await target.victim();
    const body = JSON.stringify({ email });
    const answer = await sendBytes(
      target.app.host.url,
      `POST /api/password-reset/request HTTP/1.1\r\n${host}Content-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
    const status = Number(answer.split(' ')[1]);
    expect([202, 400, 421]).toContain(status);
    if (status === 202) await expectHonestMail(email);
  });

  it.each(['redirect_to', 'next', 'callbackURL', 'url', 'site', 'resetUrl', 'domain', 'protocol'])(
    '[L3] %s in the body is refused, in the query ignored',
    async (name) => {
      const email = await target.victim();
      const evil = 'https://evil.example';
      await expect(target.app.post('password-reset/request', { email, [name]: evil })).resolves.toMatchObject({
        status: 400,
      });
      await expect(
        target.app.post(`password-reset/request?${name}=${encodeURIComponent(evil)}`, { email }),
      ).resolves.toMatchObject({ status: 202 });
      await expectHonestMail(email);
      expect(target.mails().filter(({ to }) => to[0] === email)).toHaveLength(1);
    },
  );

  it('[W3] a preflight and a call of a foreign origin get no permission; a listed origin does', async () => {
    for (const origin of ['https://evil.example', 'null', 'https://www.codalab.org.evil.example']) {
      const preflight = await send(target.app.host.url, {
        method: 'OPTIONS',
        path: '/api/password-reset/request',
        headers: { Origin: origin, 'Access-Control-Request-Method': 'POST' },
      });
      expect(preflight.status).toBe(204);
      expect(Object.keys(preflight.headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
      const answer = await target.app.post('password-reset/check', { key: 'x' }, { Origin: origin });
      expect(answer.headers.get('access-control-allow-origin')).toBeNull();
    }
    const allowed = await target.app.post('password-reset/check', { key: 'x' }, { Origin: 'https://www.codalab.org' });
    expect(allowed.headers.get('access-control-allow-origin')).toBe('https://www.codalab.org');
  });

  it.each(['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD'])('[N6] %s on the three calls is nothing', async (method) => {
    for (const call of ['request', 'check', 'redeem']) {
      const answer = await send(target.app.host.url, { method, path: `/api/password-reset/${call}` });
      expect(answer.status).toBe(404);
    }
  });

  it.each([
    '//api//password-reset//request',
    '/API/PASSWORD-RESET/REQUEST',
    '/api/password-reset/%72equest',
    '/api/password-reset/request/',
    '/api/x/%2e%2e/password-reset/request',
    '/api/password-reset/request;x=1',
    '/api/password-reset/request%00',
    '/api/backend/%2e%2e/password-reset/request',
  ])('[N6] %s is either nothing, or the same call', async (path) => {
    const email = await target.victim();
    const answer = await post(email, {}, path);
    expect([202, 400, 404]).toContain(answer.status);
    if (answer.status === 202) await expectHonestMail(email);
  });

  it.each(['request', 'check', 'redeem'])('[HO4] the call %s of a site’s own server needs its key', async (call) => {
    for (const headers of [{}, { 'x-functions-key': 'guess' }, { 'x-functions-key': '' }]) {
      await expect(
        target.app.post(`backend/password-reset/${call}`, { email: 'a@b', key: 'x' }, headers),
      ).resolves.toMatchObject({ status: 401 });
    }
  });
});
