import { withDeadline } from '../../shared/clock';
import { StorageUnavailable } from '../../shared/errors';
import type { AppEvent } from '../../shared/events';
import { messagesFor } from '../../shared/locales';
import { createSiteSource, mailboxAddress, resetLink, siteSchema } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import { createMemoryTableStore } from '../fakes/memoryTableStore';
import { codalab, createTestClock, down, hang } from '../support/flow';

const inProduction = siteSchema(false);
const wrongColumns = (row: unknown, development = false): string[] => {
  const parsed = siteSchema(development).safeParse(row);
  return parsed.success ? [] : [...new Set(parsed.error.issues.map(({ path }) => String(path[0])))];
};

describe('the site row', () => {
  it('may have further columns, which do not matter', () => {
    expect(inProduction.parse({ ...codalab, etag: 'x', remark: 7 })).toEqual(codalab);
  });

  it.each([
    ['domain', 'https://codalab.org'],
    ['domain', 'codalab.org/'],
    ['domain', 'codalab.org/path'],
    ['domain', 'user@codalab.org'],
    ['domain', 'codalab.org\r\nBcc: x'],
    ['domain', '-codalab.org'],
    ['domain', ''],
    ['domain', 'x'.repeat(254)],
    ['name', ''],
    ['name', 'Coda\r\nBcc: evil@z.example'],
    ['name', 'Coda\u202eLab'],
    ['name', 'x'.repeat(101)],
    ['protocol', 'ftp'],
    ['protocol', undefined],
    ['defaultFromEmail', 'a@b.example, c@d.example'],
    ['defaultFromEmail', 'CodaLab <a@b.example> <c@d.example>'],
    ['defaultFromEmail', 'CodaLab\r\nBcc: x <a@b.example>'],
    ['contactEmail', 'not an address'],
    ['loginUrl', 'javascript:alert(1)'],
    ['loginUrl', 'http://codalab.org/login'],
    ['locale', 'not a locale'],
    ['resetUrl', 'javascript:alert({key})'],
    ['resetUrl', '{protocol}://{domain}/'],
    ['resetUrl', '{protocol}://{domain}/{key}/{key}'],
    ['resetUrl', 'https://evil@{domain}/{key}'],
    ['resetUrl', '{protocol}://evil@{domain}/{key}'],
    ['resetUrl', 'http://codalab.org/{key}'],
    ['resetUrl', 'https:{key}'],
  ] as const)('[L4] [T3] is refused for the %s %j', (column, value) => {
    expect(wrongColumns({ ...codalab, [column]: value })).toContain(column);
  });

  it('[L4] may be plain http on loopback and in development only', () => {
    const http = { ...codalab, protocol: 'http' };
    expect(wrongColumns(http)).toContain('protocol');
    expect(wrongColumns(http, true)).toEqual([]);
    expect(wrongColumns({ ...http, domain: 'localhost:7071' })).toEqual([]);
    expect(wrongColumns({ ...http, domain: 'localhost.evil.example' })).toContain('protocol');
  });

  it('[LG2] gives links with its port, with the key in the path or the fragment, and fills nothing inside the key', () => {
    const withPort = inProduction.parse({ ...codalab, domain: 'CodaLab.org:8443' });
    expect(resetLink(withPort, 'KEY')).toBe('https://codalab.org:8443/accounts/password/reset/key/KEY/');
    const fragment = inProduction.parse({ ...codalab, resetUrl: 'https://app.codalab.org/reset#key={key}' });
    expect(resetLink(fragment, 'KEY')).toBe('https://app.codalab.org/reset#key=KEY');
    expect(resetLink(codalab, '{domain}$&')).toBe('https://codalab.org/accounts/password/reset/key/{domain}$&/');
  });

  it('names a sender as `Name <addr@domain>` or as the address alone', () => {
    expect(mailboxAddress('CodaLab <info@codalab.org>')).toBe('info@codalab.org');
    expect(mailboxAddress('info@codalab.org')).toBe('info@codalab.org');
    expect(mailboxAddress('info@codalab.org <evil@z.example>x')).toBeUndefined();
  });
});

