// A site's own look and sentences on the running app: a hostile one changes nothing but an event. That an edit is live within a minute
// is tested with a clock, in test/shared/site.test.ts and siteTexts.test.ts.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { run } from '../../cli/site/run';
import { readLogo } from '../../shared/look';
import { paths } from '../../shared/pages/pages';
import { runCli } from '../cli/runCli';
import { addAccount, eventually, someuser, startApp, type App } from '../support/app';
import { sampleLogo } from '../support/pageStates';

let app: App;
afterEach(() => app.stop());

const folder = mkdtempSync(path.join(tmpdir(), 'texts-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** For Spanish, as somebody may write them in the portal. */
const hostile: Readonly<Record<string, string | number>> = {
  'passwordReset.intro': '<a href="https://evil.example">{{domain}}</a>',
  'passwordReset.usernameReminder': 'Tu nombre.',
  'passwordReset.thanks': 'https://evil.example/',
  'passwordReset.subject': '[{{siteName}}]\r\nBcc: x@evil.example',
  'mail.sentBy': '{{siteName}} {{domain}} {{link}}',
  'forgotPassword.intro': '{{#siteName}}{{{siteName}}',
  'forgotPassword.title': 'x'.repeat(30_000),
  'forgotPassword.button': 7,
  'no.such.message': 'x',
};

it('shows an operator’s colour, logo and sentences, and nothing of a hostile text', async () => {
  const env = { LIMIT_PER_ADDRESS: 'off', LIMIT_PER_IP: 'off', EMAIL_FILE_PATH: folder };
  app = await startApp({ env });
  await addAccount(app, { ...someuser, locale: 'es' });
  await addAccount(app, { email: 'anna@somewhere.com', username: 'anna', locale: 'en' });
  const page = async (locale: string) => {
    const answer = await fetch(`${app.host.url}${paths.forgotPassword}`, { headers: { 'Accept-Language': locale } });
    return { policy: answer.headers.get('content-security-policy') ?? '', html: await answer.text() };
  };
  const spanishMail = () => mailTo(app, someuser.email);
  const [before, mailBefore] = [await page('es'), await spanishMail()];

  const site = async (...argv: string[]): Promise<void> => {
    const world = { cwd: path.join(__dirname, '../..'), env: { AzureWebJobsStorage: app.connectionString } };
    expect(await runCli(run, argv, world)).toMatchObject({ code: 0, error: '' });
  };
  await site('set', 'brandColor', '#1a7f37');
  await site('set', 'logo', sampleLogo);
  await site('set', 'logoInMail', 'true');
  await site('texts', 'set', 'en', 'forgotPassword.button', 'Send it & see');
  await site('texts', 'set', 'en', 'passwordReset.thanks', 'See you soon!');
  // Sixteen columns of 60 KB each are all that Azure takes.
  const megabyte = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`c${index}`, 'x'.repeat(30_000)]));
  for (const [name, text] of Object.entries(hostile)) {
    await app.storage.table('SiteTexts').insert('es', name, { ...(name === 'no.such.message' && megabyte), text });
  }
  await app.stop();
  app = await startApp({ connectionString: app.connectionString, env });
  const english = await page('en');

  expect(english.html).toContain('Send it &amp; see');
  expect(english.html.replaceAll('&#x2F;', '/')).toContain(`<img src="${sampleLogo}"`);
  expect(english.html).toContain('--main:#1a7f37');
  expect(english.policy.replace(/'sha256-[^']+'/g, 'HASH')).toBe(before.policy.replace(/'sha256-[^']+'/g, 'HASH'));
  expect(await mailTo(app, 'anna@somewhere.com')).toMatch(/\n\nSee you soon!$/);
  const image = readLogo(sampleLogo)?.base64.slice(0, 60) ?? '';
  await eventually(() => {
    const copies = readdirSync(folder).map((name) => readFileSync(path.join(folder, name), 'utf8'));
    return copies.find((mail) => mail.includes('To: anna@') && mail.includes(image));
  });

  const withoutLook = (html: string): string => html.replace(/<style>.*<\/style>|<header>.*<\/header>/g, '');
  expect(withoutLook((await page('es')).html)).toBe(withoutLook(before.html));
  const withoutLink = (mail: string): string => mail.replace(/^(?:Date|Message-ID): .*$|https?:\/\/\S+/gim, '');
  expect(withoutLink(await spanishMail())).toBe(withoutLink(mailBefore));
  const events = app.host.output().match(/.*"event":"siteTextsRefused".*/g) ?? [];
  expect(events).toHaveLength(1);
  for (const name of Object.keys(hostile)) expect(events[0]).toContain(`es ${name} `);
  expect(events[0]).not.toContain('evil');
}, 60_000);

async function mailTo(app: App, email: string): Promise<string> {
  const count = app.mails().length;
  await app.post('password-reset/request', { email });
  const mails = await app.mailsWithin(count + 1);
  return mails[count] ?? '';
}
