// The life of an instance: cold start, shutdown in the middle of work, death right after an answer.
import { verifyPassword } from '../../shared/password/passwordHash';
import { startScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp } from '../support/app';
import { emptyStorage } from '../support/storage';

const goodPassword = 'correct horse battery staple';

it('[HO1] SIGTERM while SendGrid takes its time: the mail is finished and sent once', async () => {
  const connectionString = emptyStorage();
  const sendgrid = await startScriptedSendGrid();
  const env = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.test', SENDGRID_API_URL: sendgrid.url };
  const app = await startApp({ connectionString, env, timers: false });
  await addAccount(app, someuser);
  sendgrid.script({ status: 202, delayMs: 3000 });
  await app.post('password-reset/request', { email: someuser.email });
  await eventually(() => (sendgrid.requests.length === 1 ? true : undefined));
  await expect(app.stop()).resolves.toBe(0);
  expect(app.host.output()).toContain('"outcome":"accepted"');
  expect((await (await app.storage.queue('outgoing-mail')).getProperties()).approximateMessagesCount).toBe(0);
  expect(sendgrid.requests).toHaveLength(1);
  await sendgrid.close();
});

it('[HO1] SIGTERM while passwords are hashed: each redemption answers or leaves its account as it was', async () => {
  const app = await startApp({ env: { LIMIT_PER_IP: 'off' } });
  const people = Array.from({ length: 12 }, (_, index) => ({
    id: String(index),
    email: `person${index}@example.org`,
    username: `person${index}`,
  }));
  for (const person of people) {
    await addAccount(app, person);
    await app.post('password-reset/request', { email: person.email });
  }
  const mails = await app.mailsWithin(people.length);
  const calls = people.map(async ({ email, id }) => {
    const key = keyIn(mails.find((mail) => mail.includes(`To: ${email}\n`)) ?? '');
    const answer = await app.post('password-reset/redeem', { key, newPassword: goodPassword }).catch(() => undefined);
    return { email, id, status: answer?.status };
  });
  app.host.signal('SIGTERM');
  const answers = await Promise.all(calls);
  await expect(app.host.exited).resolves.toBe(0);
  for (const { email, id, status } of answers) {
    const stored = String((await readAccount(app, email, id))?.['password']);
    if (status === 200) await expect(verifyPassword(goodPassword, stored)).resolves.toBe(true);
    else expect(stored === 'pbkdf2_sha256$1$salt$AAAA' || (await verifyPassword(goodPassword, stored))).toBe(true);
  }
});

it('[HO2] an instance that dies right after its 202 has lost nothing', async () => {
  const connectionString = emptyStorage();
  const app = await startApp({ connectionString, queues: false, timers: false });
  await addAccount(app, someuser);
  const answer = await app.post('password-reset/request', { email: someuser.email });
  app.host.signal('SIGKILL');
  await app.host.exited;
  expect(answer.status).toBe(202);
  const next = await startApp({ connectionString, timers: false });
  const [mail = ''] = await next.mailsWithin(1);
  expect(mail).toContain('To: someuser@somewhere.com');
  await next.stop();
});

it('[ST2] three hosts that start at once on empty storage leave one row, and a later start overwrites no edit', async () => {
  const connectionString = emptyStorage();
  const start = (env = {}) => startApp({ connectionString, queues: false, makeTables: false, env });
  const apps = await Promise.all([start(), start(), start()]);
  await Promise.all(apps.map(({ host }) => host.runTimer('seedSite')));
  await Promise.all(apps.map((one) => one.stop()));
  for (const { host } of apps) expect(host.output()).not.toContain('"event":"taskFailed"');
  const later = await start({ CODALAB_SITE_NAME: 'Theirs' });
  const sites = later.storage.table('SiteSettings');
  const rows = [];
  for await (const row of sites.list("PartitionKey ne ''")) rows.push(row);
  const seeded = { domain: 'codalab.org', name: 'CodaLab', protocol: 'http', locale: 'en' };
  const mailboxes = { defaultFromEmail: 'info@codalab.org', serverEmail: 'info@codalab.org' };
  expect(rows).toMatchObject([{ ...seeded, ...mailboxes, contactEmail: 'info@codalab.org' }]);

  await sites.merge('site', '1', { name: 'Mine', contactEmail: '' }, '*');
  await later.host.runTimer('seedSite');
  await expect(sites.get('site', '1')).resolves.toMatchObject({
    name: 'Mine',
    contactEmail: '',
    domain: 'codalab.org',
  });
  await later.stop();
}, 60_000);
