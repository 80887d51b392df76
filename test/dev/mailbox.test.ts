// The mailbox of the dev host: what it reads, and that a mail can do nothing to the page that shows it.
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Answer } from '../../dev/host/httpServer';
import { mailboxRoutes, useMailboxDirectory } from '../../dev/mailbox/mailboxRoutes';
import { mailedLinks } from '../../dev/mailbox/readMails';
import { createEmailBackend } from '../../shared/mail/backends/createEmailBackend';
import { sampleMail } from '../shared/mail/sampleMail';

const origin = 'http://127.0.0.1:7071';
let root: string;
let directory: string;
beforeEach(() => {
  root = mkdtempSync(path.join(tmpdir(), 'mailbox-test-'));
  directory = path.join(root, 'mails');
  mkdirSync(directory);
});
afterEach(() => rmSync(root, { recursive: true }));

/** Asks a route as the dev host does. */
async function get(template: string, params: Record<string, string> = {}, query = ''): Promise<Answer> {
  const route = mailboxRoutes(directory).find(({ path: known }) => known === template);
  if (route === undefined) throw new Error(`there is no route ${template}`);
  const request = new IncomingMessage(new Socket());
  return route.answer({ request, url: new URL(`${origin}${template}${query}`), params, body: Buffer.alloc(0) });
}

/** Sends mails through the console backend as the app does, a second apart. @returns what was printed */
async function send(...mails: ReturnType<typeof sampleMail>[]): Promise<string> {
  let printed = '';
  let seconds = 0;
  const clock = (): Date => new Date(Date.UTC(2026, 0, 2, 3, 4, seconds++));
  const settings = { backends: ['console'], filePath: directory } as const;
  const backend = createEmailBackend(settings, { write: (text) => (printed += text), clock });
  for (const mail of mails) await expect(backend.send(mail)).resolves.toMatchObject({ outcome: 'accepted' });
  return printed;
}

const bodyOf = (answer: Answer): string => String(answer.body);

it('is empty at first, also before there is a directory', async () => {
  rmSync(directory, { recursive: true });
  expect(bodyOf(await get('/'))).toContain('No mail yet.');
  expect(bodyOf(await get('/dev/mailbox-newest'))).toBe('');
});

it('shows what the console backend printed, newest first, as text, HTML and source', async () => {
  const mails = [sampleMail({ id: 'first', to: 'one@x.org' }), sampleMail({ id: 'second', to: 'two@x.org' })];
  const printed = await send(...mails);
  expect(printed.match(/^To: /gm)).toHaveLength(2);
  const html = bodyOf(await get('/dev/mailbox'));
  expect(html.indexOf('two@x.org')).toBeLessThan(html.indexOf('one@x.org'));
  const newest = bodyOf(await get('/dev/mailbox-newest'));
  expect(newest).toMatch(/^20260102T030\d+Z-second$/);
  expect(html).toContain(`data-newest="${newest}"`);
  const source = bodyOf(await get('/dev/mailbox/{id}', { id: newest }, '?view=source'));
  expect(source).toContain('Auto-Submitted: auto-generated');
  const framed = await get('/dev/mailbox/{id}/html', { id: newest });
  expect(bodyOf(framed)).toContain('<!DOCTYPE html>');
});

const key = 'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiIxIn0.c2lnbmF0dXJl';
const here = `${origin}/accounts/password/reset/key/${key}/`;

it('leads to the app here: by the key whatever the site’s link looks like, else by the path', () => {
  const text = `https://spa.example/reset#key=${key}\n\nAsk again at http://a.b/accounts/password/reset/. http://a.b/login/`;
  const page = '/accounts/password/reset/';
  expect(mailedLinks({ text, html: '' }, origin)).toEqual([
    { label: '', url: `https://spa.example/reset#key=${key}`, here, key },
    { label: '', url: `http://a.b${page}`, here: `${origin}${page}`, key: undefined },
  ]);
});

