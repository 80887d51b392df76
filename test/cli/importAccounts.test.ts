// `npm run accounts -- import`: CSV and Django's dumpdata.
import { Readable } from 'node:stream';
import { createImportReport, importAccounts } from '../../cli/accounts/importAccounts';
import { readDumpdata } from '../../cli/accounts/readDumpdata';
import { run } from '../../cli/accounts/run';
import { createAccountsAdmin, type Imported } from '../../cli/storage/accountsAdmin';
import type { ImportRow, NewAccount } from '../../cli/storage/newAccount';
import { addressHashOf } from '../../shared/address';
import { StorageUnavailable } from '../../shared/errors';
import type { Row } from '../../shared/storage/storage';
import { containing, inMemory, matching, type CliResult } from './runCli';

const { cli, folder, table } = inMemory(run);
const hash = 'pbkdf2_sha256$12000$salt$e3m0pxCbhX2ODmmSBJmJ2qxHhLkNtpLS3ZXY+rbXeKA=';
const user = (pk: unknown, fields: object = {}, model = 'auth.user') => ({
  model,
  pk,
  fields: {
    ...{ username: `user${String(pk)}`, email: `user${String(pk)}@somewhere.com`, password: hash, is_active: true },
    ...{ is_staff: false, groups: [], date_joined: '2014-05-06T07:08:09.123Z' },
    ...fields,
  },
});

async function importText(name: string, content: string, ...options: string[]): Promise<CliResult> {
  folder.write(name, content);
  return cli(['import', name, ...options]);
}
const stored = (): Row[] =>
  table('Accounts')
    .rows()
    .sort((a, b) => String(a.rowKey).localeCompare(String(b.rowKey)));

