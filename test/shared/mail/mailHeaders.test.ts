// What may stand in a header: cleaning, cutting, quoting, Message-IDs; and the message for SendGrid's SMTP relay, whose header carries
// what the API call carries.
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import type { Mail } from '../../../shared/mail/emailBackend';
import {
  asciiDomain,
  cleanSubject,
  cleanText,
  formatMailbox,
  formatMessageId,
  isSendGridHost,
  parseMailbox,
  safeId,
  toMimeMessage,
} from '../../../shared/mail/mailHeaders';
import { sampleLogo } from '../../support/pageStates';
import { readMime } from './emailBackend.contract';
import { sampleMail } from './sampleMail';

describe('cleanText', () => {
  it.each([
    ['C0', 'a\u0000\u0007\u001bb'],
    ['CR LF', 'a\r\nb'],
    ['DEL and C1', 'a\u007f\u0085\u009bb'],
    ['line and paragraph separators', 'a\u2028\u2029b'],
  ])('[M1] puts one blank for a run of %s', (_what, text) => {
    expect(cleanText(text, 100)).toBe('a b');
  });

  it('[M1] drops bidirectional controls, U+FEFF and lone surrogates', () => {
    expect(cleanText('a\u061c\u200e\u200f\u202a\u202e\u2066\u2069\ufeff\ud800b', 100)).toBe('ab');
  });

  it('keeps what scripts and emoji need', () => {
    expect(cleanText('می\u200cخواهم 👩\u200d🔬 é', 100)).toBe('می\u200cخواهم 👩\u200d🔬 é');
  });

  it('[M2] cuts by code points, and shows it', () => {
    expect(cleanText('🦊'.repeat(100), 100)).toBe('🦊'.repeat(100));
    expect(cleanText('🦊'.repeat(101), 100)).toBe(`${'🦊'.repeat(99)}…`);
    expect(cleanText('a'.repeat(1_000_000), 5)).toBe('aaaa…');
  });
});

it('[M2] keeps a subject within 998 octets together with its name', () => {
  const subject = cleanSubject('🦊'.repeat(100_000));
  expect(Buffer.byteLength(`Subject: ${subject}`)).toBeLessThanOrEqual(998);
  expect(subject).toMatch(/^(🦊){200,}…$/u);
});

describe('a mailbox', () => {
  it.each([
    ['info@codalab.org', { name: '', address: 'info@codalab.org' }, 'info@codalab.org'],
    ['CodaLab <info@codalab.org>', { name: 'CodaLab', address: 'info@codalab.org' }, 'CodaLab <info@codalab.org>'],
    ['"CodaLab" <info@codalab.org>', { name: 'CodaLab', address: 'info@codalab.org' }, 'CodaLab <info@codalab.org>'],
    ['J. R. Doe, Inc. <a@b.c>', { name: 'J. R. Doe, Inc.', address: 'a@b.c' }, '"J. R. Doe, Inc." <a@b.c>'],
    ['"a \\"b\\" \\\\c" <a@b.c>', { name: 'a "b" \\c', address: 'a@b.c' }, '"a \\"b\\" \\\\c" <a@b.c>'],
    ['evil@evil.example <a@b.c>', { name: 'evil@evil.example', address: 'a@b.c' }, '"evil@evil.example" <a@b.c>'],
    ['X\r\nBcc: e@e.example <a@b.c>', { name: 'X Bcc: e@e.example', address: 'a@b.c' }, '"X Bcc: e@e.example" <a@b.c>'],
    ['a@b.c\r\nBcc: e@e.example', { name: '', address: 'a@b.c' }, 'a@b.c'],
    ['a@b.c, e@e.example', { name: '', address: 'a@b.c' }, 'a@b.c'],
  ])('%j is read and written safely', (text, mailbox, written) => {
    expect(parseMailbox(text)).toEqual(mailbox);
    expect(formatMailbox(mailbox)).toBe(written);
    expect(parseMailbox(written)).toEqual(mailbox);
  });
});

it.each([
  ['info@bücher.example', 'info@xn--bcher-kva.example'],
  ['jörg@bücher.example', 'jörg@xn--bcher-kva.example'],
  ['Some.User@SomeWhere.COM', 'Some.User@SomeWhere.COM'],
])('the domain of %s in ASCII: %s', (address, expected) => {
  expect(asciiDomain(address)).toBe(expected);
});

describe('a Message-ID', () => {
  it.each([
    ['codalab.org', '<id@codalab.org>'],
    ['localhost:7071', '<id@localhost>'],
    ['127.0.0.1:7071', '<id@127.0.0.1>'],
    ['bücher.example', '<id@xn--bcher-kva.example>'],
    ['', '<id@localhost>'],
  ])('of a site at %j has its host alone', (domain, messageId) => {
    expect(formatMessageId('id', domain)).toBe(messageId);
  });

  it('is a valid msg-id for any id, and another one for another id', () => {
    const ids = ['a', 'A', 'a b', 'a%20b', 'a.b', '.', 'é', 'a@b', '<a>', 'a\r\nb'];
    const messageIds = ids.map((id) => formatMessageId(id, 'codalab.org'));
    for (const messageId of messageIds) expect(messageId).toMatch(/^<[\w%-]+@codalab\.org>$/);
    expect(new Set(messageIds).size).toBe(ids.length);
    expect(safeId('Xh3_-9')).toBe('Xh3_-9');
  });
});

async function compose(mail: Mail) {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await composer.sendMail(toMimeMessage(mail, { forSendGrid: true }));
  if (!Buffer.isBuffer(message)) throw new Error('no buffer');
  return message.toString();
}

it.each(['Xh3_-aQm0pZr', 'a, b ü "quoted" \\ 🦊', ', '.repeat(20)])(
  '[G1] X-SMTPAPI switches tracking off and names category and mail id (%j), in folded ASCII lines',
  async (id) => {
    const raw = await compose(sampleMail({ id }));
    const header = (await readMime(raw)).headers.get('x-smtpapi') ?? '';
    expect(header).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(header)).toEqual({
      category: 'password-reset',
      unique_args: { mail_id: id },
      filters: {
        clicktrack: { settings: { enable: 0, enable_text: false } },
        opentrack: { settings: { enable: 0 } },
        subscriptiontrack: { settings: { enable: 0 } },
        ganalytics: { settings: { enable: 0 } },
        footer: { settings: { enable: 0 } },
        bypass_unsubscribe_management: { settings: { enable: 1 } },
      },
    });
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  },
);

it('attaches the logo inline, beside the HTML part that shows it', async () => {
  const raw = await compose(sampleMail({ site: { logo: sampleLogo, logoInMail: true } }));
  expect(raw).toMatch(/multipart\/alternative[^]*text\/plain[^]*multipart\/related[^]*text\/html[^]*image\/png/);
  const { attachments, html } = await PostalMime.parse(raw, { attachmentEncoding: 'base64' });
  expect(html).toContain('src="cid:logo"');
  expect(attachments).toMatchObject([
    { contentId: '<logo>', mimeType: 'image/png', disposition: 'inline', content: sampleLogo.split(',')[1] },
  ]);
});

it.each([
  ['smtp.sendgrid.net', true],
  ['SMTP.EU.SendGrid.net', true],
  ['smtp.sendgrid.net.evil.example', false],
  ['notsendgrid.net', false],
])('%s is SendGrid: %s', (host, expected) => {
  expect(isSendGridHost(host)).toBe(expected);
});
