import type { AppEvent } from '../../shared/events';
import { StorageUnavailable } from '../../shared/errors';
import { createSiteSource, mailboxAddress, resetLink, siteSchema, type Site } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import { createMemoryTableStore } from '../fakes/memoryTableStore';
import { codalab, createTestClock, within } from '../support/flow';

const inProduction = siteSchema(false);
const wrongColumns = (row: unknown, development = false): string[] => {
  const parsed = siteSchema(development).safeParse(row);
  return parsed.success ? [] : [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))];
};

describe('the site row', () => {
  it('of CodaLab is good', () => {
    expect(inProduction.parse(codalab)).toEqual(codalab);
  });

  it('may have further columns, which do not matter', () => {
    expect(inProduction.parse({ ...codalab, etag: 'x', remark: 7 })).toEqual(codalab);
  });

  it.each([
    ['domain', 'https://codalab.org'],
    ['domain', 'codalab.org/'],
    ['domain', 'codalab.org/path'],
    ['domain', 'user@codalab.org'],
    ['domain', 'codalab.org?x'],
    ['domain', 'codalab.org#x'],
    ['domain', 'codalab.org\r\nBcc: x'],
    ['domain', 'coda lab.org'],
    ['domain', '-codalab.org'],
    ['domain', ''],
    ['domain', 7],
    ['domain', 'x'.repeat(254)],
    ['name', ''],
    ['name', 'Coda\r\nBcc: evil@z.example'],
    ['name', 'Coda\u202eLab'],
    ['name', 'Coda\u2028Lab'],
    ['name', 'x'.repeat(101)],
    ['name', null],
    ['protocol', 'ftp'],
    ['protocol', 'javascript'],
    ['protocol', undefined],
    ['defaultFromEmail', 'nobody'],
    ['defaultFromEmail', 'a@b.example, c@d.example'],
    ['defaultFromEmail', 'CodaLab <a@b.example> <c@d.example>'],
    ['defaultFromEmail', 'CodaLab\r\nBcc: x <a@b.example>'],
    ['serverEmail', ''],
    ['contactEmail', 'not an address'],
    ['loginUrl', 'javascript:alert(1)'],
    ['loginUrl', 'http://codalab.org/login'],
    ['loginUrl', 'https://evil@codalab.org/'],
    ['locale', 'not a locale'],
    ['locale', ''],
    ['resetUrl', 'javascript:alert({key})'],
    ['resetUrl', '{protocol}://{domain}/'],
    ['resetUrl', '{protocol}://{domain}/{key}/{key}'],
    ['resetUrl', 'https://evil@{domain}/{key}'],
    ['resetUrl', '{protocol}://evil@{domain}/{key}'],
    ['resetUrl', 'http://codalab.org/{key}'],
    ['resetUrl', '//{domain}/{key}'],
    ['resetUrl', 'https:{key}'],
  ] as const)('[L4] [T3] is refused for the %s %j', (column, value) => {
    expect(wrongColumns({ ...codalab, [column]: value })).toContain(column);
  });

  it('[L4] may be plain http on loopback and in development only', () => {
    const http = { ...codalab, protocol: 'http' };
    expect(wrongColumns(http)).toContain('protocol');
    expect(wrongColumns(http, true)).toEqual([]);
    expect(wrongColumns({ ...http, domain: 'localhost:7071' })).toEqual([]);
    expect(wrongColumns({ ...http, domain: '127.0.0.1:7071' })).toEqual([]);
    expect(wrongColumns({ ...http, domain: 'localhost.evil.example' })).toContain('protocol');
  });

  it('may have a port in its domain, and gives a link with it', () => {
    const site = inProduction.parse({ ...codalab, domain: 'CodaLab.org:8443' });
    expect(resetLink(site, 'KEY')).toBe('https://codalab.org:8443/accounts/password/reset/key/KEY/');
  });

  it('[LG2] may put the key into a fragment, or point to a page of the site', () => {
    const fragment = inProduction.parse({ ...codalab, resetUrl: 'https://app.codalab.org/reset#key={key}' });
    expect(resetLink(fragment, 'KEY')).toBe('https://app.codalab.org/reset#key=KEY');
  });

  it('fills each place of the link once, and nothing inside the key', () => {
    expect(resetLink(codalab, '{domain}$&')).toBe('https://codalab.org/accounts/password/reset/key/{domain}$&/');
  });

  it('names a sender as `Name <addr@domain>` or as the address alone', () => {
    expect(mailboxAddress('CodaLab <info@codalab.org>')).toBe('info@codalab.org');
    expect(mailboxAddress('info@codalab.org')).toBe('info@codalab.org');
    expect(mailboxAddress('info@codalab.org <evil@z.example>x')).toBeUndefined();
  });
});

