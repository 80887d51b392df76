// The site's row in the table: seeded from the settings, edited by an operator, never overwritten.
import { addAccount, eventually, someuser, startApp, type App } from '../support/app';
import { emptyStorage } from '../support/storage';

const siteRow = (app: App) => app.storage.table('SiteSettings').get('site', '1');

describe('the site settings', () => {
  it('stand in the table after the start, as the settings say', async () => {
    const app = await startApp({ queues: false });
    const row = await eventually(() => siteRow(app));
    await app.stop();
    expect(row).toMatchObject({
      domain: 'codalab.org',
      name: 'CodaLab',
      protocol: 'http',
      defaultFromEmail: 'info@codalab.org',
      serverEmail: 'info@codalab.org',
      contactEmail: 'info@codalab.org',
      locale: 'en',
    });
  });

  it('[ST4] an edited name is in the next mail’s subject within 60 s, without a restart', async () => {
    const app = await startApp({ env: { LIMIT_PER_ADDRESS: 'off', LIMIT_PER_IP: 'off' } });
    await addAccount(app, someuser);
    await app.post('password-reset/request', { email: someuser.email });
    const [before = ''] = await app.mailsWithin(1);
    expect(before).toContain('Subject: [CodaLab] Password Reset E-mail');
    const row = await siteRow(app);
    await app.storage
      .table('SiteSettings')
      .merge('site', '1', { name: 'Renamed by an operator' }, row?.etag ?? '');
    const edited = performance.now();
    const renamed = await eventually(async () => {
      const count = app.mails().length;
      await app.post('password-reset/request', { email: someuser.email });
      const mails = await app.mailsWithin(count + 1);
      return mails.find((mail) => mail.includes('Subject: [Renamed by an operator] Password Reset E-mail'));
    }, 60);
    await app.stop();
    expect(renamed).toBeDefined();
    expect(performance.now() - edited).toBeLessThan(60_000);
  }, 90_000);

  it('[ST2] ten hosts that start at once on empty storage leave one row, and a later start overwrites no edit', async () => {
    const connectionString = emptyStorage();
    const apps = await Promise.all(Array.from({ length: 10 }, () => startApp({ connectionString, queues: false })));
    const [app] = apps;
    if (app === undefined) throw new Error('no app');
    await eventually(() => siteRow(app));
    await Promise.all(apps.map(({ host }) => host.runTimer('seedSite')));
    const rows = [];
    for await (const row of app.storage.table('SiteSettings').list("PartitionKey ne ''")) rows.push(row);
    expect(rows).toHaveLength(1);
    for (const { host } of apps) expect(host.output()).not.toContain('"event":"taskFailed"');
    await Promise.all(apps.map((one) => one.stop()));

    await app.storage
      .table('SiteSettings')
      .merge('site', '1', { name: 'Mine', contactEmail: '' }, rows[0]?.etag ?? '');
    const later = await startApp({ connectionString, queues: false, env: { CODALAB_SITE_NAME: 'Theirs' } });
    await later.host.runTimer('seedSite');
    await expect(siteRow(later)).resolves.toMatchObject({ name: 'Mine', contactEmail: '', domain: 'codalab.org' });
    await later.stop();
  }, 60_000);
});
