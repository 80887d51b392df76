// `npm start` as a developer meets it, in a project of its own that holds the fixture app.
import { once } from 'node:events';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { QueueServiceClient } from '@azure/storage-queue';
import { startChild } from '../../dev/childProcess';
import { startHttpServer } from '../../dev/host/httpServer';
import { samplePassword, seedSampleAccounts } from '../../dev/samples';
import { addressHashOf } from '../../shared/address';
import { createAccountsTable } from '../../shared/storage/accountsTable';
import { eventually, exampleSettings } from '../support/app';
import { emptyStorage, emptyStorageClients } from '../support/storage';
import { verifyPassword } from '../support/verifyPassword';

const root = path.join(__dirname, '../..');
const fixture = (name: string): string => path.join(__dirname, 'fixtures', name);
const sampleKey = 'eyJhbGciOiJIUzI1NiJ9.eyJhdWQiOiIxIn0.c2lnbmF0dXJl';
let project: string;
let bin: string;
let connectionString: string;
const runs: { interrupt: () => void; exited: Promise<unknown> }[] = [];

beforeEach(() => {
  connectionString = emptyStorage();
  project = fs.mkdtempSync(path.join(os.tmpdir(), 'npm-start-'));
  bin = path.join(project, 'bin');
  fs.mkdirSync(bin);
  for (const part of ['cli', 'dev', 'shared'])
    fs.cpSync(path.join(root, part), path.join(project, part), { recursive: true });
  fs.cpSync(path.join(root, 'dist/dev'), path.join(project, 'dist/dev'), { recursive: true });
  fs.symlinkSync(path.join(root, 'node_modules'), path.join(project, 'node_modules'));
  fs.copyFileSync(fixture('host.json'), path.join(project, 'host.json'));
  fs.copyFileSync(fixture('app.cjs'), path.join(project, 'app.cjs'));
  write('package.json', '{"private":true,"engines":{"node":">=20.19"},"scripts":{"start":"node dev/start.cjs"}}');
  write('esbuild.config.mjs', "import fs from 'node:fs'; fs.copyFileSync('app.cjs', 'dist/main.js');");
  const console = 'AzureFunctionsJobHost__logging__logLevel__Host.Function.Console';
  const values = { ...exampleSettings, [console]: undefined, FROM_BOTH: 'file' };
  write('local.settings.json.example', JSON.stringify({ IsEncrypted: false, Values: values }));
});
afterEach(async () => {
  for (const run of runs.splice(0)) {
    run.interrupt();
    await run.exited;
  }
  fs.rmSync(project, { recursive: true });
});

function write(name: string, text: string): void {
  fs.writeFileSync(path.join(project, name), text);
}

/** Runs what `npm start -- …args` runs; its storage is the test's unless `env` names another. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = { AzureWebJobsStorage: connectionString }) {
  return run(process.execPath, ['dev/start.cjs', ...args], env);
}

function run(command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
  const lines: string[] = [];
  const output = (): string => lines.join('\n');
  const PATH = [bin, path.dirname(process.execPath), '/usr/bin', '/bin'].join(':');
  const child = startChild(command, args, {
    cwd: project,
    env: { ...process.env, PATH, ...env },
    onLine: (line) => void lines.push(line),
  });
  const url = (): Promise<string> =>
    eventually(() => /^READY (\S+)$/m.exec(output())?.[1]).catch(() => {
      throw new Error(`no READY line in:\n${output()}`);
    });
  /** Ctrl-C: the whole process group is told. */
  const interrupt = (): void => child.signal('SIGINT');
  // Not when the process is over, but when whatever it started has closed its output, too.
  const exited = once(child.process, 'close').then(([code]) => code as number | null);
  const started = { pid: child.process.pid ?? 0, output, url, interrupt, exited };
  runs.push(started);
  return started;
}

