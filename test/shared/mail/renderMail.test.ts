// The mails: the reset mail byte for byte, the others, and what user text cannot do to them.
import {
  buildMail,
  mailSiteOf,
  type MailSite,
  renderPasswordChanged,
  renderPasswordReset,
  type RenderedMail,
  renderSupportLinkIssued,
} from '../../../shared/mail/renderMail';
import { renderOperatorAlert, renderTestMail } from '../../../shared/mail/renderOperatorMail';
import { htmlLinks, htmlText } from './emailBackend.contract';
import { sampleLogo } from '../../support/pageStates';
import { codalab } from './sampleMail';

const link = 'http://codalab.org/accounts/password/reset/key/abc.def.ghi/';
const site: MailSite = { ...codalab, contactEmail: 'help@codalab.org' };
const one = (changes: { username?: string; name?: string } = {}): RenderedMail =>
  renderPasswordReset({
    site: { ...codalab, name: changes.name ?? codalab.name },
    accounts: [{ username: changes.username ?? 'someuser', link }],
  });
const expiresAt = new Date('2026-01-02T15:04:05Z');

const everyMail: [string, RenderedMail][] = [
  ['passwordReset', one()],
  [
    'passwordReset for two',
    renderPasswordReset({ site, accounts: ['a', 'b'].map((username) => ({ username, link })) }),
  ],
  ['passwordChanged', renderPasswordChanged({ site, username: 'someuser' })],
  ['supportLinkIssued', renderSupportLinkIssued({ site, usernames: ['someuser'] })],
  [
    'operatorAlert',
    renderOperatorAlert({ site, poisoned: 1, failed: 2, misconfigured: 3, unreadableAccounts: 0, ids: ['x'] }),
  ],
  ['testMail', renderTestMail({ site })],
];

it('renders the reset mail byte for byte as CodaLab wrote it', () => {
  const envelope = { id: '1', to: 'someuser@somewhere.com', from: site.from, category: 'password-reset' };
  const mail = buildMail({ ...envelope, domain: site.domain }, one());
  expect(`Subject: ${mail.subject}\nFrom: ${mail.from}\nTo: ${mail.to}\n\n${mail.text}`)
    .toBe(`Subject: [CodaLab] Password Reset E-mail
From: CodaLab <info@codalab.org>
To: someuser@somewhere.com

You're receiving this e-mail because you or someone else has requested a password
for your user account at codalab.org. It can be safely ignored if you did not request
a password reset. Click the link below to reset your password.

http://codalab.org/accounts/password/reset/key/abc.def.ghi/

In case you forgot, your username is someuser.

Thanks for using our site!
`);
});

it('renders one mail for several accounts, each username with its link', () => {
  const accounts = ['anna', 'bob'].map((username) => ({ username, link: `${link}${username}` }));
  const { text, html } = renderPasswordReset({ site: codalab, accounts });
  expect(text).toContain(`anna:\n\n${link}anna\n\nFor the username bob:\n\n${link}bob\n\n`);
  expect(htmlLinks(html)).toEqual([`${link}anna`, `${link}anna`, `${link}bob`, `${link}bob`]);
});

it('adds the expiry and who asked only when they are given', () => {
  const { text } = renderPasswordReset({
    site: codalab,
    accounts: [{ username: 'someuser', link }],
    expiresAt,
    requestedFrom: 'Firefox\r\non Linux',
  });
  expect(text).toContain(
    '\n\nThe link works until January 2, 2026 at 15:04 UTC.\n\nThe request came from Firefox on Linux.\n\n',
  );
  const inParis = { ...codalab, locale: 'fr', timeZone: 'Europe/Paris' };
  const french = renderPasswordReset({ site: inParis, accounts: [{ username: 'someuser', link }], expiresAt });
  expect(french.text).toMatch(/jusqu’au 2 janvier 2026 à 16:04 UTC\+1\./);
});

it('tells of a changed password, whom to write to, and where to get a new link', () => {
  const { subject, text, html } = renderPasswordChanged({ site, username: 'someuser' });
  expect(subject).toBe('[CodaLab] Password Changed');
  expect(text).toMatch(
    /someuser at codalab\.org[^]*help@codalab\.org[^]*\n\nhttp:\/\/codalab\.org\/accounts\/password\/reset\/\n\n/,
  );
  const mailto = 'mailto:help@codalab.org';
  expect(htmlLinks(html)).toEqual([mailto, ...Array<string>(2).fill(`${codalab.forgotPasswordUrl}`), mailto]);
  const withoutPage = { ...codalab, forgotPasswordUrl: undefined };
  const { text: short } = renderPasswordChanged({ site: withoutPage, username: 'someuser' });
  expect(short).toContain('please contact the people who run codalab.org at once.\n\nThanks');
});

it.each([
  ['{protocol}://{domain}/accounts/password/reset/key/{key}/', 'https://codalab.org/accounts/password/reset/'],
  [
    'https://app.codalab.org/x/accounts/password/reset/key/{key}/',
    'https://app.codalab.org/x/accounts/password/reset/',
  ],
  ['https://app.codalab.org/reset#key={key}', undefined],
])('finds the first page for links like %s', (resetUrl, page) => {
  const row = { domain: 'codalab.org', name: 'CodaLab', protocol: 'https', locale: 'en', resetUrl } as const;
  const from = { defaultFromEmail: 'info@codalab.org', serverEmail: 'root@codalab.org' };
  expect(mailSiteOf({ ...row, ...from }, 'fr')).toMatchObject({ locale: 'fr', from: 'info@codalab.org' });
  expect(mailSiteOf({ ...row, ...from }, 'fr').forgotPasswordUrl).toBe(page);
});