it('has a button for each account, in the words of the mail, and the mail’s own buttons lead here', async () => {
  const links = [`https://a.b/r/${key}`, `https://a.b/r/${key}x`];
  const buttons = ['alice', 'alice-lab'].map((name, index) => {
    const href = links[index]?.replaceAll('/', '&#x2F;');
    return `<a style="x" href="${href}">Reset the password of <b>${name}</b></a>`;
  });
  const parts = [`text/plain\n\n${links.join('\n\n')}`, `text/html\n\n${buttons.join('\n')}`];
  const eml = `Subject: s\nContent-Type: multipart/alternative; boundary=cut\n${parts.map((part) => `\n--cut\nContent-Type: ${part}`).join('')}\n--cut--\n`;
  writeFileSync(path.join(directory, '1.eml'), eml);
  const page = bodyOf(await get('/dev/mailbox'));
  expect(page).toMatch(/class="open"[^>]*>Reset the password of alice<[^]*>Reset the password of alice-lab</);
  const list: unknown = JSON.parse(bodyOf(await get('/dev/mailbox.json')));
  const second = { key: `${key}x`, label: 'Reset the password of alice-lab' };
  expect(list).toMatchObject([{ links: [{ here, key }, second] }]);
  const framed = bodyOf(await get('/dev/mailbox/{id}/html', { id: bodyOf(await get('/dev/mailbox-newest')) }));
  expect(framed).toContain(`href="${here}"`);
  expect(framed).not.toContain('href="https:');
});

it('shows a hostile mail as what it is', async () => {
  const username = '<script>alert(1)</script>';
  await send({ ...sampleMail({ username }), html: '<script>alert(2)</script><img src="http://evil.example/x">' });
  const list = await get('/dev/mailbox', {}, '?view=html');
  expect(bodyOf(list)).not.toContain('<script>alert');
  expect(list.headers?.['Content-Security-Policy']).not.toMatch(/unsafe/);
  const id = bodyOf(await get('/dev/mailbox-newest'));
  const sandbox = 'allow-popups allow-popups-to-escape-sandbox';
  expect(bodyOf(list)).toContain(` sandbox="${sandbox}" src="/dev/mailbox/${id}/html">`);
  expect(bodyOf(await get('/dev/mailbox', {}, '?view=text'))).toContain('&lt;script&gt;alert(1)');
  const framed = await get('/dev/mailbox/{id}/html', { id });
  const sources = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";
  expect(framed.headers?.['Content-Security-Policy']).toBe(`sandbox ${sandbox}; ${sources}`);
});

it.each(['../outside', '..', 'nothing', ''])('has no mail of the id %j', async (id) => {
  writeFileSync(path.join(root, 'outside.eml'), 'Subject: not a kept mail\n\n');
  for (const template of ['/dev/mailbox/{id}', '/dev/mailbox/{id}/html']) {
    expect((await get(template, { id })).status).toBe(404);
  }
});

it('keeps the mails where EMAIL_FILE_PATH says, else in a directory of its own', () => {
  expect(useMailboxDirectory({ EMAIL_FILE_PATH: '/somewhere' })).toBe('/somewhere');
  const environment: Record<string, string | undefined> = { EMAIL_FILE_PATH: '' };
  const made = useMailboxDirectory(environment);
  expect(environment['EMAIL_FILE_PATH']).toBe(made);
  rmSync(made, { recursive: true });
});

it('a mail that cannot be kept is printed all the same, with a word about it', async () => {
  let printed = '';
  const settings = { backends: ['console'], filePath: '/dev/null/no' } as const;
  const backend = createEmailBackend(settings, { write: (text) => (printed += text) });
  await expect(backend.send(sampleMail())).resolves.toEqual({ outcome: 'accepted', backend: 'console' });
  expect(printed).toMatch(/To: someuser@somewhere\.com[^]*\nThis mail could not be kept: file_\w+\.\n$/);
});
