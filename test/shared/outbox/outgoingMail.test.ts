// The messages of the queue: a clear envelope around a sealed request.
import { createCipheriv, createHash, hkdfSync } from 'node:crypto';
import { enqueueMail, parseMailRequest, type MailRequest } from '../../../shared/mailRequest';
import { openMessage, seal, unseal } from '../../../shared/outbox/outgoingMail';
import { createMemoryQueue } from '../../fakes/memoryQueue';
import { secretA, secretB, start } from '../../support/flow';

const id = 'AAECAwQFBgcICQoLDA0ODw';
const context = { v: 1, id };
const inside = '{"hello":"world"}';
/** Not imported: a message of the previous version must open. */
const insideBytes = 896;

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

const addressHash = 'cM-Cuc5Ca17_SqXTIlSZcQ';
const settings = { signingSecrets: [secretA], sealingSecrets: [secretA] } as const;
const request = { kind: 'resetAddress', email: 'someuser@somewhere.com', key: 'a.b.c', acceptedAt: start } as const;
const account = { addressHash, accountId: '1', acceptedAt: start };
const client = '2001:db8:ffff:ffff::/64';

async function sealedOf(content: MailRequest) {
  const queue = createMemoryQueue();
  await enqueueMail({ settings, queue }, id, content);
  const envelope = queue.sent[0]?.envelope;
  if (envelope === undefined) throw new Error('nothing was queued');
  return envelope;
}
const readBy = (message: unknown, secrets: Parameters<typeof openMessage>[0] = settings) => {
  const opened = openMessage(secrets, message);
  return opened.outcome === 'opened' ? { ...opened, request: parseMailRequest(opened.inside) } : opened;
};

describe('a queue message', () => {
  it.each<MailRequest>([
    { ...request, client: '203.0.113.7', locale: 'en' },
    { kind: 'resetAccount', ...account, charged: true },
    { kind: 'passwordChanged', ...account, resetKeyId: 'x' },
    { kind: 'linkIssued', ...account },
    { kind: 'siteEvent', addressHash, acceptedAt: start, type: 'password.changed', data: { accountId: '1' } },
  ])('opens to what was sealed: $kind', async (content) => {
    const envelope = await sealedOf(content);
    expect(envelope).toMatchObject({ v: content.kind === 'siteEvent' ? 2 : 1, id, attempt: 0, kid: 'a' });
    expect(Object.keys(envelope)).toEqual(['v', 'id', 'attempt', 'kid', 'sealed']);
    expect(readBy(JSON.parse(JSON.stringify(envelope)))).toMatchObject({
      outcome: 'opened',
      envelope,
      request: content,
    });
  });

  it('D11 opens by the signing secret of before, though a sealing secret has the same kid', async () => {
    const both = { sealingSecrets: [{ ...secretB, kid: 'a' }], signingSecrets: [secretA] } as const;
    expect(readBy(await sealedOf(request), both)).toMatchObject({ outcome: 'opened', request });
  });

  it('[Q3] [E1] has one size for the shortest and the longest request of each kind, under 2 kB even in base64', async () => {
    const email = `${'a'.repeat(60)}@${['b', 'c', 'd'].map((x) => x.repeat(61)).join('.')}.${'e'.repeat(7)}`;
    const common = { client, locale: 'x'.repeat(35) };
    const longest: MailRequest[] = [
      { ...request, ...common, email, key: 'k'.repeat(255) },
      ...['"'.repeat(256), '漢'.repeat(199)].flatMap((accountId): MailRequest[] => [
        { kind: 'resetAccount', ...account, ...common, accountId, charged: true },
        { kind: 'passwordChanged', ...account, ...common, accountId, resetKeyId: 'k'.repeat(43) },
        {
          kind: 'siteEvent',
          addressHash,
          acceptedAt: start,
          type: 'password.changed',
          data: { accountId, at: start.toISOString() },
        },
      ]),
    ];
    const { length } = JSON.stringify(await sealedOf({ ...request, email: 'a@b', key: 'k' }));
    for (const content of longest) expect(JSON.stringify(await sealedOf(content))).toHaveLength(length);
    expect(Math.ceil(length / 3) * 4).toBeLessThan(2000);
  });

  it.each<[string, (sealed: { sealed: string }) => unknown]>([
    ['text', () => 'not JSON'],
    ['undefined', () => undefined],
    ['an array', (sealed) => [sealed]],
    ['an id that is none', (sealed) => ({ ...sealed, id: '../../x' })],
    ['a fractional attempt', (sealed) => ({ ...sealed, attempt: 0.5 })],
    ['a negative attempt', (sealed) => ({ ...sealed, attempt: -1 })],
    ['an attempt out of reach', (sealed) => ({ ...sealed, attempt: 1001 })],
    ['version 0', (sealed) => ({ ...sealed, v: 0 })],
    ['60 kB of junk', (sealed) => ({ ...sealed, sealed: 'x'.repeat(60_000) })],
    ['another version', (sealed) => ({ ...sealed, v: 2 })],
  ])('[Q1] is unreadable if it is %s', async (_what, change) => {
    expect(readBy(change(await sealedOf(request)))).toEqual({ outcome: 'unreadable' });
  });

  it.each([
    ['no JSON', 'hello'],
    ['an unknown kind', '{"kind":"spam","to":"x@y"}'],
    ['a missing field', JSON.stringify({ ...request, email: undefined })],
    ['a further field', JSON.stringify({ ...request, bcc: 'evil@z.example' })],
    ['a broken time', JSON.stringify({ ...request, acceptedAt: 'yesterday' })],
  ])('[Q1] holds no request if a good seal is around %s', async (_what, inside) => {
    const message = { ...(await sealedOf(request)), sealed: seal(secretA, { v: 1, id }, inside) };
    expect(readBy(message)).toMatchObject({ outcome: 'opened', request: undefined });
  });
});
