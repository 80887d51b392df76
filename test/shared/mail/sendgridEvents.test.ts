// What a webhook body says of our mails, and whose signature counts.
import { createSign, generateKeyPairSync } from 'node:crypto';
import { subjectOf } from '../../../shared/address';
import { isGenuine, parseVerificationKey, readReports } from '../../../shared/mail/sendgridEvents';

const mailId = 'Xh3_-aQm0pZrXh3_-aQm0p';
const event = (more: object) => ({
  email: 'someuser@somewhere.com',
  timestamp: 1_800_000_000,
  mail_id: mailId,
  ...more,
});
const read = (...events: unknown[]) => readReports(Buffer.from(JSON.stringify(events)));

it.each([
  [{ event: 'bounce', type: 'bounce' }, 'bounced'],
  [{ event: 'bounce' }, 'bounced'],
  [{ event: 'bounce', type: 'blocked' }, 'blocked'],
  [{ event: 'delivered' }, 'delivered'],
])('%j is %s', (what, state) => {
  const at = new Date('2027-01-15T08:00:00Z');
  expect(read(event(what))).toEqual([{ subs: [subjectOf('someuser@somewhere.com')], mailId, state, at }]);
});

it.each(['joerg@xn--bcher-kva.example', 'joerg@bücher.example'])(
  'a report for %s is looked up under both forms of the domain, its own first',
  (email) => {
    const subs = read(event({ event: 'delivered', email }))[0]?.subs;
    expect(subs?.[0]).toBe(subjectOf(email));
    expect(new Set(subs)).toEqual(
      new Set([subjectOf('joerg@xn--bcher-kva.example'), subjectOf('joerg@bücher.example')]),
    );
  },
);

it('events that say nothing of our mails are left out', () => {
  expect(
    read(event({ event: 'open' }), event({ event: 'bounce', mail_id: 'x' }), { event: 'bounce' }, 'x', null),
  ).toEqual([]);
  expect(readReports(Buffer.from('{"not":"a list"}'))).toEqual([]);
  expect(readReports(Buffer.from('not json'))).toEqual([]);
});

describe('the signature', () => {
  const now = new Date('2027-01-15T08:00:00Z');
  const seconds = String(now.getTime() / 1000);
  const body = Buffer.from('[]\r\n');
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const sign = (text: string) => createSign('sha256').update(text).sign(privateKey, 'base64');

  it('covers timestamp and raw body', () => {
    expect(isGenuine(publicKey, body, sign(`${seconds}[]\r\n`), seconds, now)).toBe(true);
    expect(isGenuine(publicKey, body, sign(`${seconds}[]`), seconds, now)).toBe(false);
  });

  it.each(['', 'garbage', '!!!', 'MAYCAQACAQA=', 'A'.repeat(10_000)])(
    'garbage %# is refused without an exception',
    (signature) => {
      expect(isGenuine(publicKey, body, signature, seconds, now)).toBe(false);
    },
  );

  it('needs a P-256 key', () => {
    const spki = { type: 'spki', format: 'der' } as const;
    const other = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
    expect(parseVerificationKey(publicKey.export(spki).toString('base64'))?.equals(publicKey)).toBe(true);
    for (const text of ['', 'A'.repeat(120), other.export(spki).toString('base64')])
      expect(parseVerificationKey(text)).toBeUndefined();
    expect(isGenuine(undefined, body, sign(`${seconds}[]\r\n`), seconds, now)).toBe(false);
  });
});