it('tells the mailbox that support issued a link, without the link', () => {
  const { text, html } = renderSupportLinkIssued({ site, usernames: ['anna', 'bob'], expiresAt });
  expect(text).toContain('\n\nUsername: anna\n\nUsername: bob\n\n');
  expect(text).toContain('The link works until January 2, 2026 at 15:04 UTC.');
  expect(text + html).not.toMatch(/https?:/);
});

it('alerts the operator by counts and ids only', () => {
  const ids = Array.from({ length: 25 }, (_, index) => `id${index}`);
  const counts = { poisoned: 25, oldestAgeMinutes: 7, failed: 0, misconfigured: 2, unreadableAccounts: 0 };
  const { text } = renderOperatorAlert({ site, ...counts, ids });
  expect(text.match(/\b\d+(?=[. ])/g)).toEqual(['25', '7', '2', '5']); // poisoned, minutes, misconfigured, further ids
  expect(text).toContain(`: ${ids.slice(0, 20).join(', ')} and 5 more\n`);
});

it('says in HTML who sent it, and gives a sender without a name that of the site', () => {
  const { html, text } = renderPasswordReset({ site, accounts: [{ username: 'someuser', link }] });
  expect(htmlText(html)).toMatch(/^\s*CodaLab\s/);
  expect(htmlText(html)).toContain('sent by CodaLab (codalab.org).');
  expect(htmlLinks(html)).toEqual([link, link, 'mailto:help@codalab.org']);
  expect(text).not.toContain('sent by');
  const envelope = { id: '1', to: 'a@b.org', category: 'x', domain: 'codalab.org' };
  const from = (sender: string): string => buildMail({ ...envelope, from: sender }, one({ name: 'A, B & "C"' })).from;
  expect(from('info@codalab.org')).toBe('"A, B & \\"C\\"" <info@codalab.org>');
  expect(from('Support <info@codalab.org>')).toBe('Support <info@codalab.org>');
});

it('shows the brand colour, and the logo only where it is wanted', () => {
  const look = { ...codalab, brandColor: '#1a7f37', logo: sampleLogo };
  const mail = (site: MailSite) => renderPasswordReset({ site, accounts: [{ username: 'someuser', link }] });
  expect(mail(look).html).toContain('background:#1a7f37');
  expect(mail(look).html).not.toContain('<img');
  expect(mail(look).logo).toBeUndefined();
  const { html, logo } = mail({ ...look, logoInMail: true });
  expect(html).toContain('<img src="cid:logo" width="240" height="64" alt="CodaLab"');
  expect(logo).toMatchObject({ contentId: 'logo', contentType: 'image/png' });
  expect(`data:image/png;base64,${logo?.base64}`).toBe(sampleLogo);
});

it.each(everyMail)(
  '%s is whole HTML, with the words of the text, no remote content and no tag unfilled',
  (_name, mail) => {
    const { subject, text, html } = mail;
    const words = htmlText(html).replace(/\s+/g, ' ');
    for (const paragraph of text.trim().split('\n\n')) expect(words).toContain(paragraph.replace(/\n/g, ' '));
    expect(html).toMatch(/^<!DOCTYPE html>\n<html lang="en" dir="ltr" /);
    expect(html).toContain('<meta name="color-scheme" content="light dark">');
    expect(html).toContain('prefers-color-scheme: dark');
    expect(html).not.toMatch(/<(img|link|script|iframe|object|video|svg)\b|url\(|@import|src=|background=/i);
    expect(subject + text + html).not.toMatch(/\{\{|\}\}|undefined|\[object/);
  },
);

it.each([
  '<img src=x onerror=1>',
  '"><a href=http://evil>',
  '</title><script>alert(1)</script>',
  '{{7*7}}{{{username}}}{{#blocks}}x{{/blocks}}',
  "O'Brien & Co",
])('shows the name %s literally in text and HTML', (name) => {
  const { subject, text, html } = one({ username: name, name });
  expect(subject).toBe(`[${name}] Password Reset E-mail`);
  expect(text).toContain(`your username is ${name}.`);
  expect(htmlText(html)).toContain(`your username is ${name}.`);
  const tags = (page: string) => page.match(/<\/?[a-z!][^>]*>/gi)?.filter((tag) => !/^<\/?span>$/.test(tag));
  const withoutTitle = (page: string) => page.replace(/<title>.*<\/title>/, '<title></title>');
  expect(tags(withoutTitle(html))).toEqual(tags(withoutTitle(one().html)));
});

it.each(['http://evil.example/login', 'www.evil.example', 'me@evil.example'])(
  'breaks the name %s up, so that mail clients do not make a link of it',
  (name) => {
    const { text, html } = one({ username: name, name });
    expect(text).toContain(`your username is ${name}.`);
    expect(htmlLinks(html)).toEqual([link, link]);
    const body = html.replace(/^[^]*<body/, '').replace(/<a [^]*?<\/a>/g, '');
    expect(body).not.toMatch(/evil\.|:\/\/|@evil|www\./);
    expect(htmlText(html)).toContain(name);
  },
);

it('keeps a name from adding lines to the text and from hiding what follows', () => {
  const { text } = one({ username: 'x\r\n\r\nYour account is locked\u2028\u202egnp.exe\u0000\u001b[31m' });
  expect(text).toContain('your username is x Your account is locked gnp.exe [31m.');
});

it('falls back to English for a language there is no file for, and says which language the mail is in', () => {
  const site = { ...codalab, locale: 'tlh' };
  const rendered = renderPasswordReset({ site, accounts: [{ username: 'someuser', link }] });
  expect(rendered).toEqual(one());
  expect(rendered.locale).toBe('en');
});
