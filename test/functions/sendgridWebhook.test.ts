// SendGrid's signed Event Webhook against the running app, with a key pair of our own. What a signature and an event may look like
// is tested in test/shared/mail/sendgridEvents.test.ts.
import { createSign, generateKeyPairSync } from 'node:crypto';
import { addressHashOf } from '../../shared/address';
import { newId } from '../../shared/clock';
import type { Deliveries } from '../../shared/outbox/deliveries';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import { addAccount, someuser, startApp, type App } from '../support/app';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const now = () => Math.floor(Date.now() / 1000);
const addressHash = addressHashOf(someuser.email);

/** As SendGrid signs: ECDSA with SHA-256 over timestamp and raw body, DER in base64. */
const sign = (body: string, timestamp: number): string =>
  createSign('sha256').update(`${timestamp}${body}`).sign(privateKey, 'base64');

describe('the SendGrid webhook', () => {
  let app: App;
  let deliveries: Deliveries;
  beforeAll(async () => {
    const der = publicKey.export({ type: 'spki', format: 'der' });
    const env = { SENDGRID_WEBHOOK_PUBLIC_KEY: der.toString('base64') };
    app = await startApp({ queues: false, timers: false, env });
    deliveries = createDeliveriesTable(app.storage.table('Deliveries'));
    await addAccount(app, someuser);
  });
  afterAll(() => app.stop());

  async function acceptedMail(of = addressHash): Promise<string> {
    const at = new Date();
    const common = { kind: 'passwordReset', attempt: 0, acceptedAt: at, claimId: newId(), now: at } as const;
    const claim = await deliveries.claim({ addressHash: of, id: newId(), ...common });
    if (claim.outcome !== 'claimed') throw new Error('not claimed');
    await deliveries.record(claim.delivery, { state: 'accepted', backend: 'sendgrid', now: at });
    return claim.delivery.id;
  }
  const stateOf = async (id: string) =>
    (await deliveries.findByAddressHash(addressHash)).find((row) => row.id === id)?.provider?.state;
  const event = (name: string, mailId: string, more = {}) => ({
    ...{ email: someuser.email, event: name, timestamp: now(), mail_id: mailId, sg_event_id: newId() },
    ...more,
  });
  const post = (events: unknown, signature?: string) => {
    const [body, timestamp] = [typeof events === 'string' ? events : JSON.stringify(events), now()];
    return app.post('webhooks/sendgrid', body, {
      'X-Twilio-Email-Event-Webhook-Signature': signature ?? sign(body, timestamp),
      'X-Twilio-Email-Event-Webhook-Timestamp': String(timestamp),
    });
  };
  const counts = (noted: number, stale: number, unknown: number) => ({ status: 200, json: { noted, stale, unknown } });

  it('[G8] [HK2] writes the furthest report into the mail’s row; a replay or an older state changes nothing', async () => {
    const id = await acceptedMail();
    const bounced = [event('deferred', id), event('bounce', id)];
    await expect(post(bounced)).resolves.toMatchObject(counts(1, 1, 0));
    await expect(post(bounced)).resolves.toMatchObject(counts(0, 2, 0));
    await expect(post([event('delivered', id, { timestamp: now() + 10 })])).resolves.toMatchObject(counts(0, 1, 0));
    await expect(stateOf(id)).resolves.toBe('bounced');
    await app.logged(/"event":"mailReported","level":"error"/);
  });

  it('finds a mail by the Unicode form of the domain when SendGrid names its punycode', async () => {
    const id = await acceptedMail(addressHashOf('someuser@bücher.example'));
    const report = event('delivered', id, { email: 'someuser@xn--bcher-kva.example' });
    await expect(post([report])).resolves.toMatchObject(counts(1, 0, 0));
  });

  it('answers 200 for events that are not about our mails, 403 for a bad signature', async () => {
    const foreign = [event('delivered', newId()), { email: 'x@y.z', event: 'open', timestamp: now() }, 'nonsense'];
    await expect(post(foreign)).resolves.toMatchObject(counts(0, 0, 1));
    await expect(post('not json')).resolves.toMatchObject(counts(0, 0, 0));
    for (const signature of ['', 'garbage', sign('[]', now() - 1)]) {
      await expect(post('[]', signature)).resolves.toMatchObject({ status: 403, json: { code: 'forbidden' } });
    }
    await expect(app.post('webhooks/sendgrid', '[]')).resolves.toMatchObject({ status: 403 });
  });

  it('verifies the raw bytes: a batch may have line ends of its own', async () => {
    const id = await acceptedMail();
    const batch = `[${JSON.stringify(event('deferred', id))},\r\n${JSON.stringify(event('delivered', id))}]\r\n`;
    await expect(post(batch)).resolves.toMatchObject(counts(1, 1, 0));
    await expect(stateOf(id)).resolves.toBe('delivered');
  });

  it('takes a batch of 1500 events about a hundred mails in one call', async () => {
    const ids: string[] = [];
    for (let tens = 0; tens < 10; tens++)
      ids.push(...(await Promise.all(Array.from({ length: 10 }, () => acceptedMail()))));
    const batch = Array.from({ length: 1500 }, (_, n) =>
      event(n < 1400 ? 'deferred' : 'delivered', ids[n % 100] ?? ''),
    );
    await expect(post(batch)).resolves.toMatchObject(counts(100, 1400, 0));
  });

  it('[HK5] a bounce never blocks a later request', async () => {
    await post([event('bounce', await acceptedMail())]);
    const answer = await app.post('password-reset/request', { email: someuser.email });
    expect(answer).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
    const { approximateMessagesCount } = await (await app.storage.queue('outgoing-mail')).getProperties();
    expect(approximateMessagesCount).toBe(1);
  });
});