describe('the site source', () => {
  function setUp(defaults: Site = codalab) {
    const clock = createTestClock();
    const table = createMemoryTableStore();
    const events: AppEvent[] = [];
    const source = createSiteSource(createSiteTable(table, '1'), defaults, false, clock.now, (event) =>
      events.push(event),
    );
    return { clock, table, events, source };
  }

  it('[ST1] seeds an empty table from the settings and uses that', async () => {
    const { source, table } = setUp();
    await expect(source.current(within())).resolves.toEqual(codalab);
    expect(table.rows()).toEqual([expect.objectContaining({ ...codalab, partitionKey: 'site', rowKey: '1' })]);
  });

  it('reads the table once for any number of calls at a time', async () => {
    const { source, table } = setUp();
    await source.seed(within());
    table.calls.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => source.current(within())));
    await source.current(within());
    expect(table.calls).toEqual(['get']);
  });

  it('[ST4] uses an edit within a minute', async () => {
    const { source, table, clock } = setUp();
    await source.current(within());
    table.edit('site', '1', { name: 'Other' });
    clock.advance(59);
    await expect(source.current(within())).resolves.toMatchObject({ name: 'Other' });
  });

  it('[ST4] [TM1] uses an edit within a minute also after the clock jumped back for hours', async () => {
    const { source, table, clock } = setUp();
    clock.advance(7200);
    await source.current(within());
    clock.advance(-7200);
    table.edit('site', '1', { name: 'Other' });
    await expect(source.current(within())).resolves.toMatchObject({ name: 'Other' });
  });

  it('[ST1] keeps the last good row after a broken edit, says which column is wrong and not what it holds', async () => {
    const { source, table, clock, events } = setUp();
    await source.current(within());
    table.edit('site', '1', { domain: 'evil.example/@', protocol: 'ftp-canary' });
    clock.advance(60);
    await expect(source.current(within())).resolves.toEqual(codalab);
    const refused = events.filter(({ event }) => event === 'siteRowRefused');
    expect(refused).toEqual([expect.objectContaining({ lastGoodInUse: true, level: 'error' })]);
    expect(JSON.stringify(refused)).toMatch(/domain/);
    expect(JSON.stringify(refused)).not.toMatch(/evil|canary/);
  });

  it('[ST1] mends itself when the operator mends the row', async () => {
    const { source, table, clock } = setUp();
    await source.current(within());
    table.edit('site', '1', { domain: '' });
    clock.advance(60);
    await source.current(within());
    table.edit('site', '1', { domain: 'new.example.org' });
    clock.advance(60);
    await expect(source.current(within())).resolves.toMatchObject({ domain: 'new.example.org' });
  });

  it('[ST1] keeps the last good row while the table does not answer', async () => {
    const { source, table, clock, events } = setUp();
    await source.current(within());
    clock.advance(60);
    table.intercept('get', () => {
      throw new StorageUnavailable('tables', '503');
    });
    await expect(source.current(within())).resolves.toEqual(codalab);
    expect(events).toContainEqual(
      expect.objectContaining({ event: 'siteRowRefused', errorName: 'StorageUnavailable' }),
    );
  });

  it('[ST1] never uses the settings in place of a broken row', async () => {
    const { source, table } = setUp();
    table.edit('site', '1', { ...codalab, domain: 'broken/' });
    await expect(source.current(within())).rejects.toMatchObject({ name: 'SiteUnavailable' });
    await expect(source.current(within())).rejects.toMatchObject({ name: 'SiteUnavailable' });
  });

  it('[ST1] says that storage is down when the row could never be read', async () => {
    const { source, table } = setUp();
    table.intercept('get', () => {
      throw new StorageUnavailable('tables', 'connection');
    });
    await expect(source.current(within())).rejects.toMatchObject({ name: 'StorageUnavailable' });
    await expect(source.current(within())).resolves.toEqual(codalab);
  });

  it('[ST2] seeds only the columns that are missing', async () => {
    const { source, table } = setUp();
    table.edit('site', '1', { name: "The operator's name", domain: 'operator.example' });
    const written = await source.seed(within());
    expect(written).not.toContain('name');
    expect(written).toContain('defaultFromEmail');
    expect(table.rows()[0]).toMatchObject({ name: "The operator's name", domain: 'operator.example', locale: 'en' });
    await expect(source.seed(within())).resolves.toEqual([]);
  });

  it('[ST2] leaves a column alone that an operator emptied', async () => {
    const { source, table } = setUp();
    table.edit('site', '1', { ...codalab, contactEmail: '' });
    await source.seed(within());
    expect(table.rows()[0]).toMatchObject({ contactEmail: '' });
    await expect(source.current(within())).resolves.not.toHaveProperty('contactEmail', expect.anything());
  });
});