/** A storage on this machine that is not running: other tests may have one on the default ports. */
const nothingAnswers = (): NodeJS.ProcessEnv => ({
  AzureWebJobsStorage: connectionString.replace(/:\d+\//g, ':1/'),
});

test('it makes the settings, starts Azurite, builds, runs the dev host, and stops it all on Ctrl-C', async () => {
  const run = start(['--port', '0'], nothingAnswers());
  const url = await run.url();
  expect((await fetch(`${url}/api/order/x`)).status).toBe(200);
  expect(run.output()).toContain('Made local.settings.json');
  expect(run.output()).toMatch(/Storage: started Azurite on ports \d+, \d+, \d+; data in \.azurite\/\./);
  expect(run.output()).toContain('Core Tools v4 are not on the PATH');
  expect(fs.existsSync(path.join(project, '.azurite'))).toBe(true);
  run.interrupt();
  expect(await run.exited).toBe(0);
  await expect(fetch(url)).rejects.toThrow();
  expect(run.output().match(/^READY/gm)).toHaveLength(1);
});

test('a storage that answers is used; settings of one’s own stay; whatever looks wrong is warned of', async () => {
  const storage = QueueServiceClient.fromConnectionString(connectionString);
  await storage.getQueueClient('orders-of-another-app').create();
  const values = { ...exampleSettings, SITE_LOCALE: 'tlh', EMAIL_BAKCEND: 'smtp' };
  write('local.settings.json', JSON.stringify({ Values: values }));
  const run = start(['--port', '0', '--memory', '--storage', connectionString], {});
  await run.url();
  expect(run.output()).toContain('answer already');
  expect(run.output()).not.toContain('Made local.settings.json');
  expect(run.output()).toContain('another app uses this storage too (orders-of-another-app)');
  expect(run.output()).toContain('--memory has no effect');
  expect(run.output()).toMatch(/EMAIL_BAKCEND.* Is EMAIL_BACKEND meant\?/);
  expect(run.output()).toContain('no texts for SITE_LOCALE tlh');
  expect(run.output()).toMatch(/^ {2}alice-lab +alice@somewhere\.com$/m);
});

test('an old Node is refused in one line', async () => {
  const script = `Object.defineProperty(process.versions, 'node', { value: '20.18.3' }); require('./dev/start.cjs');`;
  const old = run(process.execPath, ['-e', script], {});
  expect(await old.exited).toBe(1);
  expect(old.output()).toBe('This app needs Node 20.19 or later; this is Node 20.18.3.');
});

test.each(['SIGTERM', 'SIGKILL'] as const)('when npm is ended by %s, the app ends, too', async (signal) => {
  const npm = run('npm', ['start', '--', '--port', '0'], { AzureWebJobsStorage: connectionString });
  const url = await npm.url();
  process.kill(npm.pid, signal);
  await eventually(() =>
    fetch(url).then(
      () => false,
      () => true,
    ),
  );
});

test('Core Tools on the PATH are preferred; the environment wins over the settings', async () => {
  fs.copyFileSync(fixture('fakeFunc.cjs'), path.join(bin, 'func'));
  const { port, close } = await startHttpServer({ endpoints: [], port: 0 });
  await close(); // a free port
  const env = { AzureWebJobsStorage: connectionString, FROM_BOTH: 'environment' };
  const run = start(['--port', String(port)], env);
  expect(await run.url()).toBe(`http://127.0.0.1:${port}`);
  expect(run.output()).toContain('Core Tools 4.0.7030');
  expect(run.output()).toContain(`fake func: start --port ${port}; FROM_BOTH=environment; console=Information`);
  const mailbox = /^Mailbox: (\S+)$/m.exec(run.output())?.[1] ?? '';
  const directory = /^mails in (\S+)$/m.exec(run.output())?.[1] ?? '';
  expect(new URL(mailbox).port).not.toBe(String(port));
  const link = `/accounts/password/reset/key/${sampleKey}/`;
  fs.writeFileSync(path.join(directory, '1.eml'), `From: a@b.c\r\nSubject: s\r\n\r\nhttp://codalab.org${link}\r\n`);
  const list: unknown = await (await fetch(`${mailbox}.json`)).json();
  expect(list).toMatchObject([{ links: [{ here: `http://127.0.0.1:${port}${link}` }] }]);
  run.interrupt();
  expect(await run.exited).toBe(0);
  expect(run.output()).toContain('fake func: stopped');
});

test('older Core Tools are not used; with --memory nothing is kept on disk', async () => {
  fs.copyFileSync(fixture('fakeFunc.cjs'), path.join(bin, 'func'));
  const env = { ...nothingAnswers(), FAKE_FUNC_VERSION: '3.0.1' };
  const run = start(['--port', '0', '--memory'], env);
  await run.url();
  expect(run.output()).toContain('Host: the dev host');
  expect(run.output()).toContain('data in memory');
  expect(fs.existsSync(path.join(project, '.azurite'))).toBe(false);
});

test.each<[string, () => unknown, string[], NodeJS.ProcessEnv, RegExp]>([
  [
    'a settings file that is broken',
    () => write('local.settings.json', '{'),
    [],
    {},
    /settings\.json:1:2 is not valid/,
  ],
  ['--host func without Core Tools', () => {}, ['--host', 'func'], {}, /are not on the PATH/],
  ['bad settings', () => {}, [], { EMAIL_PORT: 'secret-1' }, /^(?![^]*secret-)[^]*EMAIL_PORT is not /],
  ['a build that fails', () => write('esbuild.config.mjs', 'throw new Error("bad build")'), [], {}, /bad build/],
  ['an app that does not load', () => write('app.cjs', 'throw new Error("bad bundle")'), [], {}, /bad bundle/],
])('%s: it ends with 1 and says so', async (_what, prepare, args, env, problem) => {
  prepare();
  const run = start(['--port', '0', ...args], { AzureWebJobsStorage: connectionString, ...env });
  expect(await run.exited).toBe(1);
  expect(run.output()).toMatch(problem);
});

test('a taken port ends with 1 and tells the way out', async () => {
  const run = start(['--port', /:(\d+)\//.exec(connectionString)?.[1] ?? '']);
  expect(await run.exited).toBe(1);
  expect(run.output()).toContain('--port');
});

test('when the host ends by itself, so does npm start, with its exit code', async () => {
  const run = start(['--port', '0']);
  const url = await run.url();
  await fetch(`${url}/api/crash`).catch(() => undefined);
  expect(await run.exited).toBe(1);
});

test('there is a sample account of each kind, made once, in an empty table only', async () => {
  const storage = await emptyStorageClients();
  const added = (await Promise.all([seedSampleAccounts(storage), seedSampleAccounts(storage)])).flat();
  const usernames = ['alice', 'alice-lab', 'disabled', 'francoise', 'nopassword', 'someuser'];
  expect(added.map(({ username }) => username).sort()).toEqual(usernames);
  expect(await seedSampleAccounts(storage)).toEqual([]);

  const row = await storage.table('Accounts').get(addressHashOf('someuser@somewhere.com'), 'sample-1');
  expect(await verifyPassword(samplePassword, String(row?.['password']))).toBe(true);
  const directory = createAccountsTable(storage.table('Accounts'), () => {});
  const canReset = async (email: string) => (await directory.findByAddress(email)).map((account) => account.canReset);
  expect(await canReset('alice@somewhere.com')).toEqual([true, true]);
  for (const name of ['disabled', 'nopassword']) expect(await canReset(`${name}@somewhere.com`)).toEqual([false]);
});
