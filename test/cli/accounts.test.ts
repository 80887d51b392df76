// `npm run accounts` on tables in memory; what only a process can break, as a process on Azurite.
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { run } from '../../cli/accounts/run';
import { addressHashOf } from '../../shared/address';
import { StorageUnavailable } from '../../shared/errors';
import { hashPassword } from '../../shared/password/passwordHash';
import { createStorageClients, type Row } from '../../shared/storage/storage';
import { exampleSettings } from '../support/app';
import { siteSecret, startDirectorySite } from '../support/directorySite';
import { emptyStorage } from '../support/storage';
import { containing, inMemory, workFolder, type CliResult, type CliWorld } from './runCli';
import { verifyPassword } from '../support/verifyPassword';

const { cli, table } = inMemory(run);
const own = workFolder();
const password = 'correct horse battery staple';
const address = 'someuser@somewhere.com';

const accounts = (argv: string, world: Partial<CliWorld> = {}): Promise<CliResult> => cli(argv.split(' '), world);
const add = (more = ''): Promise<CliResult> => accounts(`add ${address} --username someuser --id 1 --unusable${more}`);
const row = (id = '1'): Row | undefined =>
  table('Accounts')
    .rows()
    .find(({ rowKey }) => rowKey === id);

it('adds an account with a password from standard input, hashed as the app would, and sets another', async () => {
  const command = `add ${address} --username someuser --id 1 --password-stdin`;
  const added = await accounts(command, { stdin: `${password}\n` });
  expect(added).toMatchObject({ code: 0, out: 'Added someuser with id 1.\n', error: '' });
  expect(row()?.['createdAt']).toBeInstanceOf(Date);
  expect(await verifyPassword(password, String(row()?.['password']))).toBe(true);
  const set = await accounts(`set-password ${address} --password-stdin`, { stdin: `another ${password}` });
  expect(set.code).toBe(0);
  expect(await verifyPassword(`another ${password}`, String(row()?.['password']))).toBe(true);
});

it.each(['add other@somewhere.com --username other', `set-password ${address}`])(
  '%s refuses a password that the site would refuse, and says how to give one without a terminal',
  async (command) => {
    await add();
    const refused = await accounts(`${command} --password-stdin`, { stdin: 'short\n' });
    expect(refused).toMatchObject({ code: 1, error: 'The password must have at least 15 characters.\n' });
    expect(await accounts(command)).toMatchObject({ code: 2, error: containing('--password-stdin') });
    expect(table('Accounts').rows()).toMatchObject([{ password: '!' }]);
  },
);

it('adds no second account with the same id, at this address or at another one', async () => {
  await add();
  expect(await add()).toMatchObject({ code: 1, error: containing('exists already') });
  const elsewhere = await accounts('add other@somewhere.com --username other --id 1 --unusable');
  expect(elsewhere).toMatchObject({ code: 1, error: containing('accounts set-email') });
});

it.each([
  ...['add', 'show', 'add not-an-address --username x --unusable', 'frobnicate', 'list --no-such-option'],
  ...[`add ${address} --unusable`, `set-email ${address} nobody`, 'list --account evil.example.org/x'],
])('answers the wrong command line "%s" with exit code 2 and what is wrong', async (argv) => {
  await add();
  const wrong = await accounts(argv);
  expect(wrong).toMatchObject({ code: 2, out: '' });
  expect(wrong.error).not.toBe('');
});

it('shows an account without its password, and whether it can be reset', async () => {
  await accounts(`add ${address} --username someuser --id 1 --password-stdin`, { stdin: password });
  const [account] = (await accounts(`show ${address} --json`)).json() as object[];
  expect(account).toMatchObject({ id: '1', email: address, password: 'argon2', generation: 0, canReset: true });
  const shown = await accounts(`show ${address}`);
  expect(shown.out).toMatch(/^someuser\n[^]*password +argon2\n[^]*reset by mail +possible\n$/);
  await accounts(`disable ${address}`);
  expect((await accounts(`show ${address}`)).out).toContain('impossible: it is disabled');
  expect(await accounts('show nobody@somewhere.com')).toMatchObject({ code: 1, error: containing('No account') });
});

it('disables, enables and revokes, raising the generation each time', async () => {
  await add();
  for (const command of ['disable', 'enable', 'revoke']) expect((await accounts(`${command} ${address}`)).code).toBe(0);
  expect(row()).toMatchObject({ generation: 3, isActive: true });
  expect((await accounts(`enable ${address}`)).out).toBe('someuser: already enabled, nothing was changed.\n');
});

it('asks which account is meant if several share the address', async () => {
  await add();
  await accounts(`add ${address} --username someuser-lab --id 2 --unusable`);
  const asked = await accounts(`disable ${address}`);
  expect(asked).toMatchObject({ code: 1, out: '', error: containing('--id 2  (someuser-lab)') });
  expect((await accounts(`disable ${address} --username someuser-lab`)).code).toBe(0);
  expect([row('1'), row('2')]).toMatchObject([{ isActive: true }, { isActive: false }]);
  expect((await accounts(`revoke ${address} --all`)).code).toBe(0);
  expect([row('1'), row('2')]).toMatchObject([{ generation: 1 }, { generation: 2 }]);
});

