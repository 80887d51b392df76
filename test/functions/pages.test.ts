// The pages under the dev host, without a browser: what each call answers, and what it leaves behind.
import { addressHashOf } from '../../shared/address';
import { verifyPassword } from '../../shared/password/passwordHash';
import { issueResetKey } from '../../shared/resetKey';
import { addAccount, keyIn, readAccount, someuser, startApp, type App } from '../support/app';
import { bindKey, exampleConfig, getPage, nextResetMail, paths, postForm } from '../support/pages';

const goodPassword = 'correct horse battery staple';
const unlimited = { LIMIT_PER_IP: 'off', LIMIT_PER_ADDRESS: 'off' };

describe('the pages', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ env: unlimited });
    await addAccount(app, { ...someuser });
    await addAccount(app, { id: '2', email: 'other@somewhere.com', username: 'otheruser' });
  });
  afterAll(() => app.stop());

  /** How many mails were asked for so far, as the log says it: notices wait in the queue, so its length would not tell. */
  const asked = (): number => app.host.output().match(/"event":"(?:requestReset|resendReset)","mailId"/g)?.length ?? 0;

  describe('ask', () => {
    it('answers GET and HEAD alike', async () => {
      const got = await getPage(app, paths.ask);
      expect(got.status).toBe(200);
      expect(got.html).toContain('<h1>Reset your password</h1>');
      const head = await fetch(`${app.host.url}${paths.ask}`, { method: 'HEAD' });
      expect(head.status).toBe(200);
      expect(head.headers.get('content-type')).toBe('text/html; charset=utf-8');
      expect(await head.text()).toBe('');
    });

    it('answers every well-formed address alike', async () => {
      const answers = await Promise.all(
        [someuser.email, 'nobody@somewhere.com'].map((email) => postForm(app, paths.ask, { email })),
      );
      for (const { status, headers, html } of answers) {
        expect({ status, html, location: headers.get('location') }).toEqual({
          status: 303,
          html: '',
          location: paths.sent,
        });
      }
      const names = answers.map(({ headers }) => [...headers.keys()].join());
      expect(names[0]).toBe(names[1]);
      expect(keyIn((await app.mailsWithin(1))[0] ?? '')).toMatch(/^[\w.-]+$/);
    });

    it.each([
      ['nothing', '', 'Enter your e-mail address.'],
      ['blanks', ' \t', 'Enter your e-mail address.'],
      ['no address', 'someuser', 'This is not an e-mail address.'],
      ['a list', 'a@b.org,c@d.org', 'This is not an e-mail address.'],
    ])('says what is wrong beside the field after %s', async (_name, email, words) => {
      const { status, html } = await postForm(app, paths.ask, { email });
      expect(status).toBe(400);
      expect(html).toContain(words);
      expect(html).toMatch(/aria-invalid="true" aria-describedby="error" autofocus/);
      expect(html).toContain('<title>Error: Reset your password · CodaLab</title>');
    });

    it('[W4] shows the typed address again, escaped', async () => {
      const { html } = await postForm(app, paths.ask, { email: '"><script>alert(1)</script>{{7}}' });
      expect(html).toContain('value="&quot;&gt;&lt;script&gt;alert(1)&lt;&#x2F;script&gt;{{7}}"');
      expect(html).not.toContain('<script>alert');
    });

    it.each([
      ['a field twice', 'email=a@b.org&email=c@d.org', {}, 400],
      ['bytes that are no UTF-8', 'email=%FF%FE', {}, 400],
      ['a broken escape', 'email=%4', {}, 400],
      ['JSON', '{"email":"a@b.org"}', { 'Content-Type': 'application/json' }, 415],
      ['multipart', 'x', { 'Content-Type': 'multipart/form-data; boundary=x' }, 415],
      ['another charset', 'email=a', { 'Content-Type': 'application/x-www-form-urlencoded; charset=utf-7' }, 415],
      ['a compressed body', 'email=a', { 'Content-Encoding': 'gzip' }, 415],
      ['17 KiB', `email=${'a'.repeat(17 * 1024)}`, {}, 413],
    ])('refuses %s with a page', async (_name, body, headers, status) => {
      const before = asked();
      const answer = await postForm(app, paths.ask, body, headers);
      expect(answer.status).toBe(status);
      expect(answer.html).toContain('<h1>That did not work</h1>');
      expect(asked()).toBe(before);
    });

    it('[W3] refuses the forms of other sites, and lets our own and those without a browser pass', async () => {
      const post = (headers: Record<string, string>) =>
        postForm(app, paths.ask, { email: 'nobody@somewhere.com' }, headers).then(({ status }) => status);
      await expect(post({ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' })).resolves.toBe(403);
      await expect(post({ 'Sec-Fetch-Site': 'cross-site', Origin: 'null' })).resolves.toBe(403);
      await expect(post({ Origin: 'https://evil.example' })).resolves.toBe(403);
      await expect(post({ Origin: 'http://codalab.org.evil.example' })).resolves.toBe(403);
      await expect(post({ 'Sec-Fetch-Site': 'same-origin', Origin: 'null' })).resolves.toBe(303);
      await expect(post({ Origin: 'null' })).resolves.toBe(303);
      await expect(post({ Origin: 'http://codalab.org' })).resolves.toBe(303);
      await expect(post({})).resolves.toBe(303);
      const page = await getPage(app, paths.ask, { Origin: 'https://evil.example' });
      expect(page.headers.get('access-control-allow-origin')).toBeNull();
    });

    it.each([
      '//evil.example',
      '/\\evil.example',
      '/%09/evil.example',
      'https:\\\\evil.example',
      'https:///evil.example',
    ])('[L5] stays on the site whatever `next` says: %s', async (next) => {
      const query = `?next=${encodeURIComponent(next)}&redirect_to=${encodeURIComponent(next)}`;
      const asked = await postForm(app, paths.ask + query, { email: 'nobody@somewhere.com', next });
      expect(asked.headers.get('location')).toBe(paths.sent);
      for (const path of [paths.ask, paths.sent, paths.set, paths.key('x')]) {
        expect((await getPage(app, path + query)).html).not.toContain('evil');
      }
      const key = await bindKey(app, 'other@somewhere.com');
      const set = await postForm(app, paths.key(key) + query, { newPassword: `${goodPassword} ${next}`, next });
      expect(set.headers.get('location')).toBe(paths.set);
    });
  });

  describe('the page behind the link', () => {
    it('sets the password once, and says so afterwards', async () => {
      const key = await bindKey(app, someuser.email);
      const form = await getPage(app, paths.key(key));
      expect(form.status).toBe(200);
      expect(form.html).toContain(`action="${paths.key(key).replaceAll('/', '&#x2F;')}"`);
      expect(form.html).toMatch(/name="username" value="someuser" type="text" autocomplete="username" readonly/);
      const set = await postForm(app, paths.key(key), { username: 'someuser', newPassword: goodPassword });
      expect([set.status, set.headers.get('location')]).toEqual([303, paths.set]);
      const row = await readAccount(app, someuser.email);
      await expect(verifyPassword(goodPassword, String(row?.['password']))).resolves.toBe(true);
      const again = await postForm(app, paths.key(key), { newPassword: `${goodPassword} again` });
      expect(again.status).toBe(410);
      expect(again.html).toContain('<h1>This link no longer works</h1>');
      const done = await getPage(app, paths.set);
      expect(done.html).toContain('<h1>Your password is changed</h1>');
      expect(done.html).toContain('href="http:&#x2F;&#x2F;codalab.org&#x2F;accounts&#x2F;login&#x2F;"');
    });

    it('[S1] changes nothing however often and by whatever scanner it is opened', async () => {
      const key = await bindKey(app, someuser.email);
      const before = await readAccount(app, someuser.email);
      const agents = [{}, { 'User-Agent': 'BingPreview/1.0b' }, { 'User-Agent': '' }, { Range: 'bytes=0-10' }];
      for (const method of ['GET', 'HEAD', 'OPTIONS']) {
        for (const headers of [...agents, ...agents, ...agents]) {
          const { status } = await fetch(`${app.host.url}${paths.key(key)}`, { method, headers });
          expect([200, 404, 405]).toContain(status);
        }
      }
      expect(await readAccount(app, someuser.email)).toEqual(before);
      const { status } = await postForm(app, paths.key(key), { newPassword: `${goodPassword} s1` });
      expect(status).toBe(303);
    });

    it('[S3] keeps the key good when a scanner posts the empty form', async () => {
      const key = await bindKey(app, someuser.email);
      for (const fields of [{}, { newPassword: '' }, { username: 'someuser', newPassword: '', newPasswordAgain: '' }]) {
        const { status, html } = await postForm(app, paths.key(key), fields);
        expect(status).toBe(422);
        expect(html).toContain('Enter a new password.');
      }
      const { status } = await postForm(app, paths.key(key), { newPassword: `${goodPassword} s3` });
      expect(status).toBe(303);
    });

    it('[S4] sends no mail by being opened', async () => {
      const key = await bindKey(app, someuser.email, 61);
      const before = asked();
      for (let times = 0; times < 5; times++) expect((await getPage(app, paths.key(key))).status).toBe(410);
      expect(asked()).toBe(before);
    });

    it.each([
      ['too short', { newPassword: 'Tr0ub4dor&3' }, 'It needs at least 15 characters.'],
      ['too long', { newPassword: 'ab cd ef gh '.repeat(20) }, 'It can have up to 128 characters.'],
      ['common', { newPassword: 'passwordpassword' }, 'Too many people use this password.'],
      ['about the user', { newPassword: 'other@somewhere.com' }, 'not your username, your e-mail address'],
      ['typed differently the second time', { newPassword: goodPassword, newPasswordAgain: 'x' }, 'are not the same'],
    ])('keeps the key good after a password that is %s, and never shows it', async (_name, fields, words) => {
      const key = await bindKey(app, 'other@somewhere.com');
      const { status, html } = await postForm(app, paths.key(key), fields);
      expect(status).toBe(422);
      expect(html).toContain(words);
      expect(html).toMatch(/aria-describedby="rule error" aria-invalid="true" autofocus/);
      expect(html).not.toContain(fields.newPassword);
      expect((await getPage(app, paths.key(key))).status).toBe(200);
    });

    it('offers a new mail on an expired link, and sends it to the account without a word about the address', async () => {
      const key = await bindKey(app, someuser.email, 61);
      const dead = await getPage(app, paths.key(key));
      expect(dead.status).toBe(410);
      expect(dead.html).toContain('<h1>This link has expired</h1>');
      expect(dead.html).toContain('name="action" value="resend"');
      expect(dead.html).not.toContain(someuser.email);
      const before = asked();
      const { key: fresh } = await nextResetMail(app, async () => {
        const resent = await postForm(app, paths.key(key), { action: 'resend' });
        expect([resent.status, resent.headers.get('location')]).toEqual([303, paths.sent]);
      });
      expect(asked()).toBe(before + 1);
      expect(fresh).not.toBe(key);
      expect((await getPage(app, paths.key(fresh))).status).toBe(200);
    });

    it('says the same, and does nothing, for a key of ours that was never bound', async () => {
      const { key } = issueResetKey(exampleConfig, addressHashOf('nobody@somewhere.com'), new Date(Date.now() - 3_660_000));
      const before = asked();
      const resent = await postForm(app, paths.key(key), { action: 'resend' });
      expect([resent.status, resent.headers.get('location')]).toEqual([303, paths.sent]);
      expect(asked()).toBe(before);
    });

    it.each([
      ['nothing', ''],
      ['a word', 'undefined'],
      ['markup', encodeURIComponent('"><script>alert(1)</script>')],
      ['a forged signature', `${'a'.repeat(36)}.${'b'.repeat(120)}.${'c'.repeat(43)}`],
      ['several segments', 'a/b/c'],
      ['20,000 characters', 'a'.repeat(20_000)],
    ])('[W4] is neutral about a link with %s as key', async (_name, key) => {
      const { status, html } = await getPage(app, paths.key(key));
      expect(status).toBe(400);
      expect(html).toContain('<h1>This link does not work</h1>');
      expect(html).not.toContain('<script>alert');
      expect(html).not.toContain('resend');
      const resent = await postForm(app, paths.key(key), { action: 'resend' });
      expect(resent.status).toBe(400);
      expect(resent.html).toContain('<h1>This link does not work</h1>');
    });

    it('tells a forged key nothing, with a good password and with a bad one', async () => {
      const forged = `${(await bindKey(app, someuser.email)).slice(0, -43)}${'c'.repeat(43)}`;
      const answers = await Promise.all(
        [goodPassword, 'short', ''].map((newPassword) => postForm(app, paths.key(forged), { newPassword })),
      );
      expect(answers.map(({ status }) => status)).toEqual([400, 400, 400]);
      expect(new Set(answers.map(({ html }) => html)).size).toBe(1);
    });
  });

  it('[W1] sends the headers that keep a page private', async () => {
    const key = await bindKey(app, someuser.email);
    for (const path of [paths.ask, paths.sent, paths.key(key), paths.key('x'), paths.set]) {
      const { headers } = await getPage(app, path);
      expect(headers.get('cache-control')).toBe('no-store');
      expect(headers.get('referrer-policy')).toBe('no-referrer');
      expect(headers.get('x-content-type-options')).toBe('nosniff');
      expect(headers.get('x-frame-options')).toBe('DENY');
      expect(headers.get('set-cookie')).toBeNull();
      expect(headers.get('content-security-policy')).toMatch(
        /^default-src 'none'; style-src 'sha256-[^']+'; script-src 'sha256-[^']+'; img-src data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'$/,
      );
    }
  });

  it.each([
    ['fr-CH, fr;q=0.9, en;q=0.8', 'fr', 'Réinitialiser votre mot de passe'],
    ['de', 'de', 'Passwort zurücksetzen'],
    ['es-419,es;q=0.9', 'es', 'Restablecer la contraseña'],
    ['zh-CN,zh;q=0.9', 'zh-Hans', '重置密码'],
    ['ja', 'ja', 'パスワードの再設定'],
    ['zh-TW', 'en', 'Reset your password'],
  ])('speaks the language of the browser: %s', async (accepted, locale, title) => {
    const { html, headers } = await getPage(app, paths.ask, { 'Accept-Language': accepted });
    expect(headers.get('content-language')).toBe(locale);
    expect(html).toContain(`<html lang="${locale}" dir="ltr">`);
    expect(html).toContain(`<h1>${title}</h1>`);
  });

  it('writes the mail in the language of the browser that asked', async () => {
    const ask = () => postForm(app, paths.ask, { email: 'other@somewhere.com' }, { 'Accept-Language': 'fr' });
    const { mail } = await nextResetMail(app, ask);
    expect(mail).toContain('Subject: [CodaLab] Réinitialisation de votre mot de passe');
  });

  it('sends password managers to the ask page', async () => {
    const { status, headers } = await getPage(app, '/.well-known/change-password');
    expect([status, headers.get('location')]).toEqual([302, paths.ask]);
  });

  it('answers a POST to a page without a form with a page', async () => {
    for (const path of [paths.sent, paths.set]) {
      expect(await postForm(app, path, {})).toMatchObject({
        status: 404,
        html: expect.stringContaining('Page not found'),
      });
    }
  });

  it('logs no key and no address', async () => {
    const key = await bindKey(app, someuser.email);
    await getPage(app, paths.key(key));
    await postForm(app, paths.key(key), { newPassword: 'short' });
    const events = app.host
      .output()
      .split('\n')
      .filter((line) => line.includes('"event"'));
    expect(events.length).toBeGreaterThan(10);
    expect(events.join('\n')).not.toContain(key);
    expect(events.join('\n')).not.toContain('@');
  });
});

describe('the pages over the limit', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ env: { LIMIT_PER_IP: '2/1m' }, queues: false, timers: false });
  });
  afterAll(() => app.stop());

  it('say how long to wait, for each call by itself', async () => {
    const ask = () => postForm(app, paths.ask, { email: 'nobody@somewhere.com' });
    expect([(await ask()).status, (await ask()).status]).toEqual([303, 303]);
    const refused = await ask();
    expect(refused.status).toBe(429);
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(50);
    expect(refused.html).toMatch(/<h1>Too many attempts<\/h1>\s*<p>Please wait 1 minute, then try again\.<\/p>/);
    expect((await getPage(app, paths.ask)).status).toBe(200);
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
    await app.storage.table('SiteSettings').insert('site', '1', row, AbortSignal.timeout(5000));
  });
  afterAll(() => app.stop());

  it('[ST1] are not available, name no site, and still take a request', async () => {
    for (const path of [paths.ask, paths.sent, paths.key('x'), paths.set]) {
      const { status, headers, html } = await getPage(app, path, { 'Accept-Language': 'de' });
      expect(status).toBe(503);
      expect(headers.get('retry-after')).toBe('10');
      expect(html).toContain('<h1>Bitte versuchen Sie es gleich noch einmal</h1>');
      expect(html).not.toContain('Evil');
    }
    expect((await postForm(app, paths.ask, { email: someuser.email })).status).toBe(303);
  });
});
