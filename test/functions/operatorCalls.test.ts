// What operators and support call: health, links, deliveries/find, the timers for poison and purge.
import { createScriptedAdmins } from '../support/admins';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp, type App } from '../support/app';
import { addressHashOf } from '../../shared/address';


async function get(app: App, route: string, key?: string) {
  const response = await fetch(
    `${app.host.url}/api/${route}`,
    key === undefined ? {} : { headers: { 'x-functions-key': key } },
  );
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

describe('with good settings', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ env: { LINKS_ENDPOINT: 'on' } });
    await addAccount(app, someuser);
  });
  afterAll(() => app.stop());
  const withKey = () => ({ 'x-functions-key': app.host.functionKey });

  it('health is ok, and says which part only to the holder of a function key', async () => {
    await expect(get(app, 'health')).resolves.toEqual({ status: 200, json: { status: 'ok' } });
    const details = await get(app, 'health/details', app.host.functionKey);
    expect(details).toEqual({
      status: 200,
      json: { status: 'ok', settings: 'ok', tables: 'ok', queue: 'ok', site: 'ok' },
    });
    expect((await fetch(`${app.host.url}/api/health/details`)).status).toBe(401);
  });

  it('gives support a link that works, tells the mailbox, and never mails the link', async () => {
    const before = app.mails().length;
    const answer = await app.post('password-reset/links', { email: someuser.email }, withKey());
    expect(answer.status).toBe(200);
    const [link] = answer.json['links'] as { username: string; url: string; expiresAt: string }[];
    expect(link).toMatchObject({ username: 'someuser', url: expect.stringMatching(/^http:\/\/codalab\.org\//) });
    const mails = await app.mailsWithin(before + 1);
    expect(mails[before]).toContain('Subject: [CodaLab] Password Reset by Support');
    expect(mails[before]).not.toContain('/reset/key/');
    const key = keyIn(link?.url ?? '');
    const redeemed = await app.post('password-reset/redeem', {
      key,
      newPassword: 'a password given to support by nobody',
    });
    expect(redeemed.status).toBe(200);
    expect(app.host.output()).not.toContain(key);
  });

  it('the links call wants a function key, answers no links for an unknown address, and is limited per address', async () => {
    await expect(app.post('password-reset/links', { email: someuser.email })).resolves.toMatchObject({ status: 401 });
    await expect(app.post('password-reset/links', { email: 'nobody@example.org' }, withKey())).resolves.toMatchObject({
      status: 200,
      json: { links: [] },
    });
    await addAccount(app, { id: '7', email: 'limited@example.org', username: 'limited' });
    const ask = () => app.post('password-reset/links', { email: 'limited@example.org' }, withKey());
    const statuses = [(await ask()).status, (await ask()).status, (await ask()).status, (await ask()).status];
    expect(statuses).toEqual([200, 200, 200, 429]);
  });

  it('says what became of the mails of an address, without a word of the address', async () => {
    await addAccount(app, { id: '8', email: 'asks@example.org', username: 'asks' });
    await app.post('password-reset/request', { email: 'asks@example.org' });
    const found = await eventually(async () => {
      const answer = await app.post('deliveries/find', { email: 'ASKS@example.org' }, withKey());
      const deliveries = answer.json['deliveries'] as { state: string }[];
      return deliveries[0]?.state === 'accepted' ? answer : undefined;
    });
    expect(found.json['deliveries']).toMatchObject([
      { kind: 'passwordReset', state: 'accepted', backend: 'console', attempt: 0 },
    ]);
    expect(found.text).not.toContain('@');
    await expect(app.post('deliveries/find', { email: 'asks@example.org' })).resolves.toMatchObject({ status: 401 });
  });

  it('purges what has served its time and nothing else', async () => {
    const days = (count: number) => new Date(Date.now() - count * 86_400_000);
    const keys = app.storage.table('ResetKeys');
    const row = { accountId: '1', credentialVersion: 'x' };
    await keys.insert('old', '1', { ...row, expiresAt: days(8) });
    await keys.insert('young', '1', { ...row, expiresAt: days(6) });
    const deliveries = app.storage.table('Deliveries');
    await deliveries.insert('old', '1', { updatedAt: days(31) });
    await deliveries.insert('young', '1', { updatedAt: days(29) });
    await app.storage.table('Limits').insert('old', 'bucket', { fullAt: days(2) });
    await app.host.runTimer('purgeExpired');
    for (const table of [keys, deliveries]) {
      await expect(table.get('old', '1')).resolves.toBeUndefined();
      await expect(table.get('young', '1')).resolves.toBeDefined();
    }
    await expect(app.storage.table('Limits').get('old', 'bucket')).resolves.toBeUndefined();
    await expect(readAccount(app, someuser.email)).resolves.toBeDefined();
  });
});

it('mails in the language of the request: its locale, else the browser’s, else the site’s', async () => {
  const app = await startApp({ timers: false, env: { LIMIT_PER_ADDRESS: 'off' } });
  await addAccount(app, someuser);
  const subjectFor = async (body: object, headers: Record<string, string> = {}): Promise<string | undefined> => {
    const before = app.mails().length;
    await app.post('password-reset/request', { email: someuser.email, ...body }, headers);
    const mails = await app.mailsWithin(before + 1);
    return /^Subject: (.*)$/m.exec(mails[before] ?? '')?.[1];
  };
  await expect(subjectFor({ locale: 'fr' }, { 'Accept-Language': 'de' })).resolves.toContain('Réinitialisation');
  await expect(subjectFor({}, { 'Accept-Language': 'de-AT, en;q=0.5' })).resolves.toContain('Passwort');
  await expect(subjectFor({}, { 'Accept-Language': 'xx' })).resolves.toBe('[CodaLab] Password Reset E-mail');
  await app.stop();
});

it('warns when nearly all requests share one client: a wrong TRUSTED_PROXY_HOPS', async () => {
  const app = await startApp({ queues: false, timers: false, env: { LIMIT_PER_IP: 'off' } });
  for (let batch = 0; batch < 20; batch++) {
    await Promise.all(Array.from({ length: 25 }, () => app.post('password-reset/check', { key: 'x' })));
  }
  await app.stop();
  expect(app.host.output().match(/"event":"oneClient","level":"warn"/g)).toHaveLength(1);
});

describe('the poison report', () => {
  it('[Q9] peeks, mails ADMINS once for the same state, names ids and no address, and consumes nothing', async () => {
    const { app, mailsToAdmins, close } = await createScriptedAdmins();
    const queue = await app.storage.queue('outgoing-mail-poison');
    await queue.createIfNotExists();
    const id = 'aaaaaaaaaaaaaaaaaaaaaa';
    await queue.sendMessage(
      Buffer.from(JSON.stringify({ v: 1, id, attempt: 3, kid: 'dev', sealed: 'x' })).toString('base64'),
    );
    await queue.sendMessage('not base64 at all');
    await app.host.runTimer('reportPoisonMail');
    await app.host.runTimer('reportPoisonMail');
    const mails = mailsToAdmins();
    expect(mails).toHaveLength(1);
    expect(mails[0]).toMatchObject({ to: 'admin@codalab.org', from: 'info@codalab.org' });
    expect(mails[0]?.text).toContain(id);
    expect(mails[0]?.text).not.toContain('@somewhere.com');
    const events = app.host.output().match(/"event":"poisonMail"[^\n]*/g) ?? [];
    expect(events).toHaveLength(2);
    expect(events[0]).toContain('"count":2');
    expect((await queue.getProperties()).approximateMessagesCount).toBe(2);
    await close();
  });

  it('[E6] a mail the provider refuses for good is recorded, kept for a replay, and mailed to ADMINS; the request said 202', async () => {
    const { app, sendgrid, mailsToAdmins, close } = await createScriptedAdmins();
    await addAccount(app, someuser);
    sendgrid.script({ status: 400, body: '{"errors":[{"message":"domain not allowed for someuser@somewhere.com"}]}' });
    const answer = await app.post('password-reset/request', { email: someuser.email });
    expect(answer).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
    const row = await eventually(async () => {
      for await (const one of app.storage
        .table('Deliveries')
        .list(`PartitionKey eq '${addressHashOf(someuser.email)}'`)) {
        if (one['state'] === 'failed') return one;
      }
      return undefined;
    });
    expect(row).toMatchObject({ reason: 'sendgrid_400' });
    expect((await (await app.storage.queue('outgoing-mail-poison')).getProperties()).approximateMessagesCount).toBe(1);
    await app.host.runTimer('reportPoisonMail');
    expect(mailsToAdmins()).toHaveLength(1);
    expect(mailsToAdmins()[0]?.text).toContain(row.rowKey);
    expect(app.host.output()).not.toContain('someuser@somewhere.com');
    expect(app.host.output()).not.toContain('SG.admins-test');
    await close();
  });
});

describe('with bad settings', () => {
  it('registers only health, which answers 503 and names the settings, never their values; messages wait', async () => {
    const app = await startApp({
      env: { RESET_SIGNING_SECRETS: 'k1:c2hvcnQ=', EMAIL_PORT: 'none', LIMIT_PER_IP: 'many' },
    });
    await expect(get(app, 'health')).resolves.toEqual({ status: 503, json: { status: 'unavailable' } });
    expect((await app.post('password-reset/request', { email: someuser.email })).status).toBe(404);
    const details = await get(app, 'health/details', app.host.functionKey);
    await app.stop();
    const settings = details.json['settings'] as string[];
    expect(settings.map((problem) => problem.split(' ')[0]).sort()).toEqual([
      'EMAIL_PORT',
      'LIMIT_PER_IP',
      'RESET_SIGNING_SECRETS',
    ]);
    expect(app.host.output()).toContain('"event":"badSettings"');
    expect(app.host.output()).not.toContain('c2hvcnQ=');
  });
});