describe('the site source', () => {
  function setUp() {
    const clock = createTestClock();
    const [table, texts] = [createMemoryTableStore(), createMemoryTableStore()];
    const events: AppEvent[] = [];
    const rows = createSiteTable(table, texts, '1');
    const source = createSiteSource(rows, codalab, false, clock.now, (event) => events.push(event));
    const thanks = async () => messagesFor('en', (await source.current()).catalog).passwordReset.thanks;
    const refusals = () => events.filter(({ event }) => event === 'siteTextsRefused');
    return { clock, table, texts, events, source, thanks, refusals };
  }

  it('[ST1] seeds an empty table from the settings and uses that', async () => {
    const { source, table } = setUp();
    await expect(source.current()).resolves.toMatchObject(codalab);
    expect(table.rows()).toEqual([expect.objectContaining({ ...codalab, partitionKey: 'site', rowKey: '1' })]);
  });

  it('reads the table once for any number of calls at a time', async () => {
    const { source, table } = setUp();
    await source.seed();
    table.calls.length = 0;
    await Promise.all(Array.from({ length: 20 }, () => source.current()));
    await source.current();
    expect(table.calls).toEqual(['get']);
  });

  it('[ST4] uses an edit within a minute, and at once after the app was idle for one', async () => {
    const { source, table, clock } = setUp();
    await source.current();
    table.edit('site', '1', { name: 'Other' });
    clock.advance(59);
    await source.current(); // the last good row; the refresh is on its way
    await new Promise(setImmediate);
    await expect(source.current()).resolves.toMatchObject({ name: 'Other' });
    table.edit('site', '1', { name: 'Third' });
    clock.advance(61);
    await expect(source.current()).resolves.toMatchObject({ name: 'Third' });
  });

  it('[ST4] [TM1] uses an edit within a minute also after the clock jumped back for hours', async () => {
    const { source, table, clock } = setUp();
    clock.advance(7200);
    await source.current();
    clock.advance(-7200);
    table.edit('site', '1', { name: 'Other' });
    await source.current();
    await new Promise(setImmediate);
    await expect(source.current()).resolves.toMatchObject({ name: 'Other' });
  });

  it('[ST1] keeps the last good row after a broken edit, says which column is wrong and not what it holds, and recovers', async () => {
    const { source, table, clock, events } = setUp();
    await source.current();
    table.edit('site', '1', { domain: 'evil.example/@', protocol: 'ftp-canary' });
    clock.advance(61);
    await expect(source.current()).resolves.toMatchObject(codalab);
    expect(events).toEqual([expect.objectContaining({ event: 'siteRowRefused', lastGoodInUse: true, level: 'error' })]);
    expect(JSON.stringify(events)).toMatch(/domain/);
    expect(JSON.stringify(events)).not.toMatch(/evil|canary/);
    table.edit('site', '1', { ...codalab, domain: 'new.example.org' });
    clock.advance(61);
    await expect(source.current()).resolves.toMatchObject({ domain: 'new.example.org' });
  });

  it('[ST1] keeps the last good row while the table does not answer', async () => {
    const { source, table, clock, events } = setUp();
    await source.current();
    clock.advance(61);
    down(table, 'get');
    await expect(source.current()).resolves.toMatchObject(codalab);
    const refused = { event: 'siteRowRefused', errorName: 'StorageUnavailable' };
    expect(events).toEqual([expect.objectContaining(refused)]);
  });

  describe('D1 while a read hangs', () => {
    beforeEach(() =>
      jest.useFakeTimers({ doNotFake: ['nextTick', 'queueMicrotask', 'setImmediate', 'Date', 'performance'] }),
    );
    afterEach(() => jest.useRealTimers());

    it('answers with the last good row at once', async () => {
      const { source, table, clock } = setUp();
      await source.current();
      clock.advance(45);
      hang(table, 'get');
      await expect(source.current()).resolves.toMatchObject(codalab);
      await expect(source.current()).resolves.toMatchObject(codalab);
    });

    it('holds each caller as long as its own deadline, and the next read no longer than 3 s', async () => {
      const { source, table } = setUp();
      hang(table, 'get');
      const [long, short] = [new AbortController(), new AbortController()];
      const waiting = withDeadline(long.signal, () => source.current());
      const impatient = withDeadline(short.signal, () => source.current());
      const refused = expect(waiting).rejects.toMatchObject({ code: 'timeout' });
      short.abort();
      await expect(impatient).rejects.toMatchObject({ name: 'StorageUnavailable', code: 'timeout' });
      await jest.advanceTimersByTimeAsync(3_000);
      await refused;
      await expect(source.current()).resolves.toMatchObject(codalab);
    });
  });

  it('[ST1] never uses the settings in place of a broken row', async () => {
    const { source, table } = setUp();
    table.edit('site', '1', { ...codalab, domain: 'broken/' });
    await expect(source.current()).rejects.toMatchObject({ name: 'SiteUnavailable' });
    await expect(source.current()).rejects.toMatchObject({ name: 'SiteUnavailable' });
  });

  it('[ST1] says that storage is down when the row could never be read', async () => {
    const { source, table } = setUp();
    down(table, 'get');
    await expect(source.current()).rejects.toMatchObject({ name: 'StorageUnavailable' });
    await expect(source.current()).resolves.toMatchObject(codalab);
  });

  it('[ST2] seeds only the columns that are missing: an empty one is not', async () => {
    const { source, table } = setUp();
    table.edit('site', '1', { name: "The operator's name", domain: 'operator.example', contactEmail: '' });
    const written = await source.seed();
    expect(written).not.toContain('name');
    expect(written).toContain('defaultFromEmail');
    const kept = { name: "The operator's name", domain: 'operator.example', contactEmail: '' };
    expect(table.rows()[0]).toMatchObject({ ...kept, locale: 'en' });
    await expect(source.seed()).resolves.toEqual([]);
    await expect(source.current()).resolves.not.toHaveProperty('contactEmail', expect.anything());
  });

  describe('the texts of a site', () => {
    const builtIn = 'Thanks for using our site!';

    it('are used within a minute, and gone within a minute', async () => {
      const { clock, source, texts, thanks } = setUp();
      expect(await thanks()).toBe(builtIn);
      texts.edit('en', 'passwordReset.thanks', { text: 'See you soon!' });
      clock.advance(61);
      expect(await thanks()).toBe('See you soon!');
      expect(messagesFor('en', source.catalog()).passwordReset.thanks).toBe('See you soon!');
      texts.drop('en', 'passwordReset.thanks');
      clock.advance(61);
      expect(await thanks()).toBe(builtIn);
    });

    it('are refused one by one, with one event for as long as nothing changes', async () => {
      const { clock, texts, thanks, refusals } = setUp();
      texts.edit('en', 'passwordReset.thanks', { text: 'See you soon!' });
      texts.edit('en', 'page.help', { text: `https://evil.example/ ${'x'.repeat(1_000_000)}` });
      texts.edit('en', 'page.logIn', { text: 7 });
      for (let time = 0; time < 3; time++) {
        expect(await thanks()).toBe('See you soon!');
        clock.advance(61);
      }
      expect(refusals()).toEqual([
        expect.objectContaining({
          problems: ['en page.help has more than 2000 characters', 'en page.logIn is empty'],
        }),
      ]);
      texts.edit('en', 'page.help', { text: '<b>Help' });
      await thanks();
      expect(refusals()).toHaveLength(2);
    });

    it('stay in use while their table does not answer, and the site row is read', async () => {
      const { clock, table, texts, source, thanks, refusals } = setUp();
      texts.edit('en', 'passwordReset.thanks', { text: 'See you soon!' });
      await thanks();
      table.edit('site', '1', { name: 'Renamed' });
      clock.advance(61);
      texts.intercept('list', () => {
        throw new StorageUnavailable('tables', 'TableNotFound');
      });
      expect(await thanks()).toBe('See you soon!');
      await expect(source.current()).resolves.toMatchObject({ name: 'Renamed' });
      expect(refusals()).toEqual([expect.objectContaining({ problems: ['the table cannot be read: TableNotFound'] })]);
    });
  });
});
