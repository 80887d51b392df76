// SendGrid's signed Event Webhook against the running app, with a key pair of our own.
import { createSign, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { addressHashOf } from '../../shared/address';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import type { Deliveries } from '../../shared/outbox/deliveries';
import { newId } from '../../shared/clock';
import { addAccount, someuser, startApp, type App } from '../support/app';

const keyPair = () => generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const { privateKey, publicKey } = keyPair();
const now = () => Math.floor(Date.now() / 1000);

/** As SendGrid signs: ECDSA with SHA-256 over timestamp and raw body, DER in base64. */
function sign(body: string, timestamp: number | string, key: KeyObject = privateKey): string {
  return createSign('sha256').update(`${timestamp}${body}`).sign(key, 'base64');
}

describe('the SendGrid webhook', () => {
  let app: App;
  let deliveries: Deliveries;
  const addressHash = addressHashOf(someuser.email);

  beforeAll(async () => {
    app = await startApp({
      queues: false,
      timers: false,
      env: { SENDGRID_WEBHOOK_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64') },
    });
    deliveries = createDeliveriesTable(app.storage.table('Deliveries'));
    await addAccount(app, someuser);
  });
  afterAll(() => app.stop());

  async function acceptedMail(of = addressHash): Promise<string> {
    const id = newId();
    const at = new Date();
    const claim = await deliveries.claim(
      { sub: of, id, kind: 'passwordReset', attempt: 0, acceptedAt: at, now: at },
    );
    if (claim.outcome !== 'claimed') throw new Error('not claimed');
    await deliveries.record(claim.delivery, { state: 'accepted', backend: 'sendgrid', now: at });
    return id;
  }
  const providerOf = async (id: string) =>
    (await deliveries.findByAddressHash(addressHash)).find((row) => row.id === id)?.provider;
  const event = (name: string, mailId: string, timestamp = now(), more = {}) => ({
    email: someuser.email,
    event: name,
    timestamp,
    mail_id: mailId,
    sg_event_id: newId(),
    sg_message_id: 'x',
    ...more,
  });
  function post(
    body: string,
    { timestamp = now(), signature = sign(body, timestamp) }: { timestamp?: number | string; signature?: string } = {},
  ) {
    return app.post('webhooks/sendgrid', body, {
      'X-Twilio-Email-Event-Webhook-Signature': signature,
      'X-Twilio-Email-Event-Webhook-Timestamp': String(timestamp),
    });
  }

  it('[G8] writes delivered, deferred, bounced, dropped and spam reports into the mail’s row', async () => {
    for (const [name, state] of [
      ['delivered', 'delivered'],
      ['deferred', 'deferred'],
      ['bounce', 'bounced'],
      ['dropped', 'dropped'],
      ['spamreport', 'spamReported'],
    ] as const) {
      const id = await acceptedMail();
      const answer = await post(JSON.stringify([event(name, id)]));
      expect(answer).toMatchObject({ status: 200, json: { noted: 1 } });
      await expect(providerOf(id)).resolves.toMatchObject({ state });
    }
    expect(app.host.output()).toContain('"event":"mailReported","level":"error"');
  });

  it('finds a mail by the Unicode form of the domain when SendGrid names its punycode', async () => {
    const id = await acceptedMail(addressHashOf('someuser@bücher.example'));
    const report = event('delivered', id, now(), { email: 'someuser@xn--bcher-kva.example' });
    await expect(post(JSON.stringify([report]))).resolves.toMatchObject({
      status: 200,
      json: { noted: 1, unknown: 0 },
    });
  });

  it('takes custom args flat as well as nested in unique_args', async () => {
    const id = await acceptedMail();
    const { mail_id: nested, ...flat } = event('delivered', id);
    await post(JSON.stringify([{ ...flat, unique_args: { mail_id: nested } }]));
    await expect(providerOf(id)).resolves.toMatchObject({ state: 'delivered' });
  });

  it('answers 200 for events that are not about our mails, 403 for a bad signature', async () => {
    const foreign = [event('delivered', newId()), { email: 'x@y.z', event: 'open', timestamp: now() }, 'nonsense'];
    await expect(post(JSON.stringify(foreign))).resolves.toMatchObject({ status: 200, json: { noted: 0, unknown: 1 } });
    await expect(post('not json')).resolves.toMatchObject({ status: 200, json: { noted: 0 } });
    const body = JSON.stringify([event('delivered', await acceptedMail())]);
    for (const signature of ['', 'garbage', sign(body, now(), keyPair().privateKey)])
      await expect(post(body, { signature })).resolves.toMatchObject({ status: 403, json: { code: 'forbidden' } });
    await expect(app.post('webhooks/sendgrid', body)).resolves.toMatchObject({ status: 403 });
  });

  it('[HK1] refuses everything while no public key is set', async () => {
    const unset = await startApp({ queues: false, timers: false });
    const body = '[]';
    const timestamp = now();
    const answer = await unset.post('webhooks/sendgrid', body, {
      'X-Twilio-Email-Event-Webhook-Signature': sign(body, timestamp),
      'X-Twilio-Email-Event-Webhook-Timestamp': String(timestamp),
    });
    await unset.stop();
    expect(answer.status).toBe(403);
  });

  it('[HK2] a replay of a body has no effect, nor has an older state', async () => {
    const id = await acceptedMail();
    const body = JSON.stringify([event('bounce', id)]);
    await expect(post(body)).resolves.toMatchObject({ status: 200, json: { noted: 1 } });
    await expect(post(body)).resolves.toMatchObject({ status: 200, json: { noted: 0, stale: 1 } });
    await post(JSON.stringify([event('delivered', id, now() + 10)]));
    await expect(providerOf(id)).resolves.toMatchObject({ state: 'bounced' });
  });

  it('takes a batch whose line ends are not those of JSON.stringify: the raw bytes are verified', async () => {
    const id = await acceptedMail();
    const two = `[${JSON.stringify(event('deferred', id))},\r\n${JSON.stringify(event('delivered', id))}]\r\n`;
    await expect(post(two)).resolves.toMatchObject({ status: 200, json: { noted: 2 } });
    await expect(providerOf(id)).resolves.toMatchObject({ state: 'delivered' });
  });

  it('[HK5] a bounce never blocks a later request', async () => {
    await post(JSON.stringify([event('bounce', await acceptedMail())]));
    const answer = await app.post('password-reset/request', { email: someuser.email });
    expect(answer).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
    const { approximateMessagesCount } = await (await app.storage.queue('outgoing-mail')).getProperties();
    expect(approximateMessagesCount).toBe(1);
  });

  it('refuses a body over 1 MiB with 413', async () => {
    await expect(post(`[${' '.repeat(1024 * 1024)}]`)).resolves.toMatchObject({ status: 413 });
  });
});
