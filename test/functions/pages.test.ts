// The pages under the dev host, without a browser: what each call answers, and what it leaves behind.
import { addressHashOf } from '../../shared/address';
import { messagesFor } from '../../shared/locales';
import { issueResetKey } from '../../shared/resetKey';
import { addAccount, eventually, readAccount, someuser, startApp, type App } from '../support/app';
import { bindKey, exampleConfig, getPage, nextResetMail, paths, postForm } from '../support/pages';

const goodPassword = 'correct horse battery staple';
const en = messagesFor('en');
const h1 = ({ title }: { title: string }): string => `<h1>${title}</h1>`;

describe('the pages', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ env: { LIMIT_PER_IP: 'off', LIMIT_PER_ADDRESS: 'off' } });
    await addAccount(app, { ...someuser });
    await addAccount(app, { id: '2', email: 'other@somewhere.com', username: 'otheruser' });
  });
  afterAll(() => app.stop());

  /** How many mails were asked for so far, by the log: notices wait in the queue, so its length does not tell. */
  const asked = (): number => app.host.output().match(/"event":"(?:requestReset|resendReset)","mailId"/g)?.length ?? 0;

  describe('forgotPasswordPage', () => {
    it.each([
      [' \t', 'missing'],
      ['a@b.org,c@d.org', 'malformed'],
    ] as const)('says what is wrong beside the field after %j', async (email, problem) => {
      const { status, html } = await postForm(app, paths.forgotPassword, { email });
      expect(status).toBe(400);
      expect(html).toContain(en.forgotPassword[problem]);
      expect(html).toMatch(/aria-invalid="true" aria-describedby="error" autofocus/);
      expect(html).toContain(`<title>Error: ${en.forgotPassword.title} · CodaLab</title>`);
    });

    it.each([
      ['a broken escape', 'email=%4', {}, 400],
      ['JSON', '{"email":"a@b.org"}', { 'Content-Type': 'application/json' }, 415],
      ['17 KiB', `email=${'a'.repeat(17 * 1024)}`, {}, 413],
    ])('refuses %s with a page', async (_name, body, headers, status) => {
      const before = asked();
      const answer = await postForm(app, paths.forgotPassword, body, headers);
      expect(answer.status).toBe(status);
      expect(answer.html).toContain(h1(en.problem.unreadable_form));
      expect(asked()).toBe(before);
    });

    it('takes the form of its own site only', async () => {
      const post = (headers: Record<string, string>) =>
        postForm(app, paths.forgotPassword, { email: 'nobody@somewhere.com' }, headers).then(({ status }) => status);
      await expect(post({ 'Sec-Fetch-Site': 'cross-site', Origin: 'null' })).resolves.toBe(403);
      await expect(post({ Origin: 'http://codalab.org.evil.example' })).resolves.toBe(403);
      await expect(post({ Origin: 'http://codalab.org' })).resolves.toBe(200);
    });

    it.each(['//evil.example', '/%09/evil.example', 'https:\\\\evil.example'])(
      '[L5] stays on the site whatever `next` says: %s',
      async (next) => {
        const query = `?next=${encodeURIComponent(next)}`;
        const sent = await postForm(app, paths.forgotPassword + query, { email: 'nobody@somewhere.com', next });
        expect([sent.status, sent.html.includes('evil')]).toEqual([200, false]);
        const key = await bindKey(app, 'other@somewhere.com');
        const set = await postForm(app, paths.key(key) + query, { newPassword: `${goodPassword} ${next}`, next });
        expect(set.headers.get('location')).toBe(paths.passwordSet);
      },
    );

    it('writes the mail in the language of the browser', async () => {
      const ask = () =>
        postForm(app, paths.forgotPassword, { email: 'other@somewhere.com' }, { 'Accept-Language': 'fr' });
      const { mail } = await nextResetMail(app, ask);
      expect(mail).toContain('Subject: [CodaLab] Réinitialisation de votre mot de passe');
    });
  });

  describe('newPasswordPage', () => {
    it('[S1] changes nothing however often and by whatever scanner it is opened or posted empty', async () => {
      const key = await bindKey(app, someuser.email);
      const before = await readAccount(app, someuser.email);
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        for (const headers of [
          {},
          { 'User-Agent': 'BingPreview/1.0b' },
          { 'User-Agent': '' },
          { Range: 'bytes=0-9' },
        ]) {
          const { status } = await fetch(`${app.host.url}${paths.key(key)}`, { method, headers });
          expect([200, 404, 405]).toContain(status);
        }
      }
      for (const fields of [{}, { username: 'someuser', newPassword: '', newPasswordAgain: '' }]) {
        const { status, html } = await postForm(app, paths.key(key), fields);
        expect(status).toBe(422);
        expect(html).toContain(en.newPassword.problems.missing);
      }
      expect(await readAccount(app, someuser.email)).toEqual(before);
      const set = await postForm(app, paths.key(key), { username: 'someuser', newPassword: goodPassword });
      expect([set.status, set.headers.get('location')]).toEqual([303, paths.passwordSet]);
      const again = await postForm(app, paths.key(key), { newPassword: `${goodPassword} again` });
      expect(again.status).toBe(410);
      expect(again.html).toContain(h1(en.usedLink));
    });

    it('keeps the key good after a rejected password, and never shows it', async () => {
      const key = await bindKey(app, 'other@somewhere.com');
      const newPassword = 'Tr0ub4dor&3';
      const { status, html } = await postForm(app, paths.key(key), { newPassword });
      expect(status).toBe(422);
      expect(html).toMatch(/id="error">[^<]*at least 15 characters/);
      expect(html).toMatch(/aria-describedby="rule error" aria-invalid="true" autofocus/);
      expect(html).not.toContain(newPassword);
      expect((await getPage(app, paths.key(key))).status).toBe(200);
    });

    it('offers a new mail on an expired link, sends it, and shows no address', async () => {
      const key = await bindKey(app, someuser.email, 61);
      const before = asked();
      const dead = await getPage(app, paths.key(key));
      expect(dead.status).toBe(410);
      expect(dead.html).toContain(h1(en.expiredLink));
      expect(dead.html).not.toContain(someuser.email);
      expect(asked()).toBe(before); // opening it sends nothing
      const { key: fresh } = await nextResetMail(app, async () => {
        const resent = await postForm(app, paths.key(key), { action: 'resend' });
        expect([resent.status, resent.headers.get('location')]).toEqual([303, paths.checkInbox]);
      });
      await eventually(() => (asked() > before ? true : undefined));
      expect(fresh).not.toBe(key);
      expect((await getPage(app, paths.key(fresh))).status).toBe(200);
    });

    it.each([
      ['nothing', ''],
      ['markup', encodeURIComponent('"><script>alert(1)</script>')],
      ['a forged signature', `${'a'.repeat(36)}.${'b'.repeat(120)}.${'c'.repeat(43)}`],
      ['several segments', 'a/b/c'],
      ['20,000 characters', 'a'.repeat(20_000)],
    ])('says the same of a link with %s as key, whatever is posted to it', async (_name, key) => {
      const answers = [
        await getPage(app, paths.key(key)),
        await postForm(app, paths.key(key), { action: 'resend' }),
        await postForm(app, paths.key(key), { newPassword: goodPassword }),
        await postForm(app, paths.key(key), { newPassword: 'short' }),
      ];
      for (const { status, html } of answers) {
        expect(status).toBe(400);
        expect(html).toContain(h1(en.invalidLink));
        expect(html).toBe(answers[0]?.html);
        expect(html).not.toMatch(/<script>alert|resend/);
      }
    });
  });

  it('send the headers that keep a page private, to HEAD too', async () => {
    const head = await fetch(`${app.host.url}${paths.forgotPassword}`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8']);
    for (const path of [paths.forgotPassword, paths.key(await bindKey(app, someuser.email))]) {
      const { headers } = await getPage(app, path, {
        Origin: 'https://evil.example',
        'Accept-Language': 'zh-CN,zh;q=0.9',
      });
      expect(headers.get('content-language')).toBe('zh-Hans');
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('access-control-allow-origin')).toBeNull();
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
      );
    }
  });

  it('answer unknown paths, and a POST to a page without a form, with a page', async () => {
    const answers = [
      await postForm(app, paths.checkInbox, {}),
      await postForm(app, paths.passwordSet, {}),
      await getPage(app, `${paths.forgotPassword}nothing/here`),
      await postForm(app, `${paths.forgotPassword}done/more/`, {}),
    ];
    for (const { status, html } of answers) {
      expect(status).toBe(404);
      expect(html).toContain(h1(en.problem.not_found));
    }
  });

  it('log no key and no address', async () => {
    const key = await bindKey(app, someuser.email);
    await getPage(app, paths.key(key));
    await postForm(app, paths.key(key), { newPassword: 'short' });
    const lines = app.host.output().split('\n');
    const events = lines.filter((line) => line.includes('"event"'));
    expect(events.length).toBeGreaterThan(10);
    expect(events.join('\n')).not.toContain(key);
    expect(events.join('\n')).not.toContain('@');
  });
});