describe('from CSV', () => {
  it('adds each row once, however often the file is imported', async () => {
    const csv = `id,email,username,password,is_active,locale,created_at\n1,someuser@somewhere.com,someuser,${hash},1,,2014-05-06T07:08:09Z\n2,b@somewhere.com,"b, the ""second""",,false,pt_BR,\n`;
    const out = '2 accounts added.\n1 of them has no usable password: no reset mail for them.\nNo row was refused.\n';
    expect(await importText('users.csv', csv)).toMatchObject({ code: 0, out });
    const someuser = { rowKey: '1', email: 'someuser@somewhere.com', username: 'someuser', password: hash };
    expect(stored()).toMatchObject([
      { ...someuser, isActive: true, generation: 0, createdAt: new Date('2014-05-06T07:08:09Z') },
      { rowKey: '2', username: 'b, the "second"', password: '!', isActive: false, locale: 'pt-BR' },
    ]);
    expect((await importText('users.csv', csv)).out).toContain('2 accounts existing already, left as they are.\n');
  });

  it('accepts a header in any letter case, a BOM, unknown columns, and no id column', async () => {
    const csv = '\ufeffUsername,EMAIL,shoe size\r\nsomeuser,someuser@somewhere.com,43\r\n';
    const { code, error } = await importText('users.csv', csv);
    expect(code).toBe(0);
    expect(error).toMatch(/ignored: shoe size\n[^]*user name serves as the id/);
    expect(stored()).toMatchObject([{ rowKey: 'someuser' }]);
  });

  it('reports each refused row by its line with the reason, never the password, the address masked', async () => {
    const rows = [
      ...['email,username,password', ',nobody,', 'a@somewhere.com,ok,', 'secret@@somewhere,x,', 'c@somewhere.com,c/d,'],
      ...['d@somewhere.com,d,hunter2 in the clear', 'e@somewhere.com', 'f@somewhere.com,Fran\ufffdoise,'],
    ];
    const result = await importText('users.csv', rows.join('\n'));
    expect(result.code).toBe(1);
    expect(result.out.split('\n').slice(3)).toEqual([
      '  line 2: email is empty',
      '  line 4 (s***@somewhere): email is not a plain e-mail address',
      '  line 5 (c***@somewhere.com): id holds / \\ # ? or a control character',
      "  line 6 (d***@somewhere.com): password is not in Django's format (algorithm$…$digest, or ! for none)",
      '  line 7: has 1 columns where the header has 3',
      '  line 8 (f***@somewhere.com): is not UTF-8: save the file as UTF-8',
      '',
    ]);
    expect(result.out + result.error).not.toContain('hunter2');
    expect((await importText('users.csv', rows.join('\n'), '--show-addresses')).out).toContain('(d@somewhere.com)');
    expect(stored()).toHaveLength(1);
  });

  it.each([
    ['', 'The file is empty'],
    ['mail,name\n', 'email and username is not among them'],
    ['email,username,Email\n', 'names the column email twice'],
    ['email,username\na@somewhere.com,a\nb@somewhere.com,"b\n', 'not valid CSV near line'],
  ])('refuses the file %j', async (csv, message) => {
    const refused = await importText('users.csv', csv);
    expect([refused.code, refused.error]).toEqual([1, containing(message)]);
  });

  it('never gives an id a second address: neither within the file nor against the table', async () => {
    const csv = 'id,email,username\n1,old@somewhere.com,a\n';
    await importText('users.csv', csv);
    const admin = createAccountsAdmin(table('Accounts'));
    for (const record of await admin.findByAddress('old@somewhere.com'))
      await admin.setEmail(record, 'new@somewhere.com');
    const again = await importText('users.csv', `${csv}2,x@somewhere.com,x\n2,y@somewhere.com,y\n`);
    expect(again.out.match(/its id belongs to an account with another address/g)).toHaveLength(2);
    expect(stored()).toMatchObject([{ email: 'new@somewhere.com' }, { email: 'x@somewhere.com' }]);
  });

  it('changes what differs with --update, but no broken row, and nothing with --dry-run', async () => {
    const csv = 'id,email,username\n1,a@somewhere.com,a\n';
    const changed = csv.replace(',a\n', ',renamed\n');
    await importText('users.csv', csv);
    const dryRun = await importText('users.csv', changed, '--update', '--dry-run');
    expect([dryRun.out, stored()]).toMatchObject([/1 account would be imported/, [{ username: 'a' }]]);
    expect((await importText('users.csv', changed, '--update')).out).toContain('1 account updated');
    expect(stored()).toMatchObject([{ username: 'renamed', generation: 0 }]);
    table('Accounts').edit(addressHashOf('a@somewhere.com'), '1', { email: 'edited@portal.org' });
    const broken = await importText('users.csv', csv, '--update');
    expect(broken).toMatchObject({ code: 1, out: containing('its row in the table is not a valid account') });
  });

  it('names each row that keeps a password set here, and replaces it on demand', async () => {
    const csv = `id,email,username,password\n1,a@somewhere.com,a,${hash}\n`;
    await importText('users.csv', csv);
    const reset = { password: '!by a reset', lastResetKeyId: 'k', passwordChangedAt: new Date() };
    table('Accounts').edit(addressHashOf('a@somewhere.com'), '1', reset);
    const note = /1 account keeps a password that was set here[^]*\n {2}line 2 \(a\*\*\*@somewhere.com\)\n/;
    const renamed = csv.replace(',a,', ',renamed,');
    for (const outcome of ['updated', 'existing already and the same']) {
      const kept = await importText('users.csv', renamed, '--update');
      expect(kept.out).toMatch(note);
      expect(kept.out).toContain(`1 account ${outcome}.`);
      expect(stored()).toMatchObject([{ username: 'renamed', password: '!by a reset', generation: 0 }]);
    }
    const replaced = await importText('users.csv', csv, '--update', '--passwords', 'import');
    expect(replaced.out).toContain('1 account updated');
    expect(stored()).toMatchObject([{ password: hash, generation: 1 }]);
    expect((await importText('users.csv', csv, '--passwords', 'import')).code).toBe(2);
  });
});

