// `npm run accounts -- import`: CSV and Django's dumpdata, against Azurite.
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { run } from '../../cli/accounts/run';
import { importAccounts } from '../../cli/accounts/importAccounts';
import { createImportReport } from '../../cli/accounts/importReport';
import type { ImportRow } from '../../cli/accounts/importRow';
import { topLevelObjects } from '../../cli/accounts/topLevelObjects';
import { createAccountsAdmin, type AccountsAdmin } from '../../shared/storage/accountsAdmin';
import type { NewAccount } from '../../shared/storage/newAccount';
import { StorageUnavailable } from '../../shared/errors';
import { createStorageClients } from '../../shared/services';
import { emptyStorage } from '../support/storage';
import { runCli, workFolder, type CliResult } from './runCli';

const signal = AbortSignal.timeout(60_000);
const folder = workFolder();
const hash = 'pbkdf2_sha256$12000$salt$e3m0pxCbhX2ODmmSBJmJ2qxHhLkNtpLS3ZXY+rbXeKA=';
const user = (pk: unknown, fields: object = {}, model = 'auth.user') => ({
  model,
  pk,
  fields: {
    username: `user${String(pk)}`,
    email: `user${String(pk)}@somewhere.com`,
    password: hash,
    is_active: true,
    is_staff: false,
    groups: [],
    ...fields,
  },
});