describe('the pages over the limit', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ env: { LIMIT_PER_IP: '2/1h' }, queues: false, timers: false });
  });
  afterAll(() => app.stop());

  it('say how long to wait, for each call by itself', async () => {
    const ask = () => postForm(app, paths.forgotPassword, { email: 'nobody@somewhere.com' });
    expect([(await ask()).status, (await ask()).status]).toEqual([200, 200]);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(3000);
    expect(refused.html).toContain(h1(en.problem.too_many_requests));
    expect(refused.html).toMatch(/ (?:1 hour|\d\d minutes)/);
    expect((await getPage(app, paths.forgotPassword)).status).toBe(200);
    // Only a key that we signed is charged; this one is bound to nothing.
    const { key } = issueResetKey(exampleConfig, addressHashOf('nobody@somewhere.com'), new Date());
    const open = async () => (await getPage(app, paths.key(key))).status;
    expect([await open(), await open(), await open()]).toEqual([400, 400, 429]);
  });
});

describe('the pages without a good site row', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ queues: false, timers: false });
    const row = { domain: 'not a domain', name: 'Evil' };
    await app.storage.table('SiteSettings').insert('site', '1', row);
  });
  afterAll(() => app.stop());

  it('[ST1] are not available, as are the calls with a key; they name no site, and still take a request', async () => {
    for (const path of [paths.forgotPassword, paths.checkInbox, paths.key('x'), paths.passwordSet]) {
      const { status, headers, html } = await getPage(app, path, { 'Accept-Language': 'de' });
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toBe('10');
      expect(html).toContain(h1(messagesFor('de').problem.unavailable));
      expect(html).not.toContain('Evil');
    }
    await addAccount(app, someuser);
    const key = await bindKey(app, someuser.email);
    expect((await app.post('password-reset/check', { key })).status).toBe(503);
    expect((await app.post('password-reset/redeem', { key, newPassword: goodPassword })).status).toBe(503);
    expect((await fetch(`${app.host.url}/api/health`)).status).toBe(503);
    await app.logged(/"event":"siteRowRefused"/);
    expect((await postForm(app, paths.forgotPassword, { email: 'nobody' })).status).toBe(400);
    expect((await postForm(app, paths.forgotPassword, { email: someuser.email })).status).toBe(200);
  });
});