describe("from Django's dumpdata", () => {
  it('adds auth.user objects and skips everything else', async () => {
    const site = { model: 'sites.site', pk: 1, fields: { domain: 'x{y}"z' } };
    const dump = JSON.stringify([site, user(1), user('a-uuid', { is_active: false })], undefined, 2);
    expect(await importText('dump.json', dump)).toMatchObject({ code: 0, error: '' });
    expect(stored()).toMatchObject([
      { rowKey: '1', username: 'user1', password: hash, createdAt: new Date('2014-05-06T07:08:09.123Z') },
      { rowKey: 'a-uuid', isActive: false },
    ]);
  });

  it("reads CodaLab's own user model, and JSON lines", async () => {
    const lines = [user(1, {}, 'authenz.cluser'), user(2, {}, 'authenz.cluser')].map((each) => JSON.stringify(each));
    const result = await importText('dump.jsonl', lines.join('\n'), '--model', 'authenz.ClUser', '--json');
    expect(result.json()).toMatchObject({ added: 2, refused: 0, refusedRows: [] });
  });

  it('takes the user name from the named field, or the address in a model without user names', async () => {
    const dump = JSON.stringify([user(1, { username: undefined, handle: 'one' })]);
    await importText('dump.json', dump, '--username-field', 'handle');
    expect(stored()).toMatchObject([{ username: 'one' }]);
    await importText('dump.json', dump, '--update');
    expect(stored()).toMatchObject([{ username: 'user1@somewhere.com' }]);
    const missing = await importText('dump.json', dump, '--username-field', 'nick');
    expect(missing.out).toContain('nick is missing or not text');
  });

  it('says how many secondary addresses of allauth are not imported', async () => {
    const email = (verified: boolean, primary: boolean) => user(1, { verified, primary }, 'account.emailaddress');
    const dump = [user(1), email(true, true), email(true, false), email(false, false)];
    const { code, error } = await importText('dump.json', JSON.stringify(dump));
    expect([code, error]).toEqual([0, matching(/^1 verified secondary address .*not imported/)]);
  });

  it('names the models of a file without auth.user', async () => {
    const { code, error } = await importText('dump.json', JSON.stringify([user(1, {}, 'authenz.cluser')]));
    expect([code, error]).toEqual([1, containing('It has authenz.cluser (1)')]);
  });

  it('reports refused objects by their pk', async () => {
    const dump = [user(1, { email: '' }), user(2, { is_active: 'x' }), user(undefined), user(3)];
    const { out } = await importText('dump.json', JSON.stringify(dump));
    expect(out).toContain(
      '1 account added.\n3 rows refused:\n  pk 1: email is empty\n  pk 2 (u***@somewhere.com): is_',
    );
    expect(out).toContain('  object 3 (u***@somewhere.com): has no pk: use dumpdata without --natural-primary\n');
  });

  it.each([
    ...['{"model": "auth.user"', '[{"a": 1}]', '"text"', '[1, 2]', '<html>', '[{"model": }]'],
    `["${'x'.repeat(2e6)}`,
  ])('refuses the file %.20s', async (json) => {
    const { code, error } = await importText('dump.json', json);
    expect([code, error]).toEqual([1, containing('is not what dumpdata writes')]);
  });

  it.each([1, 7, 1000])('finds the same objects in chunks of %i characters', async (size) => {
    const dump = JSON.stringify([user(1, { 'k"{': '\\"}' }), user(2, { bio: '}{"\\ ü' })], undefined, 1);
    const chunks = dump.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
    const ids = [];
    for await (const row of readDumpdata(Readable.from(chunks), { model: 'auth.User' }, () => {}))
      ids.push('input' in row ? row.input.id : row.problems);
    expect(ids).toEqual(['1', '2']);
  });
});

it('knows the format by the extension only, and a file that is missing', async () => {
  expect((await importText('users.txt', '')).code).toBe(2);
  expect((await importText('users.txt', 'email,username\na@somewhere.com,a\n', '--format', 'csv')).code).toBe(0);
  const missing = await cli(['import', 'missing.csv']);
  expect(missing).toMatchObject({ code: 1, error: 'The file missing.csv cannot be read.\n' });
});

describe('the inserts', () => {
  const rules = { update: false, passwords: 'keep', dryRun: false, parallel: 8 } as const;
  async function* rows(count: number): AsyncGenerator<ImportRow> {
    for (let id = 0; id < count; id++)
      yield { where: `line ${id}`, input: { id: String(id), email: `u${id}@somewhere.com`, username: `user${id}` } };
  }

  it('are never more at a time than was asked for', async () => {
    let running = 0;
    let most = 0;
    const importAccount = async ({ username }: NewAccount): Promise<Imported> => {
      most = Math.max(most, ++running);
      await new Promise(setImmediate);
      running -= 1;
      return { outcome: username === 'user7' ? 'existing' : 'added', kept: false };
    };
    const report = createImportReport(false);
    await importAccounts({ importAccount }, rows(500), new Map(), rules, report);
    expect([report.counts.added, report.counts.existing, most]).toEqual([499, 1, 8]);
  });

  it('stop at the first failure that does not pass by itself', async () => {
    let calls = 0;
    const importAccount = (): Promise<never> => {
      calls += 1;
      return Promise.reject(new StorageUnavailable('tables', 'AuthorizationPermissionMismatch'));
    };
    const importing = importAccounts({ importAccount }, rows(Infinity), new Map(), rules, createImportReport(false));
    await expect(importing).rejects.toThrow('AuthorizationPermissionMismatch');
    expect(calls).toBeLessThan(20);
  });
});