describe('accounts import', () => {
  let connectionString: string;
  let admin: AccountsAdmin;
  beforeEach(async () => {
    connectionString = emptyStorage();
    const storage = await createStorageClients({ kind: 'connectionString', connectionString });
    admin = createAccountsAdmin(storage.table('Accounts'));
  });
  async function importText(name: string, content: string, ...options: string[]): Promise<CliResult> {
    folder.write(name, content);
    return runCli(run, connectionString, ['import', name, ...options], { cwd: folder.path });
  }
  async function stored(): Promise<Record<string, unknown>[]> {
    const rows = [];
    for await (const { row } of admin.list(signal)) rows.push(row);
    return rows.sort((a, b) => String(a.rowKey).localeCompare(String(b.rowKey)));
  }

  describe('from CSV', () => {
    it('adds each row once, however often the file is imported', async () => {
      const csv = `id,email,username,password,is_active,locale\n1,someuser@somewhere.com,someuser,${hash},1,\n2,b@somewhere.com,"b, the ""second""",,false,pt_BR\n`;
      expect(await importText('users.csv', csv)).toMatchObject({
        code: 0,
        out: '2 accounts added.\n1 of them has no usable password: they get no reset mail.\nNo row was refused.\n',
      });
      expect(await stored()).toMatchObject([
        {
          rowKey: '1',
          email: 'someuser@somewhere.com',
          username: 'someuser',
          password: hash,
          isActive: true,
          generation: 0,
        },
        {
          rowKey: '2',
          email: 'b@somewhere.com',
          username: 'b, the "second"',
          password: '!',
          isActive: false,
          locale: 'pt-BR',
        },
      ]);
      expect((await importText('users.csv', csv)).out).toContain('2 accounts there already, left as they are.\n');
    });

    it('takes the user name for the id when there is no id, other letter case and columns of the header, and a BOM', async () => {
      const result = await importText(
        'users.csv',
        '\ufeffUsername,EMAIL,shoe size\r\nsomeuser,someuser@somewhere.com,43\r\n',
      );
      expect(result).toMatchObject({
        code: 0,
        error: expect.stringMatching(/ignored: shoe size\n[^]*user name serves as the id/) as string,
      });
      expect(await stored()).toMatchObject([{ rowKey: 'someuser' }]);
    });

    it('reports each refused row by its line with the reason, never the password, the address masked', async () => {
      const rows = [
        'email,username,password',
        ',nobody,',
        'a@somewhere.com,ok,',
        'secret@@somewhere,x,',
        'c@somewhere.com,c/d,',
        'd@somewhere.com,d,hunter2 in the clear',
        'e@somewhere.com',
      ];
      const result = await importText('users.csv', rows.join('\n'));
      expect(result.code).toBe(1);
      expect(result.out.split('\n').slice(3)).toEqual([
        '  line 2: email is empty',
        '  line 4 (s***@somewhere): email is not a plain e-mail address',
        '  line 5 (c***@somewhere.com): id holds / \\ # ? or a control character',
        "  line 6 (d***@somewhere.com): password is not in Django's format (algorithm$…$digest, or ! for none)",
        '  line 7: has 1 columns where the header has 3',
        '',
      ]);
      expect(result.out + result.error).not.toContain('hunter2');
      expect((await importText('users.csv', rows.join('\n'), '--show-addresses')).out).toContain('(d@somewhere.com)');
      expect(await stored()).toHaveLength(1);
    });

    it('refuses a file in another encoding rather than store broken names', async () => {
      folder.write('latin1.csv', '');
      const latin1 = await importText('latin1.csv', 'email,username\na@somewhere.com,Fran\ufffdoise\n');
      expect(latin1.out).toContain('line 2 (a***@somewhere.com): is not UTF-8');
    });

    it('stops with the line where the file is no CSV any more; what came before is in', async () => {
      const broken = await importText('users.csv', 'email,username\na@somewhere.com,a\nb@somewhere.com,"b\n');
      expect(broken).toMatchObject({ code: 1, error: expect.stringMatching(/no proper CSV near line \d/) as string });
    });

    it.each([
      ['', 'The file is empty'],
      ['mail,name\n', 'email and username is not among them'],
      ['email,username,Email\n', 'names the column email twice'],
    ])('refuses the header %j', async (csv, message) => {
      expect(await importText('users.csv', csv)).toMatchObject({
        code: 1,
        error: expect.stringContaining(message) as string,
      });
    });

    it('never gives an id a second address: neither within the file nor against the table', async () => {
      const csv = 'id,email,username\n1,old@somewhere.com,a\n';
      await importText('users.csv', csv);
      const [record] = await admin.findByAddress('old@somewhere.com', signal);
      if (record) await admin.setEmail(record, 'new@somewhere.com', signal);
      const again = await importText('users.csv', `${csv}2,x@somewhere.com,x\n2,y@somewhere.com,y\n`);
      expect(again.out.match(/its id belongs to an account with another address/g)).toHaveLength(2);
      expect((await stored()).map(({ email }) => email)).toEqual(['new@somewhere.com', 'x@somewhere.com']);
    });

    it('changes what differs with --update, and nothing with --dry-run', async () => {
      await importText('users.csv', 'id,email,username\n1,a@somewhere.com,a\n');
      const changed = 'id,email,username\n1,a@somewhere.com,renamed\n';
      expect((await importText('users.csv', changed, '--update', '--dry-run')).out).toContain(
        '1 account would be imported',
      );
      expect(await stored()).toMatchObject([{ username: 'a' }]);
      expect((await importText('users.csv', changed, '--update')).out).toContain('1 account updated');
      expect(await stored()).toMatchObject([{ username: 'renamed' }]);
    });
  });

  describe("from Django's dumpdata", () => {
    it('adds auth.user objects and passes over everything else', async () => {
      const dump = [
        { model: 'sites.site', pk: 1, fields: { domain: 'x{y}"z' } },
        user(1),
        user('a-uuid', { is_active: false }),
      ];
      expect(await importText('dump.json', JSON.stringify(dump, undefined, 2))).toMatchObject({
        code: 0,
        out: expect.stringContaining('2 accounts added') as string,
      });
      expect(await stored()).toMatchObject([
        { rowKey: '1', username: 'user1', password: hash, isActive: true },
        { rowKey: 'a-uuid', isActive: false },
      ]);
    });

    it("takes CodaLab's own user model, and JSON lines", async () => {
      const lines = [user(1, {}, 'authenz.cluser'), user(2, {}, 'authenz.cluser')].map((object) =>
        JSON.stringify(object),
      );
      const result = await importText('dump.jsonl', lines.join('\n'), '--model', 'authenz.ClUser', '--json');
      expect(result.json()).toMatchObject({ added: 2, refused: 0, refusedRows: [] });
    });

    it('names the models of a file that holds no auth.user', async () => {
      const result = await importText('dump.json', JSON.stringify([user(1, {}, 'authenz.cluser')]));
      expect(result).toMatchObject({
        code: 1,
        error: 'The file holds no auth.User. It holds authenz.cluser (1); name the user model with --model.\n',
      });
    });

    it('reports refused objects by their pk', async () => {
      const dump = [user(1, { email: '' }), user(2, { username: undefined }), user(undefined), user(3)];
      const result = await importText('dump.json', JSON.stringify(dump));
      expect(result.out).toContain('1 account added.\nNo'.slice(0, 15));
      expect(result.out).toContain(
        '  pk 1: email is empty\n  pk 2 (u***@somewhere.com): username is missing or no text\n',
      );
      expect(result.out).toContain(
        '  object 3 (u***@somewhere.com): has no pk: use dumpdata without --natural-primary\n',
      );
    });

    it.each(['{"model": "auth.user"', '[{"a": 1}]', '"text"', '[1, 2]', '<html>', '[{"model": }]'])(
      'refuses the file %j',
      async (json) => {
        expect(await importText('dump.json', json)).toMatchObject({
          code: 1,
          error: expect.stringContaining('is not what dumpdata writes') as string,
        });
      },
    );
  });

  it('knows the format by the extension only', async () => {
    expect((await importText('users.txt', '')).code).toBe(2);
    expect((await importText('users.txt', 'email,username\na@somewhere.com,a\n', '--format', 'csv')).code).toBe(0);
    expect(await runCli(run, connectionString, ['import', 'missing.csv'], { cwd: folder.path })).toMatchObject({
      code: 1,
      error: 'The file missing.csv cannot be read.\n',
    });
  });

  it('imports thousands of rows with no more inserts at a time than it was told', async () => {
    let running = 0;
    let most = 0;
    const counting = {
      importAccount: async (account: NewAccount) => {
        most = Math.max(most, ++running);
        await new Promise(setImmediate);
        running -= 1;
        return account.username === 'user7' ? ('existing' as const) : ('added' as const);
      },
    };
    async function* rows(): AsyncGenerator<ImportRow> {
      for (let id = 0; id < 5000; id++)
        yield { where: `line ${id}`, input: { id: String(id), email: `u${id}@somewhere.com`, username: `user${id}` } };
    }
    const report = createImportReport(false);
    await importAccounts(counting, rows(), new Map(), { update: false, dryRun: false, parallel: 8 }, report, signal);
    expect([report.counts.added, report.counts.existing, most]).toEqual([4999, 1, 8]);
  });

  it('stops at the first failure that does not pass by itself, and reads no further', async () => {
    let read = 0;
    async function* rows(): AsyncGenerator<ImportRow> {
      for (;;)
        yield { where: `line ${++read}`, input: { id: String(read), email: `u${read}@somewhere.com`, username: 'u' } };
    }
    const refusing = {
      importAccount: () => Promise.reject(new StorageUnavailable('tables', 'AuthorizationPermissionMismatch')),
    };
    const importing = importAccounts(
      refusing,
      rows(),
      new Map(),
      { update: false, dryRun: false, parallel: 4 },
      createImportReport(false),
      signal,
    );
    await expect(importing).rejects.toThrow('AuthorizationPermissionMismatch');
    expect(read).toBeLessThan(20);
  });
});

describe('the splitter of JSON', () => {
  it.each([1, 2, 3, 7, 1000])('finds the same objects in chunks of %i characters', async (size) => {
    const objects = [{ a: '}{"\\', b: { c: [{}, '[', 'ü'] } }, {}, { 'k"{': '\\"}' }];
    const json = JSON.stringify(objects, undefined, 1);
    const chunks = Array.from({ length: Math.ceil(json.length / size) }, (_, index) =>
      json.slice(index * size, (index + 1) * size),
    );
    const found = [];
    for await (const object of topLevelObjects(Readable.from(chunks))) found.push(JSON.parse(object));
    expect(found).toEqual(objects);
    expect(await text(Readable.from(chunks))).toBe(json);
  });
});
