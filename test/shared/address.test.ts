import fc from 'fast-check';
import { normalizeAddress, parseAddress, addressHashOf } from '../../shared/address';

describe('parseAddress', () => {
  it.each([
    'someuser@somewhere.com',
    "o'brien@x.example",
    '!#$%&*/=?^_`{|}~-@example.org',
    'jörg@exämple.org',
    'ユーザー@例え.jp',
    `${'a'.repeat(64)}@${'b'.repeat(63)}.org`,
  ])('accepts %s as it is', (address) => {
    expect(parseAddress(address)).toBe(address);
  });

  it('[A2] trims ASCII blanks around an address and nothing else', () => {
    expect(parseAddress(' \tMike@Example.ORG\t ')).toBe('Mike@Example.ORG');
  });

  it.each([
    '\u00a0mike@example.org', // [A2]
    '\ufeffmike@example.org',
    'mi\u200bke@example.org',
    'mi\u3164ke@example.org',
    'mike\u202e@example.org',
    'mike@example.org\n',
    'mike\0@example.org',
    'mike\u0085@example.org',
    'mike\ud800@example.org',
    'victim@x.example,evil@y.example', // [A4]
    'victim@x.example evil@y.example',
    'evil@y.example <victim@x.example>',
    'g:evil@y.example;',
    'victim@x.example\r\nBcc: evil@y.example',
    `${'a'.repeat(65)}@example.org`, // [A7]
    `${'ä'.repeat(33)}@example.org`,
    `a@${'b'.repeat(64)}.org`,
    '"evil@z x"@victim.y', // [A8]
    'user@[127.0.0.1]',
    'user(comment)@example.org',
    'a@b@c',
    '@example.org',
    'user@',
    '.user@example.org',
    'user.@example.org',
    'us..er@example.org',
    'user@example..org',
    'user@-example.org',
    'user@example-.org',
    'user@exa_mple.org',
    '',
  ])('[A2] [A4] [A7] [A8] refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined();
  });

  it('accepts 254 octets and refuses 255', () => {
    const domain = (last: number): string =>
      ['b', 'c', 'd'].map((x) => x.repeat(61)).join('.') + `.${'e'.repeat(last)}`;
    const longest = `${'a'.repeat(60)}@${domain(7)}`;
    expect(Buffer.byteLength(longest)).toBe(254);
    expect(parseAddress(longest)).toBe(longest);
    expect(parseAddress(`${'a'.repeat(60)}@${domain(8)}`)).toBeUndefined();
  });

  it('accepts nothing that could end a header, a link, a tag or a list, whatever is thrown at it', () => {
    const hostile = fc.string({
      unit: fc.constantFrom(...Array.from('a@.,;:<>()[]"\\ \t\r\n\0\u200b\u0131é%'), '@', 'x.y'),
    });
    fc.assert(
      fc.property(fc.oneof(hostile, fc.string({ unit: 'binary' }), fc.emailAddress()), (text) => {
        const address = parseAddress(text);
        if (address === undefined) return;
        expect(address).not.toMatch(/[\s,;:<>()[\]"\\\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        expect(address.split('@')).toHaveLength(2);
        expect(Buffer.byteLength(address)).toBeLessThanOrEqual(254);
        expect(parseAddress(address)).toBe(address);
        expect(text).toContain(address);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('normalizeAddress', () => {
  it('lower-cases ASCII letters only', () => {
    expect(normalizeAddress('MIKE@Example.ORG')).toBe('mike@example.org');
    expect(normalizeAddress('MİKE@ÄX.org')).toBe('mİke@Äx.org');
  });

  it.each(['m\u0131ke@example.org', 'M\u0130KE@example.org', 'mi\u212ae@example.org', 'mi\uff4be@example.org'])(
    '[A1] never makes %s equal to mike@example.org',
    (lookalike) => {
      expect(normalizeAddress(lookalike)).not.toBe('mike@example.org');
    },
  );

  it('makes two addresses equal only if they differ in the case of ASCII letters', () => {
    const part = fc.string({ unit: fc.constantFrom(...Array.from('aAbBkK\u212aıİßẞéÉ.')), minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(part, part, (a, b) => {
        const upper = (text: string): string => text.replace(/[a-z]/g, (letter) => letter.toUpperCase());
        const sameButCase = upper(a) === upper(b);
        expect(normalizeAddress(a) === normalizeAddress(b)).toBe(sameButCase);
      }),
      { numRuns: 2000 },
    );
  });
});

it('the hash of an address is the first 128 bits of SHA-256 of the normalized one, in base64url (known answer)', () => {
  expect(addressHashOf('someuser@somewhere.com')).toBe('cM-Cuc5Ca17_SqXTIlSZcQ');
  expect(addressHashOf('SomeUser@Somewhere.COM')).toBe('cM-Cuc5Ca17_SqXTIlSZcQ');
});
