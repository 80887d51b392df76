// What a request says about hosts and origins never reaches a mail or a header.
import { send, sendBytes } from '../dev/fixtures/rawHttp';
import { siteOrigin, startTarget, type Target } from '../support/attack';
import { expectMailsToStoredOnly } from '../support/invariants';

describe('a request that lies', () => {
  let target: Target;
  beforeAll(async () => {
    // The dev host refuses foreign names by itself; here they must reach the app.
    target = await startTarget({
      anyHost: true,
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

  it('[L1] [L2] [L3] in a header: accepted, and the link is the configured one', async () => {
    const evil = 'evil.example';
    const lies: Record<string, string>[] = [
      { Host: `${evil}:8080` },
      { 'X-Forwarded-Host': evil, 'X-Forwarded-Proto': 'ftp', 'X-Forwarded-Port': '666' },
      { Forwarded: `for=1.2.3.4;host=${evil};proto=http` },
      { 'X-Original-Host': evil, 'X-Host': evil, 'X-Original-URL': `https://${evil}/`, 'X-Rewrite-URL': '/evil' },
      { 'Disguised-Host': evil, 'X-WAWS-Unencoded-URL': '/evil' },
      { Origin: `https://${evil}`, Referer: `https://${evil}/x`, redirect_to: `https://${evil}` },
      { 'X-HTTP-Method-Override': 'DELETE' },
    ];
    for (const headers of lies) {
      const email = await target.victim();
      const answer = await post(email, headers);
      expect(answer).toMatchObject({ status: 202, body: '{"status":"accepted"}' });
      expect(JSON.stringify(answer.headers)).not.toContain('evil');
      await expectHonestMail(email);
    }
    const email = await target.victim();
    const absolute = await post(email, { Host: evil }, `http://${evil}/api/password-reset/request`);
    expect(absolute.status).toBe(202);
    await expectHonestMail(email);
  });

  it.each(['Host: codalab.org\r\nHost: evil.example\r\n', 'Host: good:80@evil.example\r\n', ''])(
    '[L1] in %j: refused, or the link is the configured one',
    async (host) => {
      const email = await target.victim();
      const body = JSON.stringify({ email });
      const head = `POST /api/password-reset/request HTTP/1.1\r\n${host}Content-Type: application/json\r\n`;
      const rest = `Content-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
      const status = Number((await sendBytes(target.app.host.url, head + rest)).split(' ')[1]);
      expect([202, 400, 421]).toContain(status);
      if (status === 202) await expectHonestMail(email);
    },
  );

  it('[L3] in a field of the body: refused; in the query: ignored', async () => {
    const email = await target.victim();
    const evil = 'https://evil.example';
    for (const name of ['redirect_to', 'next', 'url', 'site', 'domain']) {
      const answer = await target.app.post('password-reset/request', { email, [name]: evil });
      expect(answer.status).toBe(400);
    }
    const query = `next=${encodeURIComponent(evil)}&domain=evil.example`;
    await expect(target.app.post(`password-reset/request?${query}`, { email })).resolves.toMatchObject({ status: 202 });
    await expectHonestMail(email);
    expect(target.mails().filter(({ to }) => to === email)).toHaveLength(1);
  });

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

  it('[N6] with another method is nothing; with another spelling of the path, nothing or the same call', async () => {
    for (const method of ['GET', 'PUT', 'PATCH', 'DELETE', 'HEAD']) {
      const answer = await send(target.app.host.url, { method, path: '/api/password-reset/redeem' });
      expect(answer.status).toBe(404);
    }
    for (const path of [
      '//api//password-reset//request',
      '/API/PASSWORD-RESET/REQUEST',
      '/api/password-reset/%72equest',
      '/api/x/%2e%2e/password-reset/request',
      '/api/password-reset/request;x=1',
      '/api/password-reset/request%00',
      '/api/backend/%2e%2e/password-reset/request',
    ]) {
      const email = await target.victim();
      const answer = await post(email, {}, path);
      expect([202, 400, 404]).toContain(answer.status);
      if (answer.status === 202) await expectHonestMail(email);
    }
  });
});
