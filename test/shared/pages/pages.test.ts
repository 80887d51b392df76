// The pages as texts: small, one request, escaped, and their policy true.
import { createHash } from 'node:crypto';
import { builtInLanguages, messagesFor } from '../../../shared/locales';
import {
  checkInboxPage,
  forgotPasswordPage,
  newPasswordPage,
  passwordSetPage,
  problemPage,
} from '../../../shared/pages/pages';
import { codalab, pageStates, render, sampleKey } from '../../support/pageStates';

const entities: Record<string, string> = {
  ...{ amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", '#x2F': '/', '#x3D': '=', '#x60': '`' },
};
const decoded = (html: string): string =>
  html.replace(/&(#?\w+);/g, (all, name: string) => entities[name] ?? all).replace(/<\/?(?:bdi|span|wbr)>/g, '');
const en = messagesFor('en');

describe.each(Object.entries(pageStates))('%s', (_name, page) => {
  it.each([...builtInLanguages.keys()])('in %s is small, whole, and one request', (locale) => {
    const { body = '', headers } = render(page, locale);
    expect(Buffer.byteLength(body)).toBeLessThan(15 * 1024);
    expect(headers['Content-Language']).toBe(locale);
    expect(body).toContain(`<html lang="${locale}" dir="ltr">`);
    expect(body.match(/<h1>[^<]+<\/h1>/g)).toHaveLength(1);
    expect(body).not.toContain('undefined');
    // No source but the logo and the empty icon.
    expect(body).not.toMatch(
      /\ssrc=(?!"data:image&#x2F;png;base64,)|@import|url\(|<link(?! rel="icon" href="data:,">)/,
    );
    // The length hint fills in its own braces.
    const shown = body.replace(/ data-\w+="[^"]*"/g, '').replace(/<(script|style)>[^]*?<\/\1>/g, '');
    expect(shown).not.toMatch(/\{\{|\}\}/);
  });
});

it.each(['forgot password', 'expired link, with a look'])(
  '%s has a policy that names its style and its script',
  (name) => {
    const { body = '', headers } = render(pageStates[name] ?? forgotPasswordPage());
    const policy = String(headers['Content-Security-Policy']);
    for (const element of ['style', 'script']) {
      const inline = new RegExp(`<${element}>([^]*?)</${element}>`).exec(body)?.[1] ?? '';
      const hash = createHash('sha256').update(inline, 'utf8').digest('base64');
      expect(inline.length).toBeGreaterThan(500);
      expect(policy).toContain(`${element}-src 'sha256-${hash}'`);
    }
    expect(policy).not.toContain('unsafe');
    expect(body).not.toMatch(/ on\w+=| style=/);
  },
);

it.each(['<img src=x onerror=1>', '"><a href=http://evil.example>', '{{7*7}}{{{title}}}', "O'Brien & Co"])(
  'shows names and typed addresses as they are: %s',
  (text) => {
    const page = newPasswordPage({ key: sampleKey, username: text, minLength: 15 });
    const { body = '' } = page({ messages: en, site: { ...codalab, name: text } });
    expect(body).not.toMatch(/<img|<a href=http|onerror=1>|>49</);
    expect(decoded(body)).toContain(`<p dir="auto">${text}</p>`);
    expect(decoded(body)).toContain(`Username ${text}`);
    const asked = render(forgotPasswordPage({ typed: text, problem: 'malformed' })).body ?? '';
    expect(decoded(render(checkInboxPage(60, text)).body ?? '')).toContain(text);
    expect(decoded(/ name="email" value="([^"]*)"/.exec(asked)?.[1] ?? '')).toBe(text);
  },
);

it('writes durations as each language does', () => {
  const text = (locale: string, minutes: number): string => render(checkInboxPage(minutes), locale).body ?? '';
  expect(text('en', 60)).toContain(' 1 hour.');
  expect(text('en', 90)).toContain(' 90 minutes.');
  expect(text('de', 120)).toContain(' 2 Stunden');
  expect(text('fr', 5)).toMatch(/ 5\sminutes\./);
  expect(text('zh-Hans', 60)).toContain('1小时');
  const wait = render(problemPage('too_many_requests', 61));
  expect(wait.body).toContain(' 2 minutes');
  expect(wait.headers['Retry-After']).toBe('61');
});

it('links to the log-in page only by http or https, and writes to the address in the contact', () => {
  const contactEmail = 'Help "Desk" <a&b?c=d#e@codalab.org>';
  const { body = '' } = passwordSetPage({
    messages: en,
    site: { ...codalab, loginUrl: 'javascript:alert(1)', contactEmail },
  });
  expect(body).not.toContain('javascript:');
  expect(body).toContain('href="mailto:a%26b%3Fc%3Dd%23e@codalab.org"');
});

it('has what a password manager looks for', () => {
  const { body = '' } = render(newPasswordPage({ key: sampleKey, username: 'someuser', minLength: 15 }));
  expect(body).toMatch(/name="username" value="someuser" type="text" autocomplete="username" readonly/);
  expect(body).toMatch(
    /type="password" [^>]*autocomplete="new-password" passwordrules="minlength: 15; maxlength: 128;/,
  );
  expect(body).not.toMatch(/onpaste|maxlength=/);
});
