// What may stand in a header: cleaning, cutting, quoting, Message-IDs.
import {
  asciiDomain,
  cleanSubject,
  cleanText,
  formatMailbox,
  formatMessageId,
  parseMailbox,
  safeId,
} from '../../../shared/mail/mailHeaders';

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
