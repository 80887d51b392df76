// What somebody can do who has got hold of one ingredient: the signing secret, an old link, the right to write to the queue, a webhook's
// good timing. From a review with an attacker's eyes.
import jwt from 'jsonwebtoken';
import { judgeClaim } from '../../shared/deliveries';
import { openOutgoingMail } from '../../shared/outgoingMail';
import { checkKey, redeemKey } from '../../shared/resetFlow';
import { sendMail } from '../../shared/sendMail';
import { addressHashOf } from '../../shared/address';
import { createTestFlow, goodPassword, keyIn, secretA, within } from '../support/flow';

const email = 'someuser@somewhere.com';

describe('a leaked signing secret', () => {
  it('does not bring an expired link back to life by signing it anew with a later end', async () => {
    const t = createTestFlow();
    t.addAccount({ email });
    const [mail] = await t.mailsFor(email);
    const key = keyIn(mail);
    t.clock.advance(3 * 86_400);
    await expect(checkKey(t.flow, key, within())).resolves.toEqual({ outcome: 'expired_key' });
    const claims = jwt.decode(key) as Record<string, unknown>;
    const exp = Math.floor(t.clock.now().getTime() / 1000) + 3600;
    const header = { alg: 'HS256', typ: 'reset+jwt', kid: secretA.kid } as const;
    const again = jwt.sign({ ...claims, exp }, secretA.secret, { algorithm: 'HS256', noTimestamp: true, header });
    await expect(redeemKey(t.flow, again, goodPassword, within())).resolves.toEqual({ outcome: 'invalid_key' });
    expect(t.account(email)).toMatchObject({ generation: 0 });
  });
});

describe('a webhook that is quicker than our own record', () => {
  it('does not keep the mail from being recorded as accepted, nor lets a repeat be sent', async () => {
    const t = createTestFlow();
    t.addAccount({ email });
    const id = await t.request(email);
    const [message] = t.queue.takeAll();
    const report = { state: 'delivered', at: t.clock.now() } as const;
    t.email.during(async () => {
      await t.flow.deliveries.noteProvider(addressHashOf(email), id, report, within());
    });
    await sendMail(t.flow, message?.envelope);
    const [row] = await t.flow.deliveries.findBySubject(addressHashOf(email), within());
    expect(row).toMatchObject({ state: 'accepted', provider: { state: 'delivered' } });
    t.clock.advance(61);
    await sendMail(t.flow, message?.envelope);
    expect(t.email.tried).toHaveLength(1);
  });

  it('spares the repeat after a crash when it says that the mail arrived', () => {
    const now = new Date('2026-01-01T00:02:00Z');
    const row = {
      sub: 's',
      id: 'i',
      kind: 'passwordReset',
      state: 'sending',
      attempt: 0,
      charged: true,
      etag: 'e',
      leaseUntil: new Date('2026-01-01T00:01:00Z'),
      acceptedAt: now,
      updatedAt: now,
    } as const;
    const request = { sub: 's', id: 'i', kind: 'passwordReset', attempt: 0, acceptedAt: now, now } as const;
    expect(judgeClaim({ ...row, provider: { state: 'delivered', at: now } }, request)).toEqual({ outcome: 'done' });
    expect(judgeClaim({ ...row, provider: { state: 'deferred', at: now } }, request)).toBe('take');
    expect(judgeClaim(row, request)).toBe('take');
  });
});

describe('the clear part of a message', () => {
  it('keeps what a newer version added when an older instance puts it back', async () => {
    const t = createTestFlow();
    const newer = { v: 2, id: 'a'.repeat(22), attempt: 0, kid: 'a', sealed: 'x', site: '2', nonce: 'n' };
    await sendMail(t.flow, newer);
    expect(t.queue.takeAll().map(({ envelope }) => envelope)).toEqual([{ ...newer, attempt: 1 }]);
  });

  it('cannot push a message out of reach by a huge attempt', () => {
    const huge = { v: 1, id: 'a'.repeat(22), attempt: 2 ** 53 - 1, kid: 'a', sealed: 'x' };
    expect(openOutgoingMail([secretA], huge)).toEqual({ outcome: 'unreadable' });
  });
});

it('a thousand accounts on one address cost her mail nothing: it names fifty', async () => {
  const t = createTestFlow();
  for (let id = 0; id < 1000; id++) t.addAccount({ email, id: String(id).padStart(4, '0'), username: `user${id}` });
  const mails = await t.mailsFor(email);
  expect(mails).toHaveLength(1);
  expect(mails[0]?.text.match(/\/reset\/key\//g)).toHaveLength(50);
});
