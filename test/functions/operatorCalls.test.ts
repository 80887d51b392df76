// What a site's own server, operators and support call: the backend calls, health, links, deliveries/find, SendGrid's webhook, the timers.
import { createSign, generateKeyPairSync } from 'node:crypto';
import { z } from 'zod';
import { newId } from '../../shared/clock';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp, type App } from '../support/app';
import { expectDocumented } from '../support/openapi';
import { connectionString } from '../support/storage';

async function get(app: App, route: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${app.host.url}/api/${route}`, { headers });
  const text = await response.text();
  expectDocumented('GET', `/api/${route}`, { status: response.status, headers: response.headers, text });
  return { status: response.status, json: text === '' ? undefined : (JSON.parse(text) as unknown) };
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
/** As SendGrid signs: ECDSA with SHA-256 over timestamp and raw body, DER in base64. */
const sign = (body: string, timestamp: number): string =>
  createSign('sha256').update(`${timestamp}${body}`).sign(privateKey, 'base64');

const foundMails = z.tuple([
  z.object({ id: z.string(), state: z.literal('accepted'), provider: z.object({ state: z.string() }).optional() }),
]);

describe('with good settings', () => {
  let app: App;
  beforeAll(async () => {
    const webhookKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const env = { LINKS_ENDPOINT: 'on', ADMINS: 'admin@codalab.org', SENDGRID_WEBHOOK_PUBLIC_KEY: webhookKey };
    app = await startApp({ env });
    await addAccount(app, someuser);
  });
  afterAll(() => app.stop());
  const withKey = () => ({ 'x-functions-key': app.host.functionKey });
  const newMail = async (cause: () => Promise<unknown>): Promise<string> => {
    const before = app.mails().length;
    await cause();
    return (await app.mailsWithin(before + 1))[before] ?? '';
  };

  it('answers nobody without a function key', async () => {
    const steps = ['request', 'check', 'redeem'].map((step) => `backend/password-reset/${step}`);
    for (const route of [...steps, 'password-reset/links', 'deliveries/find']) {
      await expect(app.post(route, { email: someuser.email })).resolves.toMatchObject({ status: 401 });
    }
    await expect(get(app, 'health/details')).resolves.toMatchObject({ status: 401 });
  });

  it('does the three steps for the site’s own server', async () => {
    await addAccount(app, { id: '7', email: 'served@example.org', username: 'served' });
    const call = (step: string, body: object) => app.post(`backend/password-reset/${step}`, body, withKey());
    // The language of the server's own client is not the person's.
    const headers = { ...withKey(), 'Accept-Language': 'fr' };
    const email = 'served@example.org';
    const mail = await newMail(() => app.post('backend/password-reset/request', { email }, headers));
    expect(mail).toContain('Subject: [CodaLab] Password Reset');
    const key = keyIn(mail);
    await expect(call('check', { key })).resolves.toMatchObject({ status: 200, json: { username: 'served' } });
    const newPassword = 'a password sent by the server';
    await expect(call('redeem', { key, newPassword })).resolves.toMatchObject({ status: 200 });
    await expect(call('redeem', { key, newPassword: `another ${newPassword}` })).resolves.toMatchObject({
      status: 410,
    });
  });

  it('serves the OpenAPI document', async () => {
    await expect(get(app, 'openapi.json')).resolves.toMatchObject({ status: 200, json: { openapi: '3.1.0' } });
  });

  it('health is ok, and says which part only to the holder of a function key', async () => {
    await expect(get(app, 'health')).resolves.toEqual({ status: 200, json: { status: 'ok' } });
    const json = { status: 'ok', settings: 'ok', tables: 'ok', queue: 'ok', site: 'ok' };
    await expect(get(app, 'health/details', withKey())).resolves.toEqual({ status: 200, json });
  });

  it('gives support a link that works, three times, tells the mailbox, and never mails the link', async () => {
    await addAccount(app, { id: '9', email: 'support@somewhere.com', username: 'supported' });
    const ask = (email: string) => app.post('password-reset/links', { email }, withKey());
    let links: unknown;
    const mail = await newMail(async () => {
      links = (await ask('support@somewhere.com')).json['links'];
    });
    expect(links).toMatchObject([{ username: 'supported', url: expect.stringMatching(/^http:\/\/codalab\.org\//) }]);
    expect(mail).toContain('Subject: [CodaLab] Password Reset by Support');
    expect(mail).not.toContain('/reset/key/');
    const key = keyIn(JSON.stringify(links));
    const newPassword = 'a password given to support by nobody';
    await expect(app.post('password-reset/redeem', { key, newPassword })).resolves.toMatchObject({ status: 200 });
    expect(app.host.output()).not.toContain(key);
    await newMail(() => ask('support@somewhere.com'));
    await newMail(() => ask('support@somewhere.com'));
    await expect(ask('support@somewhere.com')).resolves.toMatchObject({ status: 429 });
    await expect(ask('nobody@somewhere.com')).resolves.toMatchObject({ status: 200, json: { links: [] } });
    await expect(ask('')).resolves.toMatchObject({ status: 400, json: { code: 'invalid_request' } });
  });

  it('says what became of the mails of an address, without a word of the address', async () => {
    await addAccount(app, { id: '8', email: 'asks@example.org', username: 'asks' });
    await newMail(() => app.post('password-reset/request', { email: 'asks@example.org' }));
    const found = await eventually(async () => {
      const answer = await app.post('deliveries/find', { email: 'ASKS@example.org' }, withKey());
      return answer.text.includes('"accepted"') ? answer : undefined;
    });
    expect(found.json['deliveries']).toMatchObject([
      { kind: 'passwordReset', state: 'accepted', backend: 'console', attempt: 0 },
    ]);
    expect(found.text).not.toContain('@');
  });

  it('[G8] [HK2] [HK5] takes SendGrid’s reports of a mail: the furthest counts, and the address can ask again', async () => {
    const email = 'bounces@example.org';
    await addAccount(app, { id: '6', email, username: 'bounces' });
    const ask = () => newMail(() => app.post('password-reset/request', { email }));
    const find = async () =>
      foundMails.safeParse((await app.post('deliveries/find', { email }, withKey())).json['deliveries']).data?.[0];
    await ask();
    const { id } = await eventually(find);
    const now = Math.floor(Date.now() / 1000);
    const report = (body: string, signature = sign(body, now)) =>
      app.post('webhooks/sendgrid', body, {
        'X-Twilio-Email-Event-Webhook-Signature': signature,
        'X-Twilio-Email-Event-Webhook-Timestamp': String(now),
      });
    // The batch has line ends of its own: the signature is of the raw bytes.
    const batch = (...events: [name: string, at: number][]) =>
      `${JSON.stringify(events.map(([event, timestamp]) => ({ email, event, timestamp, mail_id: id, sg_event_id: newId() })))}\r\n`;
    const counts = (noted: number, stale: number) => ({ status: 200, json: { noted, stale, unknown: 0 } });
    const bounced = batch(['deferred', now], ['bounce', now]);
    await expect(report(bounced)).resolves.toMatchObject(counts(1, 1));
    await expect(report(bounced)).resolves.toMatchObject(counts(0, 2));
    await expect(report(batch(['delivered', now + 10]))).resolves.toMatchObject(counts(0, 1));
    await expect(find()).resolves.toMatchObject({ provider: { state: 'bounced' } });
    await app.logged(/"event":"mailReported","level":"error"/);
    for (const signature of ['', 'garbage', sign('[]', now - 1)]) {
      await expect(report('[]', signature)).resolves.toMatchObject({ status: 403, json: { code: 'forbidden' } });
    }
    await expect(app.post('webhooks/sendgrid', '[]')).resolves.toMatchObject({ status: 403 });
    await expect(report('x'.repeat(1_050_000))).resolves.toMatchObject({ status: 413 });
    await ask();
  });

  it('mails in the language of the request: its locale, else the browser’s, else the site’s', async () => {
    const subjectFor = async (body: object, headers: Record<string, string> = {}) => {
      const ask = { email: someuser.email, ...body };
      return /^Subject: (.*)$/m.exec(await newMail(() => app.post('password-reset/request', ask, headers)))?.[1];
    };
    await expect(subjectFor({ locale: 'fr' }, { 'Accept-Language': 'de' })).resolves.toContain('Réinitialisation');
    await expect(subjectFor({}, { 'Accept-Language': 'de-AT, en;q=0.5' })).resolves.toContain('Passwort');
    await expect(subjectFor({}, { 'Accept-Language': 'xx' })).resolves.toBe('[CodaLab] Password Reset E-mail');
  });

  it('purges what has served its time and nothing else', async () => {
    const [old, young] = [8, 6].map((days) => new Date(Date.now() - days * 86_400_000));
    const keys = app.storage.table('ResetKeys');
    for (const [partition, expiresAt] of Object.entries({ old, young })) {
      await keys.insert(partition, '1', { accountId: '1', credentialVersion: 'x', expiresAt });
    }
    await app.host.runTimer('purgeExpired');
    await expect(keys.get('old', '1')).resolves.toBeUndefined();
    await expect(keys.get('young', '1')).resolves.toBeDefined();
    await expect(readAccount(app, someuser.email)).resolves.toBeDefined();
  });

  it('[Q9] reports the poison queue: one mail to ADMINS for the same state, and nothing is consumed', async () => {
    const queue = await app.storage.queue('outgoing-mail-poison');
    const message = JSON.stringify({ v: 1, id: newId(), attempt: 3, kid: 'dev', sealed: 'x' });
    await queue.sendMessage(Buffer.from(message).toString('base64'));
    await app.host.runTimer('reportPoisonMail');
    await app.host.runTimer('reportPoisonMail');
    await app.logged(/("event":"poisonMail".*"count":1[^]*){2}/);
    expect(app.mails().filter((mail) => mail.includes('To: admin@codalab.org'))).toHaveLength(1);
    expect((await queue.getProperties()).approximateMessagesCount).toBe(1);
  });
});

it('while storage is down, nothing is found, health says so, and the calls are to be tried again', async () => {
  const nowhere = connectionString('test0', { blob: 9, queue: 9, table: 9 });
  const env = { LINKS_ENDPOINT: 'on' };
  const app = await startApp({ connectionString: nowhere, makeTables: false, queues: false, timers: false, env });
  const withKey = { 'x-functions-key': app.host.functionKey };
  for (const route of ['password-reset/links', 'deliveries/find']) {
    const answer = await app.post(route, { email: someuser.email }, withKey);
    expect(answer).toMatchObject({ status: 503, json: { code: 'unavailable' } });
  }
  await expect(get(app, 'health')).resolves.toEqual({ status: 503, json: { status: 'unavailable' } });
  const { json } = await get(app, 'health/details', withKey);
  expect(json).toMatchObject({ settings: 'ok', tables: 'connection', queue: 'connection' });
  await app.stop();
});

describe('with bad settings', () => {
  it('registers only health, which names the settings, never their values, in its answer and in its own log', async () => {
    const env = { RESET_SIGNING_SECRETS: 'k1:c2hvcnQ=', EMAIL_PORT: 'none', LIMIT_PER_IP: 'many' };
    const app = await startApp({ env });
    await expect(get(app, 'health')).resolves.toEqual({ status: 503, json: { status: 'unavailable' } });
    expect((await app.post('password-reset/request', { email: someuser.email })).status).toBe(404);
    const { json } = await get(app, 'health/details', { 'x-functions-key': app.host.functionKey });
    await app.stop();
    const names = ['EMAIL_PORT', 'LIMIT_PER_IP', 'RESET_SIGNING_SECRETS'].map((name): unknown =>
      expect.stringContaining(name),
    );
    expect(json).toMatchObject({ settings: expect.arrayContaining(names) });
    // The host drops what is printed outside of an invocation: the alert lives by what the health call logs.
    expect(app.host.output()).toMatch(/^\[health\] \{"event":"badSettings","level":"error"/m);
    expect(app.host.output()).toMatch(/^\{"event":"badSettings"/m);
    expect(app.host.output()).not.toContain('c2hvcnQ=');
  });
});
