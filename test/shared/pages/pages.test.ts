// The pages as texts: small, one request, escaped, and their policy true.
import { createHash } from 'node:crypto';
import { askPage, newPasswordPage, passwordSetPage, problemPage, sentPage } from '../../../shared/pages/pages';
import { pageWords, pageWordsByLocale } from '../../../shared/pages/words';
import { pageStates, sampleKey } from '../../support/pageStates';

const hostile = [
  '<img src=x onerror=1>',
  '"><a href=http://evil.example>',
  '{{7*7}}',
  '{{{title}}}',
  '<%= 7 %>',
  '-name-',
  "O'Brien & Co",
];
const entities: Record<string, string> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  '#39': "'",
  '#x2F': '/',
  '#x3D': '=',
  '#x60': '`',
};
const decoded = (html: string): string =>
  html.replace(/&(#?\w+);/g, (all, name: string) => entities[name] ?? all).replace(/<\/?(?:bdi|span)>/g, '');
const codalab = { name: 'CodaLab', contactEmail: 'info@codalab.org', loginUrl: 'https://codalab.org/login' };
const en = { words: pageWords('en'), site: codalab };

describe.each(Object.entries(pageStates))('%s', (_name, render) => {
  it.each([...pageWordsByLocale.keys()])('in %s is small, whole, and one request', (locale) => {
    const { body = '', headers } = render(locale);
    expect(Buffer.byteLength(body)).toBeLessThan(15 * 1024);
    expect(headers['Content-Language']).toBe(locale);
    expect(body).toContain(`<html lang="${locale}" dir="ltr">`);
    expect(body.match(/<h1>[^<]+<\/h1>/g)).toHaveLength(1);
    expect(body).not.toContain('undefined');
    // Nothing is loaded: no source but the empty icon; links lead to us, the log-in page and the contact.
    expect(body).not.toMatch(/\ssrc=|@import|url\(|<link(?! rel="icon" href="data:,">)/);
    // What Mustache left over would show as braces; the length hint fills its own in.
    const shown = body.replace(/ data-\w+="[^"]*"/g, '').replace(/<(script|style)>[^]*?<\/\1>/g, '');
    expect(shown).not.toMatch(/\{\{|\}\}/);
  });
});

it('the policy names the very style and script that stand in the page', () => {
  const { body = '', headers } = askPage(en);
  const policy = String(headers['Content-Security-Policy']);
  for (const element of ['style', 'script']) {
    const inline = new RegExp(`<${element}>([^]*?)</${element}>`).exec(body)?.[1] ?? '';
    const hash = createHash('sha256').update(inline, 'utf8').digest('base64');
    expect(inline.length).toBeGreaterThan(500);
    expect(policy).toContain(`${element}-src 'sha256-${hash}'`);
  }
  expect(policy).not.toContain('unsafe');
  expect(body).not.toMatch(/ on\w+=| style=/);
});

it.each(hostile)('[H-1] shows a name as it is: %s', (name) => {
  const page = newPasswordPage(
    { ...en, site: { ...codalab, name } },
    { key: sampleKey, username: name, minLength: 15 },
  );
  const { body = '' } = page;
  expect(body).not.toMatch(/<img|<a href=http|onerror=1>|>49</);
  const visible = decoded(body);
  expect(visible).toContain(`<p dir="auto">${name}</p>`);
  expect(visible).toContain(`Username ${name}`);
});

it.each(hostile)('[W4] puts a typed address back as it is: %s', (typed) => {
  const { body = '' } = askPage(en, { typed, problem: 'malformed' });
  const value = / name="email" value="([^"]*)"/.exec(body)?.[1] ?? '';
  expect(decoded(value)).toBe(typed);
});

it('writes durations as each language does', () => {
  const text = (locale: string, minutes: number): string =>
    sentPage({ words: pageWords(locale), site: undefined }, minutes).body ?? '';
  expect(text('en', 60)).toContain('The link works for 1 hour.');
  expect(text('en', 90)).toContain('The link works for 90 minutes.');
  expect(text('de', 120)).toContain('Der Link gilt 2 Stunden.');
  expect(text('fr', 5)).toMatch(/Le lien est valable pendant 5\sminutes\./);
  expect(text('zh-Hans', 60)).toContain('链接在1小时内有效。');
  const wait = problemPage(en, 'tooManyRequests', 61);
  expect(wait.body).toContain('Please wait 2 minutes, then try again.');
  expect(wait.headers['Retry-After']).toBe('61');
});

it('links to the log-in page only by http or https, and writes to the address in the contact', () => {
  const loginUrl = 'javascript:alert(1)';
  const site = { ...codalab, loginUrl, contactEmail: 'Help "Desk" <a&b?c=d#e@codalab.org>' };
  const { body = '' } = passwordSetPage({ ...en, site });
  expect(body).not.toContain('javascript:');
  expect(body).toContain('href="mailto:a%26b%3Fc%3Dd%23e@codalab.org"');
});

it('has what a password manager looks for', () => {
  const { body = '' } = newPasswordPage(en, { key: sampleKey, username: 'someuser', minLength: 15 });
  expect(body).toMatch(
    /<input class="away" name="username" value="someuser" type="text" autocomplete="username" readonly/,
  );
  expect(body).toMatch(
    /type="password" dir="ltr" autocomplete="new-password" passwordrules="minlength: 15; maxlength: 128;/,
  );
  expect(body).not.toMatch(/onpaste|maxlength=/);
});

it('is rendered in under 5 ms of CPU', () => {
  const render = (): unknown => Object.values(pageStates).map((state) => state('ja'));
  render();
  const before = process.cpuUsage();
  for (let times = 0; times < 10; times++) render();
  const { user, system } = process.cpuUsage(before);
  expect((user + system) / 1000 / 10 / Object.keys(pageStates).length).toBeLessThan(5);
});
