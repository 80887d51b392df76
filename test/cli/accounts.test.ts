// `npm run accounts`, against Azurite.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { run } from '../../cli/accounts/run';
import { verifyPassword } from '../../shared/password/passwordHash';
import { createAccountsAdmin, type AccountsAdmin } from '../../shared/storage/accountsAdmin';
import { createStorageClients } from '../../shared/services';
import { exampleSettings } from '../support/app';
import { emptyStorage } from '../support/storage';
import { runCli, workFolder, type CliResult } from './runCli';

const signal = AbortSignal.timeout(60_000);
const folder = workFolder();
const own = workFolder();
const password = 'correct horse battery staple';
const address = 'someuser@somewhere.com';

describe('npm run accounts', () => {
  let connectionString: string;
  let admin: AccountsAdmin;
  beforeEach(async () => {
    connectionString = emptyStorage();
    const storage = await createStorageClients({ kind: 'connectionString', connectionString });
    admin = createAccountsAdmin(storage.table('Accounts'));
  });
  const accounts = (argv: string, stdin?: string): Promise<CliResult> =>
    runCli(run, connectionString, argv.split(' '), { cwd: folder.path, ...(stdin !== undefined && { stdin }) });
  const add = (more = ''): Promise<CliResult> =>
    accounts(`add ${address} --username someuser --id 1 --unusable${more}`);
  async function row(email = address, id = '1'): Promise<Record<string, unknown>> {
    const found = (await admin.findByAddress(email, signal)).find((record) => record.id === id);
    return found?.row ?? {};
  }

  it('adds an account with a password from standard input, hashed as the app would', async () => {
    const added = await accounts(`add ${address} --username someuser --id 1 --password-stdin`, `${password}\n`);
    expect(added).toMatchObject({ code: 0, out: 'Added someuser with id 1.\n', error: '' });
    const stored = String((await row())['password']);
    expect(stored).toMatch(/^argon2\$argon2id\$/);
    expect(await verifyPassword(password, stored)).toBe(true);
  });

  it('makes up an id that a table takes when none is given', async () => {
    const added = await accounts(`add ${address} --username someuser --unusable --json`);
    expect(added.json()).toEqual({
      added: { id: expect.stringMatching(/^[\w-]{22}$/) as string, username: 'someuser' },
    });
  });

  it('refuses a password that the site would refuse', async () => {
    const refused = await accounts(`add ${address} --username someuser --password-stdin`, 'short\n');
    expect(refused).toMatchObject({ code: 1, error: 'The password must have at least 15 characters.\n' });
    expect(await admin.findByAddress(address, signal)).toEqual([]);
  });

  it('says how to give a password when there is no terminal to ask on', async () => {
    expect(await accounts(`add ${address} --username someuser`)).toMatchObject({
      code: 2,
      error: 'Say --password-stdin and pipe the password in, or say --unusable.\n',
    });
  });

  it('adds no second account with the same id, at this address or at another one', async () => {
    await add();
    expect(await add()).toMatchObject({ code: 1, error: expect.stringContaining('there already') as string });
    const elsewhere = await accounts('add other@somewhere.com --username other --id 1 --unusable');
    expect(elsewhere).toMatchObject({ code: 1, error: expect.stringContaining('accounts set-email') as string });
  });

  it.each([
    'add',
    'show',
    'add not-an-address --username x --unusable',
    'frobnicate',
    'list --no-such-option',
    `add ${address} --unusable`,
  ])('answers the wrong command line "%s" with exit code 2 and what is wrong', async (argv) => {
    const wrong = await accounts(argv);
    expect(wrong).toMatchObject({ code: 2, out: '' });
    expect(wrong.error).not.toBe('');
  });

  it('helps', async () => {
    const help = await accounts('--help');
    expect(help.code).toBe(0);
    for (const command of ['add', 'show', 'list', 'disable', 'enable', 'set-email', 'revoke', 'import']) {
      expect(help.out).toContain(`\n  ${command} `);
      expect((await accounts(`${command} --help`)).code).toBe(0);
    }
  });

  it('shows an account without its password, and whether it can be reset', async () => {
    await accounts(`add ${address} --username someuser --id 1 --password-stdin`, `${password}\n`);
    const shown = await accounts(`show ${address}`);
    expect(shown.out.split('\n').map((line) => line.trim().replace(/ {2,}/, ': '))).toEqual([
      ...['someuser', 'id: 1', `address: ${address}`, 'active: yes', 'password: argon2'],
      ...['password changed: not by a reset', 'generation: 0', "language: the site's", 'reset by mail: possible', ''],
    ]);
    await accounts(`disable ${address}`);
    expect((await accounts(`show ${address} --json`)).json()).toEqual([
      {
        id: '1',
        username: 'someuser',
        email: address,
        isActive: false,
        password: 'argon2',
        generation: 1,
        canReset: false,
      },
    ]);
  });

  it('says that nobody has an address', async () => {
    expect(await accounts('show nobody@somewhere.com')).toMatchObject({
      code: 1,
      error: 'No account has this address.\n',
    });
  });

  it('disables, enables and revokes, raising the generation each time', async () => {
    await add();
    for (const command of ['disable', 'enable', 'revoke'])
      expect((await accounts(`${command} ${address}`)).code).toBe(0);
    expect(await row()).toMatchObject({ generation: 3, isActive: true });
    expect((await accounts(`enable ${address}`)).out).toBe('someuser: already enabled, nothing was changed.\n');
  });

  it('asks which account is meant when several share the address', async () => {
    await add();
    await accounts(`add ${address} --username someuser-lab --id 2 --unusable`);
    const asked = await accounts(`disable ${address}`);
    expect(asked).toMatchObject({ code: 1, out: '' });
    expect(asked.error).toContain('--id 2  (someuser-lab)');
    expect((await accounts(`disable ${address} --username someuser-lab`)).code).toBe(0);
    expect([(await row())['isActive'], (await row(address, '2'))['isActive']]).toEqual([true, false]);
    expect((await accounts(`revoke ${address} --all`)).code).toBe(0);
    expect([(await row())['generation'], (await row(address, '2'))['generation']]).toEqual([1, 2]);
  });

  it('moves an account to a new address, and can be told so twice', async () => {
    await add();
    expect((await accounts(`set-email ${address} new@somewhere.com`)).code).toBe(0);
    expect(await row('new@somewhere.com')).toMatchObject({ email: 'new@somewhere.com', generation: 1 });
    expect(await accounts(`set-email ${address} new@somewhere.com`)).toMatchObject({
      code: 1,
      error: expect.stringContaining('No account') as string,
    });
    expect((await accounts('set-email new@somewhere.com new@somewhere.com')).out).toContain('nothing was changed');
  });

  it('lists all accounts, also as one JSON object a line, and the broken ones alone', async () => {
    await add();
    await accounts('add other@somewhere.com --username other --id 2 --unusable');
    const { row: stored, sub } = (await admin.findByAddress('other@somewhere.com', signal))[0] ?? fail();
    const storage = await createStorageClients({ kind: 'connectionString', connectionString });
    await storage.table('Accounts').merge(sub, '2', { username: '', email: 'a\u001b[2Jb' }, stored.etag, signal);
    const list = await accounts('list');
    expect(list.out).toContain('1\tsomeuser\tsomeuser@somewhere.com\timpossible: it has no usable password\n');
    expect(list.out).not.toContain('\u001b');
    expect(list.error).toBe('2 accounts.\n');
    const broken = await accounts('list --broken --json');
    expect(broken.json()).toMatchObject({ id: '2', problem: 'bad_column_username', canReset: false });
  });

  it('names every setting that is missing or wrong', async () => {
    const env = { CODALAB_SITE_NAME: '', EMAIL_PORT: 'x' };
    const refused = await runCli(run, connectionString, ['list'], { cwd: folder.path, env });
    expect(refused).toMatchObject({ code: 1, out: '' });
    expect(refused.error).toMatch(
      /CODALAB_SITE_NAME is missing[^]*EMAIL_PORT|EMAIL_PORT[^]*CODALAB_SITE_NAME is missing/,
    );
  });

  it('reads local.settings.json, over which the environment wins', async () => {
    await add();
    const Values = { ...exampleSettings, AzureWebJobsStorage: 'nonsense' };
    own.write('local.settings.json', JSON.stringify({ IsEncrypted: false, Values }));
    const world = { cwd: own.path, env: Object.fromEntries(Object.keys(Values).map((name) => [name, undefined])) };
    expect((await runCli(run, connectionString, ['list'], world)).error).toContain('AzureWebJobsStorage');
    const wins = { ...world, env: { ...world.env, AzureWebJobsStorage: connectionString } };
    expect((await runCli(run, connectionString, ['list'], wins)).error).toBe('1 account.\n');
  });

  it('says what to do when storage is not there, in a few seconds', async () => {
    const gone = connectionString.replace(/TableEndpoint=[^;]*/, 'TableEndpoint=http://127.0.0.1:1/x');
    const refused = await runCli(run, gone, ['list'], { cwd: folder.path });
    expect(refused).toMatchObject({
      code: 1,
      error: expect.stringContaining('is it running (`npm start` starts Azurite)') as string,
    });
  });

  it('refuses an account name for --account that is none', async () => {
    expect(await accounts('list --account evil.example.org/x')).toMatchObject({
      code: 2,
      error: expect.stringContaining('3–24') as string,
    });
  });

  it('works as a process of its own', async () => {
    const env = { ...process.env, ...exampleSettings, AzureWebJobsStorage: connectionString };
    const script = path.join(__dirname, '../../cli/accounts.ts');
    const call = (...argv: string[]) =>
      promisify(execFile)(process.execPath, ['--import', 'tsx', script, ...argv], { env });
    await call('add', address, '--username', 'someuser', '--id', '1', '--unusable');
    const { stdout } = await call('show', address, '--json');
    expect(JSON.parse(stdout)).toMatchObject([{ id: '1', username: 'someuser' }]);
    await expect(call('show', 'nobody@somewhere.com')).rejects.toMatchObject({
      code: 1,
      stderr: 'No account has this address.\n',
    });
  });
});

function fail(): never {
  throw new Error('there is no such row');
}
