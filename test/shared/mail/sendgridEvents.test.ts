// What a webhook body says of our mails, and whose signature counts.
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { addressHashOf } from '../../../shared/address';
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
  expect(read(event(what))).toEqual([{ addressHashes: [addressHashOf('someuser@somewhere.com')], mailId, state, at }]);
});

it.each(['joerg@xn--bcher-kva.example', 'joerg@bücher.example'])(
  'a report for %s is looked up under both forms of the domain, its own first',
  (email) => {
    const addressHashes = read(event({ event: 'delivered', email }))[0]?.addressHashes;
    expect(addressHashes?.[0]).toBe(addressHashOf(email));
    expect(new Set(addressHashes)).toEqual(
      new Set([addressHashOf('joerg@xn--bcher-kva.example'), addressHashOf('joerg@bücher.example')]),
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
  const body = '[{},\r\n{}]\r\n';
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const at = (hours: number): string => String(now.getTime() / 1000 + hours * 3600);
  const sign = (timestamp: string, key = privateKey) =>
    createSign('sha256')
      .update(timestamp + body)
      .sign(key, 'base64');
  const genuine = (signature: string | null, timestamp: string | null, text = body) =>
    isGenuine(publicKey, Buffer.from(text), signature, timestamp, now);

  it('[HK1] is refused if it is missing, garbage or all zero, or no key is set', () => {
    const zero = Buffer.from('3006020100020100', 'hex').toString('base64');
    for (const signature of [null, '', 'garbage', '!!!', zero, 'A'.repeat(10_000)])
      expect(genuine(signature, at(0))).toBe(false);
    for (const timestamp of [null, '', 'abc', '-1', '1e9', ' '])
      expect(genuine(sign(timestamp ?? ''), timestamp)).toBe(false);
    expect(isGenuine(undefined, Buffer.from(body), sign(at(0)), at(0), now)).toBe(false);
  });

  it('[HK2] counts for a day after its timestamp', () => {
    expect([-26, -24, 0, 1].map((hours) => genuine(sign(at(hours)), at(hours)))).toEqual([false, true, true, false]);
  });

  it('[HK3] covers timestamp and raw body', () => {
    expect(genuine(sign(at(0)), at(-1))).toBe(false);
    for (const changed of [JSON.stringify(JSON.parse(body)), body.trimEnd(), `${body} `])
      expect(genuine(sign(at(0)), at(0), changed)).toBe(false);
  });

  it('[HK4] counts with our P-256 key alone', () => {
    const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' }).toString('base64');
    const foreign = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
    expect(genuine(sign(at(0), foreign.privateKey), at(0))).toBe(false);
    expect(parseVerificationKey(spki(publicKey))?.equals(publicKey)).toBe(true);
    const otherCurve = generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey;
    for (const text of ['', 'A'.repeat(120), spki(otherCurve)]) expect(parseVerificationKey(text)).toBeUndefined();
  });
});
