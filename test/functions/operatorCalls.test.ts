// What operators and support call: health, links, deliveries/find, the timers. The statuses of these calls are in openapi.test.ts.
import { newId } from '../../shared/clock';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp, type App } from '../support/app';

async function get(app: App, route: string, headers: Record<string, string> = {}) {
  const response = await fetch(`${app.host.url}/api/${route}`, { headers });
  const json: unknown = await response.json();
  return { status: response.status, json };
}

describe('with good settings', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ env: { LINKS_ENDPOINT: 'on', ADMINS: 'admin@codalab.org', LIMIT_PER_ADDRESS: 'off' } });
    await addAccount(app, someuser);
  });
  afterAll(() => app.stop());
  const withKey = () => ({ 'x-functions-key': app.host.functionKey });
  const newMail = async (cause: () => Promise<unknown>): Promise<string> => {
    const before = app.mails().length;
    await cause();
    return (await app.mailsWithin(before + 1))[before] ?? '';
  };

  it('health is ok, and says which part only to the holder of a function key', async () => {
    await expect(get(app, 'health')).resolves.toEqual({ status: 200, json: { status: 'ok' } });
    const json = { status: 'ok', settings: 'ok', tables: 'ok', queue: 'ok', site: 'ok' };
    await expect(get(app, 'health/details', withKey())).resolves.toEqual({ status: 200, json });
  });

  it('gives support a link that works, tells the mailbox, and never mails the link', async () => {
    let links: unknown;
    const mail = await newMail(async () => {
      links = (await app.post('password-reset/links', { email: someuser.email }, withKey())).json['links'];
    });
    expect(links).toMatchObject([{ username: 'someuser', url: expect.stringMatching(/^http:\/\/codalab\.org\//) }]);
    expect(mail).toContain('Subject: [CodaLab] Password Reset by Support');
    expect(mail).not.toContain('/reset/key/');
    const key = keyIn(JSON.stringify(links));
    const newPassword = 'a password given to support by nobody';
    await expect(app.post('password-reset/redeem', { key, newPassword })).resolves.toMatchObject({ status: 200 });
    expect(app.host.output()).not.toContain(key);
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
