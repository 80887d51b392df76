import { createCipheriv, createHash, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { seal, sealedInsideBytes, unseal } from '../../shared/seal';
import { secretA, secretB } from '../support/flow';

const id = 'AAECAwQFBgcICQoLDA0ODw';
const context = { v: 1, id };
const inside = '{"hello":"world"}';

/** The seal as design §6 describes it, from the primitives. */
function sealByHand(text: string, { secret, kid } = secretA, { v, id: salt } = context): Buffer {
  const key = Buffer.from(hkdfSync('sha256', secret, salt, 'outgoing-mail seal v1', 32));
  const nonce = Buffer.alloc(12, 1);
  const cipher = createCipheriv('aes-256-gcm', key, nonce).setAAD(Buffer.from(`${v}|${salt}|${kid}`));
  return Buffer.concat([nonce, cipher.update(text.padEnd(896, ' ')), cipher.final(), cipher.getAuthTag()]);
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
        fc.pre(Buffer.byteLength(clear) <= sealedInsideBytes);
        const where = { v, id: anyId };
        expect(unseal(secretA, where, seal(secretA, where, clear))).toBe(clear);
      }),
    );
  });

  it('has one size for every inside', () => {
    const sizes = ['', 'x', inside, 'x'.repeat(sealedInsideBytes), 'é'.repeat(sealedInsideBytes / 2)].map(
      (clear) => seal(secretA, context, clear).length,
    );
    expect(new Set(sizes)).toEqual(new Set([1232]));
  });

  it('is another one every time, so that two equal insides cannot be recognised', () => {
    const seals = Array.from({ length: 50 }, () => seal(secretA, context, inside));
    expect(new Set(seals.map((sealed) => sealed.slice(0, 16))).size).toBe(50);
    expect(new Set(seals.map((sealed) => sealed.slice(16, 60))).size).toBe(50);
  });

  it('holds nothing readable', () => {
    expect(Buffer.from(seal(secretA, context, inside), 'base64url').toString('latin1')).not.toContain('hello');
  });

  it('refuses an inside that is too long, instead of cutting it', () => {
    expect(() => seal(secretA, context, 'x'.repeat(sealedInsideBytes + 1))).toThrow(RangeError);
    expect(() => seal(secretA, context, 'é'.repeat(sealedInsideBytes / 2 + 1))).toThrow(RangeError);
  });

  it('does not open when any single byte of it is changed', () => {
    const sealed = Buffer.from(seal(secretA, context, inside), 'base64url');
    for (let index = 0; index < sealed.length; index++) {
      const tampered = Buffer.from(sealed);
      tampered[index] = (tampered[index] ?? 0) ^ 1;
      expect(unseal(secretA, context, tampered.toString('base64url'))).toBeUndefined();
    }
  });

  it('does not open under another id, version, kid or secret', () => {
    const sealed = seal(secretA, context, inside);
    expect(unseal(secretA, { ...context, id: 'BBECAwQFBgcICQoLDA0ODw' }, sealed)).toBeUndefined();
    expect(unseal(secretA, { ...context, v: 2 }, sealed)).toBeUndefined();
    expect(unseal({ ...secretA, kid: 'b' }, context, sealed)).toBeUndefined();
    expect(unseal({ ...secretB, kid: 'a' }, context, sealed)).toBeUndefined();
    expect(unseal(secretB, context, sealed)).toBeUndefined();
  });

  it.each(['', 'x', 'A'.repeat(1231), 'A'.repeat(1232), 'A'.repeat(1233), '!'.repeat(1232), '\0'])(
    'does not open junk, and does not throw (%#)',
    (junk) => {
      expect(unseal(secretA, context, junk)).toBeUndefined();
    },
  );
});
