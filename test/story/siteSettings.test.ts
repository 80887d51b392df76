// The site's row in the table: seeded from the settings, edited by an operator, never overwritten.
import { eventually, startApp, type App } from '../support/app';
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

  it('[ST2] three hosts that start at once on empty storage leave one row, and a later start overwrites no edit', async () => {
    const connectionString = emptyStorage();
    const apps = await Promise.all(
      Array.from({ length: 3 }, () => startApp({ connectionString, queues: false, makeTables: false })),
    );
    const [app] = apps;
    if (app === undefined) throw new Error('no app');
    await Promise.all(apps.map(({ host }) => host.runTimer('seedSite')));
    const rows = [];
    for await (const row of app.storage.table('SiteSettings').list("PartitionKey ne ''")) rows.push(row);
    expect(rows).toHaveLength(1);
    for (const { host } of apps) expect(host.output()).not.toContain('"event":"taskFailed"');
    await Promise.all(apps.map((one) => one.stop()));

    await app.storage.table('SiteSettings').merge('site', '1', { name: 'Mine', contactEmail: '' }, rows[0]?.etag ?? '');
    const later = await startApp({ connectionString, queues: false, env: { CODALAB_SITE_NAME: 'Theirs' } });
    await later.host.runTimer('seedSite');
    await expect(siteRow(later)).resolves.toMatchObject({ name: 'Mine', contactEmail: '', domain: 'codalab.org' });
    await later.stop();
  }, 60_000);
});
