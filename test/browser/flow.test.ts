// The pages in a real browser: what a person does, from the forgotten password to the new one.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { messagesFor } from '../../shared/locales';
import { addAccount, readAccount, someuser, startApp, type App } from '../support/app';
import { describeInBrowser } from '../support/browser';
import { bindKey, nextResetMail, paths } from '../support/pages';
import { verifyPassword } from '../support/verifyPassword';

jest.setTimeout(90_000);
const goodPassword = 'correct horse battery staple';
const { checkInbox, forgotPassword, newPassword, page: shared, passwordSet, problem } = messagesFor('en');

function frontEndExample(appUrl: string): string {
  const document = readFileSync(path.join(__dirname, '../../docs/front-ends.md'), 'utf8');
  const example = /```html\n([^]*?)```/.exec(document)?.[1];
  if (example === undefined) throw new Error('docs/front-ends.md has no example');
  return `<!DOCTYPE html><title>example</title>${example.replace('https://reset.example.org', appUrl)}`;
}

describeInBrowser('the pages in a browser', (browser) => {
  let app: App;
  let origin: string;
  /** A site of that origin, which serves the example of docs/front-ends.md everywhere. */
  const frontEnd = createServer((_request, response) => {
    response.setHeader('Content-Type', 'text/html').end(frontEndExample(app.host.url));
  });
  beforeAll(async () => {
    await new Promise<void>((resolve) => frontEnd.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(frontEnd.address() as AddressInfo).port}`;
    app = await startApp({ env: { LIMIT_PER_IP: 'off', LIMIT_PER_ADDRESS: 'off', ALLOWED_ORIGINS: origin } });
    await addAccount(app, { ...someuser });
  });
  afterAll(async () => {
    frontEnd.close();
    await app.stop();
  });

  async function inPage(run: (page: Page) => Promise<void>, options: BrowserContextOptions = {}): Promise<void> {
    const context = await browser().newContext({ baseURL: app.host.url, locale: 'en-US', ...options });
    context.setDefaultTimeout(20_000);
    try {
      await run(await context.newPage());
      expect(await context.cookies()).toEqual([]);
    } finally {
      await context.close();
    }
  }
  /** Goes there and waits for the field with autofocus: the browser may set the focus only after the load event. */
  const openToType = async (page: Page, url: string): Promise<void> => {
    await page.goto(url);
    await page.locator('input:focus').waitFor();
  };
  const expectPage = (page: Page, { title }: { title: string }) => page.getByRole('heading', { name: title }).waitFor();
  const passwordField = (page: Page) => page.getByLabel(newPassword.label, { exact: true });
  const save = (page: Page) => page.getByRole('button', { name: newPassword.button });
  const hasPassword = async (password: string): Promise<boolean> =>
    verifyPassword(password, String((await readAccount(app, someuser.email))?.['password']));

  it('lead from the forgotten password through the dev mailbox to the new one', () =>
    inPage(async (page) => {
      await openToType(page, '/.well-known/change-password');
      await page.keyboard.type('typo@somewhere.com');
      await page.keyboard.press('Enter');
      await page.getByText('typo@somewhere.com').waitFor();
      await page.getByRole('link', { name: checkInbox.change }).click();
      await page.getByLabel(forgotPassword.email).fill(someuser.email);
      await page.getByRole('button', { name: forgotPassword.button }).click();
      await expectPage(page, checkInbox);

      await page.goto('/dev/mailbox');
      await page.getByRole('link', { name: /Password Reset E-mail/ }).waitFor();
      const opened = page.context().waitForEvent('page');
      await page.getByRole('link', { name: 'Open the link here' }).click();
      const link = await opened;
      await passwordField(link).fill(goodPassword);
      await save(link).click();
      await link.waitForURL(`**${paths.passwordSet}`);
      await expectPage(link, passwordSet);
      expect(await link.getByRole('link', { name: shared.logIn }).getAttribute('href')).toBe(
        'http://codalab.org/accounts/login/',
      );
      await expect(hasPassword(goodPassword)).resolves.toBe(true);
    }));

  it('work without JavaScript, on another device than the one that asked', async () => {
    const options = { javaScriptEnabled: false };
    const { key } = await nextResetMail(app, () =>
      inPage(async (page) => {
        await page.goto(paths.forgotPassword);
        const field = page.getByLabel(forgotPassword.email);
        await field.fill('someuser');
        await page.getByRole('button').click();
        expect(await page.locator('#error').innerText()).toBe(forgotPassword.malformed);
        expect(await field.inputValue()).toBe('someuser');
        await page.locator('#email:focus').waitFor();
        await field.fill(someuser.email);
        await page.getByRole('button').click();
        await expectPage(page, checkInbox);
      }, options),
    );
    await inPage(async (page) => {
      await page.goto(paths.key(key));
      const type = async (first: string, second: string): Promise<void> => {
        await passwordField(page).fill(first);
        await page.getByLabel(newPassword.labelAgain).fill(second);
        await page.getByRole('button').click();
      };
      await type(`${goodPassword} no script`, 'something else');
      expect(await page.locator('#error').innerText()).toBe(newPassword.problems.mismatch);
      expect(await passwordField(page).inputValue()).toBe('');
      await type(`${goodPassword} no script`, `${goodPassword} no script`);
      await expectPage(page, passwordSet);
    }, options);
    await expect(hasPassword(`${goodPassword} no script`)).resolves.toBe(true);
  });

  it('can be used with the keyboard alone', () =>
    inPage(async (page) => {
      await openToType(page, paths.key(await bindKey(app, someuser.email)));
      await page.keyboard.type(`${goodPassword} by keys`);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Space');
      await page.locator('#newPassword[type=text]:focus').waitFor();
      await page.keyboard.press('Tab');
      expect(await page.getByRole('button', { name: newPassword.hideLabel }).innerText()).toBe(newPassword.hide);
      await page.keyboard.press('Tab');
      await page.keyboard.press('Enter');
      await page.waitForURL(`**${paths.passwordSet}`);
      await page.keyboard.press('Tab');
      expect(await page.locator('a:focus').innerText()).toBe(shared.logIn);
      await expect(hasPassword(`${goodPassword} by keys`)).resolves.toBe(true);
    }));

  it('count while one types, take a good password after a weak one, and send one form for two presses', () =>
    inPage(async (page) => {
      await page.goto(paths.key(await bindKey(app, someuser.email)));
      const hint = page.locator('#hint');
      await passwordField(page).pressSequentially('someuser', { delay: 5 });
      await hint.filter({ hasText: '7 more characters' }).waitFor();
      await passwordField(page).pressSequentially('123456');
      await hint.filter({ hasText: /^1 more character$/ }).waitFor();
      await page.locator('#spoken', { hasText: '1 more character' }).waitFor({ state: 'attached' });
      await save(page).click();
      await page.locator('#error').waitFor();
      expect(await page.title()).toBe(`Error: ${newPassword.title} · CodaLab`);
      await page.locator('#newPassword:focus').waitFor();
      expect(await passwordField(page).inputValue()).toBe('');
      const emoji = '👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽👍🏽 ok';
      await passwordField(page).fill(emoji);
      await hint.filter({ hasText: newPassword.longEnough }).waitFor();
      await save(page).dblclick();
      await page.waitForURL(`**${paths.passwordSet}`);
      await expect(hasPassword(emoji)).resolves.toBe(true);
    }));

  it('take the key out of the address bar, load nothing from elsewhere, and survive reload and back', () =>
    inPage(async (page) => {
      const requested: string[] = [];
      page.on('request', (request) => requested.push(request.url()));
      const key = await bindKey(app, someuser.email);
      await page.goto(paths.key(key));
      expect(requested).toEqual([`${app.host.url}${paths.key(key)}`]);
      expect(page.url()).toBe(`${app.host.url}${paths.newPassword}`);
      await page.reload();
      await passwordField(page).fill('short');
      await save(page).click();
      await page.locator('#error').waitFor();
      expect(page.url()).not.toContain(key);
      await page.goBack();
      await passwordField(page).fill(`${goodPassword} again`);
      await save(page).click();
      await page.waitForURL(`**${paths.passwordSet}`);
      expect(requested.every((url) => url.startsWith(`${app.host.url}${paths.forgotPassword}`))).toBe(true);
    }));

  it('change nothing when a scanner with scripts opens the link ten times first', async () => {
    const key = await bindKey(app, someuser.email);
    const before = await readAccount(app, someuser.email);
    await inPage(async (page) => {
      for (let times = 0; times < 10; times++) await page.goto(paths.key(key), { waitUntil: 'load' });
    });
    expect(await readAccount(app, someuser.email)).toEqual(before);
    const redeemed = await app.post('password-reset/redeem', { key, newPassword: `${goodPassword} s2` });
    expect(redeemed.status).toBe(200);
  });

  it('refuse the form of another site, and nothing comes of it', () =>
    inPage(async (page) => {
      const requests = () => app.host.output().split('"event":"requestReset"').length;
      const before = requests();
      const form = `<form method="post" action="${app.host.url}${paths.forgotPassword}"><input name="email" value="${someuser.email}"><button>go</button></form>`;
      await page.route('http://evil.example/', (route) => route.fulfill({ contentType: 'text/html', body: form }));
      await page.goto('http://evil.example/');
      await page.getByRole('button').click();
      await page.getByRole('link', { name: shared.startAgain }).waitFor();
      await expectPage(page, problem.cross_site);
      expect(requests()).toBe(before);
    }));

  it('are not needed: the example of docs/front-ends.md works on a page of another origin', async () => {
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
