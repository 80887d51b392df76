// The pages in a real browser: what a person does, from the forgotten password to the new one.
import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import path from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { verifyPassword } from '../../shared/password/passwordHash';
import { addAccount, readAccount, someuser, startApp, type App } from '../support/app';
import { describeInBrowser } from '../support/browser';
import { bindKey, nextResetMail, paths } from '../support/pages';

const goodPassword = 'correct horse battery staple';

const portOf = (server: Server): number => {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return address.port;
};

function frontEndExample(appUrl: string): string {
  const document = readFileSync(path.join(__dirname, '../../docs/front-ends.md'), 'utf8');
  const example = /```html\n([^]*?)```/.exec(document)?.[1];
  if (example === undefined) throw new Error('docs/front-ends.md has no example');
  return `<!DOCTYPE html><title>example</title>${example.replace('https://reset.example.org', appUrl)}`;
}

describeInBrowser('the pages in a browser', (browser) => {
  let app: App;
  /** A site of another origin, which serves the example of docs/front-ends.md everywhere. */
  const frontEnd = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(frontEndExample(app.host.url));
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => frontEnd.listen(0, '127.0.0.1', resolve));
    app = await startApp({
      env: { LIMIT_PER_IP: 'off', LIMIT_PER_ADDRESS: 'off', ALLOWED_ORIGINS: `http://127.0.0.1:${portOf(frontEnd)}` },
    });
    await addAccount(app, { ...someuser });
  });
  afterAll(async () => {
    frontEnd.close();
    await app.stop();
  });

  async function inPage(run: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
    const context = await browser().newContext({ baseURL: app.host.url, locale: 'en-US', ...options });
    context.setDefaultTimeout(8000);
    try {
      await run(await context.newPage());
      expect(await context.cookies()).toEqual([]);
    } finally {
      await context.close();
    }
  }
  const heading = (page: Page) => page.locator('h1').innerText();
  const hasPassword = async (password: string): Promise<boolean> =>
    verifyPassword(password, String((await readAccount(app, someuser.email))?.['password']));
  const isScrolledSideways = (page: Page) => page.evaluate('document.documentElement.scrollWidth > innerWidth');
  const nextMailedKey = async (ask: () => Promise<void>): Promise<string> => (await nextResetMail(app, ask)).key;

  it('lead from the forgotten password through the dev mailbox to the new one', () =>
    inPage(async (page) => {
      const mailbox = await page.context().newPage();
      await mailbox.goto('/dev/mailbox');
      expect(await mailbox.locator('main').innerText()).toContain('No mail yet.');

      await page.goto('/.well-known/change-password');
      await page.getByLabel('E-mail address').fill(someuser.email);
      await page.getByRole('button', { name: 'Send the link' }).click();
      await page.waitForURL(`**${paths.sent}`);
      expect(await heading(page)).toBe('Check your e-mail');
      expect(await page.locator('main').innerText()).toContain('The link works for 1 hour.');

      // The mailbox shows the mail by itself.
      await mailbox.getByRole('link', { name: /Password Reset E-mail/ }).waitFor();
      expect(await mailbox.locator('pre').innerText()).toContain('In case you forgot, your username is someuser.');
      await mailbox.getByRole('link', { name: 'Source' }).click();
      expect(await mailbox.locator('pre').innerText()).toContain('Auto-Submitted: auto-generated');
      await mailbox.getByRole('link', { name: 'HTML', exact: true }).click();
      const inFrame = mailbox.frameLocator('iframe').getByRole('link', { name: 'Reset your password' });
      expect(await inFrame.getAttribute('href')).toMatch(/^http:\/\/codalab\.org\/accounts\/password\/reset\/key\//);

      const opened = mailbox.context().waitForEvent('page');
      await mailbox.getByRole('link', { name: 'Open the link here' }).click();
      const link = await opened;
      await link.getByLabel('New password').fill(goodPassword);
      await link.getByRole('button', { name: 'Set the new password' }).click();
      await link.waitForURL(`**${paths.set}`);
      expect(await heading(link)).toBe('Your password is changed');
      expect(await link.getByRole('link', { name: 'Log in' }).getAttribute('href')).toBe(
        'http://codalab.org/accounts/login/',
      );
      await expect(hasPassword(goodPassword)).resolves.toBe(true);
    }));

  it('work without JavaScript, on another device than the one that asked', async () => {
    const options = { javaScriptEnabled: false };
    const key = await nextMailedKey(() =>
      inPage(async (page) => {
        await page.goto(paths.ask);
        await page.getByLabel('E-mail address').fill('someuser');
        await page.getByRole('button').click();
        expect(await page.locator('#error').innerText()).toContain('This is not an e-mail address.');
        expect(await page.getByLabel('E-mail address').inputValue()).toBe('someuser');
        expect(await page.locator('#email:focus').count()).toBe(1);
        await page.getByLabel('E-mail address').fill(someuser.email);
        await page.getByRole('button').click();
        expect(await heading(page)).toBe('Check your e-mail');
      }, options),
    );
    await inPage(async (page) => {
      await page.goto(paths.key(key));
      await page.getByLabel('New password', { exact: true }).fill(`${goodPassword} no script`);
      await page.getByLabel('New password once more').fill('something else');
      await page.getByRole('button').click();
      expect(await page.locator('#error').innerText()).toBe('The two passwords are not the same.');
      expect(await page.getByLabel('New password', { exact: true }).inputValue()).toBe('');
      await page.getByLabel('New password', { exact: true }).fill(`${goodPassword} no script`);
      await page.getByLabel('New password once more').fill(`${goodPassword} no script`);
      await page.getByRole('button').click();
      expect(await heading(page)).toBe('Your password is changed');
    }, options);
    await expect(hasPassword(`${goodPassword} no script`)).resolves.toBe(true);
  });

  it('can be used with the keyboard alone', async () => {
    const key = await nextMailedKey(() =>
      inPage(async (page) => {
        await page.goto(paths.ask);
        await page.keyboard.press('Tab');
        await page.keyboard.type(someuser.email);
        await page.keyboard.press('Enter');
        await page.waitForURL(`**${paths.sent}`);
      }),
    );
    await inPage(async (page) => {
      await page.goto(paths.key(key));
      await page.keyboard.press('Tab');
      await page.keyboard.type(`${goodPassword} by keys`);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      expect(await page.locator('#newPassword').getAttribute('type')).toBe('text');
      expect(await page.locator('#newPassword:focus').count()).toBe(1);
      await page.keyboard.press('Tab');
      expect(await page.getByRole('button', { name: 'Hide password' }).innerText()).toBe('Hide');
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(`**${paths.set}`);
      await page.keyboard.press('Tab');
      expect(await page.locator('a:focus').innerText()).toBe('Log in');
    });
    await expect(hasPassword(`${goodPassword} by keys`)).resolves.toBe(true);
  });

  it('count while one types, and take a good password after a weak one', () =>
    inPage(async (page) => {
      const key = await bindKey(app, someuser.email);
      await page.goto(paths.key(key));
      const field = page.getByLabel('New password');
      await field.pressSequentially('someuser', { delay: 5 });
      expect(await page.locator('#hint').innerText()).toBe('7 more characters');
      await field.pressSequentially('123456');
      expect(await page.locator('#hint').innerText()).toBe('1 more character');
      await page.locator('#spoken', { hasText: '1 more character' }).waitFor({ state: 'attached' });
      await page.getByRole('button', { name: 'Set the new password' }).click();
      await page.locator('#error', { hasText: 'too short' }).waitFor();
      expect(await page.title()).toBe('Error: Choose a new password · CodaLab');
      expect(await page.locator('#newPassword:focus').count()).toBe(1);
      expect(await field.inputValue()).toBe('');
      await field.fill('👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽 ok');
      expect(await page.locator('#hint').innerText()).toBe('Long enough');
      await page.getByRole('button', { name: 'Set the new password' }).click();
      await page.waitForURL(`**${paths.set}`);
      await expect(hasPassword('👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽 ok')).resolves.toBe(true);
    }));

  it('[W2] take the key out of the address bar, load nothing from elsewhere, and survive reload and back', () =>
    inPage(async (page) => {
      const requested: string[] = [];
      page.on('request', (request) => requested.push(request.url()));
      const key = await bindKey(app, someuser.email);
      await page.goto(paths.key(key));
      expect(requested).toEqual([`${app.host.url}${paths.key(key)}`]);
      expect(page.url()).toBe(`${app.host.url}${paths.key('').slice(0, -1)}`);
      await page.reload();
      await page.getByLabel('New password').fill('short');
      await page.getByRole('button', { name: 'Set the new password' }).click();
      await page.locator('#error').waitFor();
      expect(page.url()).not.toContain(key);
      await page.goBack();
      await page.getByLabel('New password').waitFor();
      await page.getByLabel('New password').fill(`${goodPassword} w2`);
      await page.getByRole('button', { name: 'Set the new password' }).click();
      await page.waitForURL(`**${paths.set}`);
      expect(requested.every((url) => url.startsWith(`${app.host.url}/accounts/password/reset/`))).toBe(true);
    }));

  it('help with an expired link in one click', () =>
    inPage(async (page) => {
      const key = await bindKey(app, someuser.email, 61);
      await page.goto(paths.key(key));
      expect(await heading(page)).toBe('This link has expired');
      const fresh = await nextMailedKey(async () => {
        await page.getByRole('button', { name: 'Send a new link' }).click();
        await page.waitForURL(`**${paths.sent}`);
      });
      await page.goto(paths.key(fresh));
      expect(await heading(page)).toBe('Choose a new password');
    }));

  it('are neutral about a forged link, and lead to the ask page', () =>
    inPage(async (page) => {
      await page.goto(paths.key(`${(await bindKey(app, someuser.email)).slice(0, -43)}${'x'.repeat(43)}`));
      expect(await heading(page)).toBe('This link does not work');
      await page.getByRole('link', { name: 'Ask for a new link' }).click();
      await page.waitForURL(`**${paths.ask}`);
    }));

  it('tell the second of two tabs that the link was used', () =>
    inPage(async (page) => {
      const key = await bindKey(app, someuser.email);
      const other = await page.context().newPage();
      for (const tab of [page, other]) await tab.goto(paths.key(key));
      await page.getByLabel('New password').fill(`${goodPassword} first tab`);
      await page.getByRole('button', { name: 'Set the new password' }).click();
      await page.waitForURL(`**${paths.set}`);
      await other.getByLabel('New password').fill(`${goodPassword} second tab`);
      await other.getByRole('button', { name: 'Set the new password' }).click();
      await other.getByRole('button', { name: 'Send a new link' }).waitFor();
      expect(await heading(other)).toBe('This link no longer works');
      await expect(hasPassword(`${goodPassword} first tab`)).resolves.toBe(true);
    }));

  it('send one form for two presses of the button', () =>
    inPage(async (page) => {
      const key = await bindKey(app, someuser.email);
      await page.goto(paths.key(key));
      await page.getByLabel('New password').fill(`${goodPassword} twice`);
      await page.getByRole('button', { name: 'Set the new password' }).dblclick();
      await page.waitForURL(`**${paths.set}`);
    }));

  it('speak French from the page to the mail and back, at the width of a phone', async () => {
    const options = { locale: 'fr-FR', viewport: { width: 320, height: 640 } };
    const { mail, key } = await nextResetMail(app, () =>
      inPage(async (page) => {
        await page.goto(paths.ask);
        expect(await heading(page)).toBe('Réinitialiser votre mot de passe');
        expect(await isScrolledSideways(page)).toBe(false);
        await page.getByLabel('Adresse e-mail').fill(someuser.email);
        await page.getByRole('button', { name: 'Envoyer le lien' }).click();
        await page.waitForURL(`**${paths.sent}`);
        expect(await page.locator('main').innerText()).toMatch(/Le lien est valable pendant 1\sheure\./);
      }, options),
    );
    expect(mail).toContain('Réinitialisation de votre mot de passe');
    await inPage(async (page) => {
      await page.goto(paths.key(key));
      await page.getByLabel('Nouveau mot de passe').fill('quatorze signes');
      expect(await page.locator('#hint').innerText()).toBe('Longueur suffisante');
      await page.getByLabel('Nouveau mot de passe').fill(`${goodPassword} fr`);
      expect(await isScrolledSideways(page)).toBe(false);
      await page.getByRole('button', { name: 'Enregistrer le nouveau mot de passe' }).click();
      await page.waitForURL(`**${paths.set}`);
      expect(await heading(page)).toBe('Votre mot de passe est modifié');
    }, options);
  });

  it('[S2] change nothing when a scanner with scripts opens the link ten times first', async () => {
    const key = await bindKey(app, someuser.email);
    const before = await readAccount(app, someuser.email);
    await inPage(async (page) => {
      for (let times = 0; times < 10; times++) await page.goto(paths.key(key), { waitUntil: 'load' });
    });
    expect(await readAccount(app, someuser.email)).toEqual(before);
    const headers = { 'X-Forwarded-For': '203.0.113.9', 'User-Agent': 'another device' };
    const redeemed = await app.post('password-reset/redeem', { key, newPassword: `${goodPassword} s2` }, headers);
    expect(redeemed.status).toBe(200);
  });

  it('[W3] refuse the form of another site, and nothing comes of it', () =>
    inPage(async (page) => {
      const requests = () => app.host.output().split('"event":"requestReset"').length;
      const before = requests();
      await page.route('http://evil.example/', (route) =>
        route.fulfill({
          contentType: 'text/html',
          body: `<form method="post" action="${app.host.url}${paths.ask}"><input name="email" value="${someuser.email}"><button>go</button></form>`,
        }),
      );
      await page.goto('http://evil.example/');
      await page.getByRole('button').click();
      await page.getByRole('link', { name: 'Start again' }).waitFor();
      expect(await heading(page)).toBe('This form came from another web site');
      expect(requests()).toBe(before);
    }));

  it('are not needed: the example of docs/front-ends.md works on a page of another origin', async () => {
    const origin = `http://127.0.0.1:${portOf(frontEnd)}`;
    const key = await bindKey(app, someuser.email);
    await inPage(async (page) => {
      await page.goto(`${origin}/reset#key=${key}`);
      await page.waitForFunction(`document.querySelector('#username').value === 'someuser'`);
      expect(page.url()).toBe(`${origin}/reset`);
      await page.getByLabel('New password').fill('short');
      await page.getByRole('button').click();
      await page.getByRole('alert').filter({ hasText: 'The password must have at least 15 characters.' }).waitFor();
      await page.getByLabel('New password').fill(`${goodPassword} spa`);
      await page.getByRole('button').click();
      await page.waitForURL('**/login');
    });
    await expect(hasPassword(`${goodPassword} spa`)).resolves.toBe(true);
  });
});