it('moves an account to a new address, tells that the user has to ask again, and can be repeated', async () => {
  await add();
  const moved = await accounts(`set-email ${address} new@somewhere.com`);
  expect(moved).toMatchObject({ code: 0, out: containing('new mail') });
  expect(row()).toMatchObject({ email: 'new@somewhere.com', generation: 1 });
  expect(await accounts(`set-email ${address} new@somewhere.com`)).toMatchObject({ code: 1 });
  expect((await accounts('set-email new@somewhere.com new@somewhere.com')).out).toContain('nothing was changed');
});

it('shows a row whose address was edited by hand, at the old and the new address, with the command that fixes it', async () => {
  await add();
  table('Accounts').edit(addressHashOf(address), '1', { email: 'edited@portal.org' });
  for (const at of [address, 'Edited@portal.org']) {
    const shown = await accounts(`show ${at}`);
    expect(shown.out).toContain(`address_of_another_partition; the address was ${address}`);
    expect(shown.error).toContain('set-email edited@portal.org edited@portal.org --id 1');
  }
  const undone = await accounts(`set-email edited@portal.org ${address} --id 1`);
  expect(undone.code).toBe(0);
  expect((await accounts(`show ${address} --json`)).json()).toMatchObject([{ email: address, isActive: true }]);
});

it('lists all accounts, also as one JSON object a line, and the broken ones alone with what their address was', async () => {
  await add();
  await accounts('add other@somewhere.com --username other --id 2 --unusable');
  const edit = { username: '', email: 'a\u001b[2Jb' };
  table('Accounts').edit(addressHashOf('other@somewhere.com'), '2', edit);
  const list = await accounts('list');
  expect(list.out).toContain('1\tsomeuser\tsomeuser@somewhere.com\timpossible: it has no usable password\n');
  expect(list.out).not.toContain('\u001b');
  expect(list.error).toBe('2 accounts.\n');
  const broken = await accounts('list --broken --json');
  expect(broken.json()).toMatchObject({ id: '2', problem: 'bad_column_username', knownEmail: 'other@somewhere.com' });
});

it("says that a site's own accounts are changed there, and shows what its directory answers", async () => {
  const { site, url, seed } = await startDirectorySite('encoded');
  const env = { ACCOUNT_DIRECTORY: 'http', ACCOUNT_DIRECTORY_URL: url, ACCOUNT_DIRECTORY_SECRETS: siteSecret };
  try {
    const stored = await hashPassword(password, 'argon2id');
    await seed([{ id: '7', email: address, username: 'someuser', password: stored, isActive: true }]);
    expect(await accounts('list', { env })).toMatchObject({ code: 1, error: containing('ACCOUNT_DIRECTORY=http') });
    const shown = (await accounts(`show ${address} --json`, { env })).json();
    expect(shown).toMatchObject([{ id: '7', username: 'someuser', canReset: true }]);
  } finally {
    site.close();
  }
});

it('names every setting that is missing or wrong', async () => {
  const refused = await accounts('list', { env: { CODALAB_SITE_NAME: '', EMAIL_PORT: 'x' } });
  expect(refused).toMatchObject({ code: 1, out: '' });
  for (const name of ['CODALAB_SITE_NAME is missing', 'EMAIL_PORT']) expect(refused.error).toContain(name);
});

it('reads local.settings.json, over which the environment wins', async () => {
  const Values = { ...exampleSettings, AzureWebJobsStorage: 'nonsense' };
  own.write('local.settings.json', JSON.stringify({ IsEncrypted: false, Values }));
  const env = Object.fromEntries(Object.keys(Values).map((name) => [name, undefined]));
  expect((await accounts('list', { cwd: own.path, env })).error).toContain('AzureWebJobsStorage');
  const wins = { ...env, AzureWebJobsStorage: 'UseDevelopmentStorage=true' };
  expect((await accounts('list', { cwd: own.path, env: wins })).error).toBe('0 accounts.\n');
});

it.each([
  ['connection', 'is it running (`npm start` starts Azurite)'],
  ['TableNotFound', 'azd provision'],
])('says what to do if storage fails with %s', async (code, cure) => {
  table('Accounts').intercept('list', () => Promise.reject(new StorageUnavailable('tables', code)));
  expect(await accounts('list')).toMatchObject({ code: 1, error: containing(cure) });
});

it('works as a process of its own, on Azure Storage', async () => {
  const connectionString = emptyStorage();
  await createStorageClients({ kind: 'connectionString', connectionString }).createMissing();
  const env = { ...process.env, ...exampleSettings, AzureWebJobsStorage: connectionString };
  const script = path.join(__dirname, '../../cli/main.ts');
  const call = (...argv: string[]) =>
    promisify(execFile)(process.execPath, ['--import', 'tsx', script, 'accounts', ...argv], { env });
  await call('add', address, '--username', 'someuser', '--id', '1', '--unusable');
  const { stdout } = await call('show', address, '--json');
  expect(JSON.parse(stdout)).toMatchObject([{ id: '1', username: 'someuser' }]);
  const stderr = 'No account has this address.\n';
  await expect(call('show', 'nobody@somewhere.com')).rejects.toMatchObject({ code: 1, stderr });
});
