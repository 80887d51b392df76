import { createCipheriv, createHash, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { seal, unseal } from '../../../shared/outbox/outgoingMail';
import { secretA, secretB } from '../../support/flow';

const id = 'AAECAwQFBgcICQoLDA0ODw';
const context = { v: 1, id };
const inside = '{"hello":"world"}';
/** Not imported: a message of the previous version must open. */
const insideBytes = 896;

/** The seal from the primitives. */
function sealByHand(text: string, { secret, kid } = secretA, { v, id: salt } = context): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret, salt, 'outgoing-mail seal v1', 32));
  const nonce = Buffer.alloc(12, 1);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${v}|${salt}|${kid}`));
  return Buffer.concat([nonce, cipher.update(text.padEnd(insideBytes, ' ')), cipher.final(), cipher.getAuthTag()]);
}

describe('the seal', () => {
  it('opens what was sealed from the primitives alone (known answer)', () => {
    const sealed = sealByHand(inside);
    expect(createHash('sha256').update(sealed).digest('hex')).toBe(
      'e2b53a7fd7ca23996d9d2e2e12b066bcd009188b2d05440849dee173b167d4d2',
    );
    expect(unseal(secretA, context, sealed.toString('base64url'))).toBe(inside);
  });

  it('opens to what was sealed, whatever it was', () => {
    const text = fc.string({ unit: 'grapheme', maxLength: 200 }).map((made) => `{${made}}`);
    fc.assert(
      fc.property(text, fc.string({ maxLength: 30 }), fc.nat(9), (clear, anyId, v) => {
        fc.pre(Buffer.byteLength(clear) <= insideBytes);
        const where = { v, id: anyId };
        expect(unseal(secretA, where, seal(secretA, where, clear))).toBe(clear);
      }),
    );
  });

  it('has one size up to 896 bytes, and refuses more instead of cutting it', () => {
    for (const clear of ['', 'x', inside, 'x'.repeat(insideBytes), 'é'.repeat(insideBytes / 2)]) {
      const sealed = seal(secretA, context, clear);
      expect(sealed).toHaveLength(1232);
      expect(unseal(secretA, context, sealed)).toBe(clear);
    }
    expect(() => seal(secretA, context, 'x'.repeat(insideBytes + 1))).toThrow(RangeError);
    expect(() => seal(secretA, context, 'é'.repeat(insideBytes / 2 + 1))).toThrow(RangeError);
  });

  it('holds nothing readable, and is another one every time: equal insides cannot be recognized', () => {
    const seals = Array.from({ length: 50 }, () => seal(secretA, context, inside));
    expect(new Set(seals.map((sealed) => sealed.slice(0, 16))).size).toBe(50);
    expect(new Set(seals.map((sealed) => sealed.slice(16, 60))).size).toBe(50);
    expect(Buffer.from(seals[0] ?? '', 'base64url').toString('latin1')).not.toContain('hello');
  });

  it('does not open when any single byte of it is changed', () => {
    const sealed = Buffer.from(seal(secretA, context, inside), 'base64url');
    for (let index = 0; index < sealed.length; index++) {
      const tampered = Buffer.from(sealed);
      tampered[index] = (tampered[index] ?? 0) ^ 1;
      expect(unseal(secretA, context, tampered.toString('base64url'))).toBeUndefined();
    }
  });

  it.each([
    ['id', secretA, { ...context, id: 'BBECAwQFBgcICQoLDA0ODw' }],
    ['version', secretA, { ...context, v: 2 }],
    ['kid', { ...secretA, kid: 'b' }, context],
    ['secret', { ...secretB, kid: 'a' }, context],
  ])('does not open under another %s', (_what, secret, where) => {
    expect(unseal(secret, where, seal(secretA, context, inside))).toBeUndefined();
  });

  it.each(['', 'x', 'A'.repeat(1231), 'A'.repeat(1232), 'A'.repeat(1233), '!'.repeat(1232), '\0'])(
    'does not open junk, and does not throw (%#)',
    (junk) => {
      expect(unseal(secretA, context, junk)).toBeUndefined();
    },
  );
});
