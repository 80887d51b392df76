import { createHmac, generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import {
  issueResetKey,
  passwordSaltOf,
  resetKeyIdOf,
  verifyResetKey,
  type ResetKeySettings,
} from '../../shared/resetKey';
import { secretA, secretB, start } from '../support/flow';

const settings: ResetKeySettings = { signingSecrets: [secretA], siteId: '1', resetKeyTtlMinutes: 60 };
const sub = 'cM-Cuc5Ca17_SqXTIlSZcQ';
const jti = 'AAECAwQFBgcICQoLDA0ODw';
const exp = 1_772_370_000; // start + 60 minutes
const goodHeader = { alg: 'HS256', typ: 'reset+jwt', kid: 'a' };
const goodClaims = { iss: 'pr', aud: '1', sub, jti, exp };
/** Made with Python's hmac from the secret `secret A secret A secret A secre` and the claims above. */
const vector =
  'eyJhbGciOiJIUzI1NiIsInR5cCI6InJlc2V0K2p3dCIsImtpZCI6ImEifQ.' +
  'eyJpc3MiOiJwciIsImF1ZCI6IjEiLCJzdWIiOiJjTS1DdWM1Q2ExN19TcVhUSWxTWmNRIiwianRpIjoiQUFFQ0F3UUZCZ2NJQ1FvTERBME9EdyIsImV4cCI6MTc3MjM3MDAwMH0.' +
  'RZjuMBJsaV01r_O385xFBcGNXWTf22oIyBaN2lz68OI';

const base64url = (value: unknown): string =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** A JWS by hand, so that no library's good manners are in the way. */
function sign(header: unknown, payload: unknown, secret: Buffer | string = secretA.secret, hash = 'sha256'): string {
  const input = `${base64url(header)}.${base64url(payload)}`;
  return `${input}.${createHmac(hash, secret).update(input).digest('base64url')}`;
}
const outcome = (key: string, now = start, given = settings): string => verifyResetKey(given, key, now).outcome;
const at = (epochSeconds: number): Date => new Date(epochSeconds * 1000);

describe('a reset key', () => {
  it('verifies against a vector made with another implementation', () => {
    expect(verifyResetKey(settings, vector, start)).toEqual({
      outcome: 'valid',
      claims: { addressHash: sub, jti, expiresAt: new Date('2026-03-01T13:00:00.000Z') },
    });
    expect(sign(goodHeader, goodClaims)).toBe(vector);
  });

  it('is exactly the JWS of its header and claims, in that order of fields', () => {
    const { key, claims } = issueResetKey(settings, sub, start);
    expect(claims).toEqual({ addressHash: sub, jti: expect.stringMatching(/^[\w-]{22}$/), expiresAt: at(exp) });
    expect(key).toBe(sign(goodHeader, { ...goodClaims, jti: claims.jti }));
  });

  it('is never longer than 255 characters, with the longest kid and site id', () => {
    const longest = { ...settings, siteId: 'A1-b2c', signingSecrets: [{ ...secretA, kid: 'kid-8888' }] } as const;
    expect(
      issueResetKey({ ...longest, resetKeyTtlMinutes: 1440 }, sub, new Date('2286-01-01')).key.length,
    ).toBeLessThanOrEqual(255);
  });

  it('has its row under the SHA-256 of its jti, and makes the salt of the password it sets (known answers)', () => {
    expect(resetKeyIdOf({ jti })).toBe('XSYR1aTdK0Cyd9_bXs9bSYGRUNfVxi9O75YMsMJNsgw');
    expect(passwordSaltOf({ jti }).toString('hex')).toBe('bb0f57b63e12f72cc8b889ec89cc1034');
  });

  it('[K13] lives until the instant of exp and not a millisecond longer', () => {
    expect(outcome(vector, new Date(exp * 1000 - 1))).toBe('valid');
    expect(outcome(vector, at(exp))).toBe('expired');
  });

  it('[TM1] D19 is judged by the local clock, and good on an instance that is five minutes behind', () => {
    const day = { ...settings, resetKeyTtlMinutes: 1440 };
    const { key } = issueResetKey(day, sub, start);
    expect(outcome(key, new Date(start.getTime() - 300_000), day)).toBe('valid');
    expect(outcome(key, new Date(start.getTime() - 301_000), day)).toBe('invalid');
  });

  it('[D1] [D2] verifies with any secret of the list, is signed with the first, and dies with its secret', () => {
    const before = issueResetKey(settings, sub, start).key;
    const rotated: ResetKeySettings = { ...settings, signingSecrets: [secretB, secretA] };
    const after = issueResetKey(rotated, sub, start).key;
    for (const key of [before, after]) expect(outcome(key, start, rotated)).toBe('valid');
    expect(outcome(after, start, { ...settings, signingSecrets: [secretA, secretB] })).toBe('valid');
    expect(JSON.parse(Buffer.from(after.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({ kid: 'b' });
    const dropped: ResetKeySettings = { ...settings, signingSecrets: [secretB] };
    expect(outcome(before, start, dropped)).toBe('invalid');
    expect(outcome(after, start, settings)).toBe('invalid');
  });
});

describe('verifyResetKey refuses', () => {
  it.each(['none', 'NONE', 'HS384'])('[J1] [J2] alg %s, with an empty, a kept and a good signature', (alg) => {
    const [, payload = '', signature = ''] = vector.split('.');
    const header = { ...goodHeader, alg };
    for (const end of ['', signature]) expect(outcome(`${base64url(header)}.${payload}.${end}`)).toBe('invalid');
    expect(outcome(sign(header, goodClaims))).toBe('invalid');
    expect(outcome(sign(header, goodClaims, secretA.secret, 'sha384'))).toBe('invalid');
  });

  it('[J2] a PEM public key as HMAC secret, whatever the alg says', () => {
    const pem = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey.export({ type: 'spki', format: 'pem' });
    for (const alg of ['RS256', 'ES256', 'HS256'])
      expect(outcome(sign({ ...goodHeader, alg }, goodClaims, pem))).toBe('invalid');
    const withPem: ResetKeySettings = { ...settings, signingSecrets: [{ kid: 'a', secret: Buffer.from(pem) }] };
    expect(outcome(sign({ ...goodHeader, alg: 'RS256' }, goodClaims, pem), start, withPem)).toBe('invalid');
  });

  it.each([
    ['an unknown kid', { kid: 'zz' }],
    ['no kid', { kid: undefined }],
    ['an array as kid', { kid: ['a'] }],
    ['__proto__ as kid', { kid: '__proto__' }],
    ['jku', { jku: 'https://evil.example/jwks' }],
    ['crit', { crit: ['x'], x: 1 }],
    ['a session token', { typ: 'JWT' }],
    ['no typ', { typ: undefined }],
    ['the type in capitals', { typ: 'RESET+JWT' }],
    ['the type with its prefix', { typ: 'application/reset+jwt' }],
  ])('[J3] [K3] %s in the header, though signed with our secret', (_what, change) => {
    expect(outcome(sign({ ...goodHeader, ...change }, goodClaims))).toBe('invalid');
  });

  it('[J4] a key of more than 2048 characters even if nothing else is wrong with it', () => {
    const padded = sign(`${' '.repeat(1500)}${JSON.stringify(goodHeader)}`, goodClaims);
    expect(padded.length).toBeGreaterThan(2048);
    expect(outcome(padded)).toBe('invalid');
    expect(outcome(sign(` ${JSON.stringify(goodHeader)}`, goodClaims))).toBe('valid');
  });

  it.each(['', '..', 'a.b', 'undefined', '.'.repeat(100_000), `${vector}.x.y`, '{"payload":"x"}'])(
    '[J4] [K10] %j',
    (text) => {
      expect(outcome(text)).toBe('invalid');
    },
  );

  it.each<[string, object]>([
    ['no exp', { exp: undefined }],
    ['exp as text', { exp: String(exp) }],
    ['a fractional exp', { exp: exp + 0.5 }],
    ['exp 0', { exp: 0 }],
    ['an array as sub', { sub: [sub] }],
    ['an address as sub', { sub: 'someuser@somewhere.com' }],
    ['a short jti', { jti: 'x' }],
    ['another issuer', { iss: 'evil' }],
    ['no issuer', { iss: undefined }],
    ['the audience of another site', { aud: '2' }],
    ['two audiences', { aud: ['1', '2'] }],
    ['an array as audience', { aud: ['1'] }],
    ['a number as audience', { aud: 1 }],
    ['no audience', { aud: undefined }],
    ['a further claim', { admin: true }],
  ])('[J5] [K4] %s, though signed with our secret', (_what, change) => {
    expect(outcome(sign(goodHeader, { ...goodClaims, ...change }))).toBe('invalid');
  });

  it.each(['"x"', 'null', '[1]', '', 'not json', '{"__proto__":{"sub":"x"}}'])(
    '[J5] the payload or the header %j, though signed with our secret',
    (text) => {
      expect(outcome(sign(goodHeader, text))).toBe('invalid');
      expect(outcome(sign(text, goodClaims))).toBe('invalid');
    },
  );

  it.each([
    ['a line end after it', `${vector}\n`],
    ['a blank before it', ` ${vector}`],
    ['a full stop after it', `${vector}.`],
    ['an equals sign after it', `${vector}=`],
    ['percent signs for its dots', vector.replaceAll('.', '%2E')],
    ['its letters in another case', vector.toLowerCase()],
    ['classic base64 for base64url', vector.replaceAll('_', '/').replaceAll('-', '+')],
    ['its first character missing', vector.slice(1)],
  ])('[J6] the key with %s', (_what, mangled) => {
    expect(mangled).not.toBe(vector);
    expect(outcome(mangled)).toBe('invalid');
  });

  it('[J7] every other spelling of the last character of the signature', () => {
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const good = Array.from(alphabet).filter((last) => outcome(vector.slice(0, -1) + last) !== 'invalid');
    expect(good).toEqual(['I']);
  });

  it('any other byte anywhere in the key', () => {
    fc.assert(
      fc.property(fc.nat(vector.length - 1), fc.string({ minLength: 1, maxLength: 1 }), (index, char) => {
        fc.pre(vector[index] !== char);
        expect(outcome(vector.slice(0, index) + char + vector.slice(index + 1))).toBe('invalid');
      }),
      { numRuns: 1000 },
    );
  });

  it('an expired key that we did not sign, as any forged one', () => {
    expect(outcome(sign(goodHeader, { ...goodClaims, exp: 1 }, secretB.secret))).toBe('invalid');
    expect(outcome(sign(goodHeader, { ...goodClaims, exp: 1 }))).toBe('expired');
  });
});
