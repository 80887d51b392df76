// The dev host's life: start, refusals, signals, crashes.
import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { eventually, seen, startFixtureApp } from './fixtures/fixtureApp';

const directory = mkdtempSync(path.join(os.tmpdir(), 'dev-host-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

const fixture = (name: string): string => path.join(__dirname, 'fixtures', name);

function writeTemporary(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}

test('it starts within 2 s, says READY once, and binds 127.0.0.1', async () => {
  const startedAt = performance.now();
  const host = await startFixtureApp();
  expect(performance.now() - startedAt).toBeLessThan(2000);
  expect(host.url).toBe(`http://127.0.0.1:${host.port}`);
  expect(await host.stop()).toBe(0);
  expect(host.output().match(/^READY .*$/gm)).toEqual([`READY ${host.url}`]);
});

test.each(['WEBSITE_INSTANCE_ID', 'WEBSITE_SITE_NAME'])('it refuses to start in Azure (%s)', async (name) => {
  await expect(startFixtureApp({ env: { [name]: 'x' } })).rejects.toThrow('does not run in Azure');
});

test('it refuses a taken port', async () => {
  const host = await startFixtureApp();
  await expect(startFixtureApp({ port: host.port })).rejects.toThrow('EADDRINUSE');
  await host.stop();
});

test('it names what is wrong in host.json', async () => {
  const hostJsonFile = writeTemporary('host.json', '{"version":"2.0","extensions":{"queues":{"batchSize":33}}}');
  await expect(startFixtureApp({ hostJsonFile })).rejects.toThrow(/batchSize/);
});

test('it tells the error of an app that cannot be loaded', async () => {
  const appFile = writeTemporary('broken.cjs', 'throw new Error("broken app");');
  await expect(startFixtureApp({ appFile })).rejects.toThrow('broken app');
});

test('settings come from the file, but a variable already set wins', async () => {
  const appFile = writeTemporary(
    'settings.cjs',
    `const { app } = require(${JSON.stringify(require.resolve('@azure/functions'))});
     app.http('settings', { handler: () => ({ jsonBody: [process.env.FROM_FILE, process.env.FROM_BOTH] }) });`,
  );
  const settingsFile = writeTemporary(
    'local.settings.json',
    '{"IsEncrypted":false,"Values":{"FROM_FILE":1,"FROM_BOTH":"file"}}',
  );
  const host = await startFixtureApp({ appFile, settingsFile, env: { FROM_BOTH: 'environment' } });
  expect(await (await fetch(`${host.url}/api/settings`)).json()).toEqual(['1', 'environment']);
  await host.stop();
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s lets a request in flight finish, and ends with 0', async (signal) => {
  const host = await startFixtureApp();
  const slow = fetch(`${host.url}/api/slow?ms=600`);
  await eventually(() => seen(host).some((event) => event.slow));
  const stopped = host.stop(signal);
  await expect(slow.then((response) => response.text())).resolves.toBe('slow but done');
  expect(await stopped).toBe(0);
  await expect(fetch(host.url)).rejects.toThrow();
  expect(host.output()).toContain('hook appTerminate');
});

test('a second signal ends it at once, with 1', async () => {
  const host = await startFixtureApp();
  const slow = fetch(`${host.url}/api/slow?ms=20000`).catch(() => 'cut');
  await eventually(() => seen(host).some((event) => event.slow));
  host.signal('SIGTERM');
  await eventually(async () =>
    fetch(`${host.url}/`).then(
      () => false,
      () => true,
    ),
  );
  expect(await host.stop('SIGTERM')).toBe(1);
  expect(await slow).toBe('cut');
});

test('a rejection that the app does not handle ends it with 1, and is printed', async () => {
  const host = await startFixtureApp();
  await fetch(`${host.url}/api/crash`).catch(() => undefined);
  expect(await host.exited).toBe(1);
  expect(host.output()).toContain('nobody handles this');
});

test('startHost in a process of one’s own: pages under /dev/, a timer by name, close', async () => {
  const options = {
    appFile: fixture('app.cjs'),
    hostJsonFile: fixture('host.json'),
    port: 0,
    functionKey: 'k',
    timers: false,
  };
  const script = `
    const { startHost } = require(${JSON.stringify(path.join(__dirname, '../../dev/host/startHost.ts'))});
    (async () => {
      const handle = ({ url, params, body }) => ({ status: 201, body: [url.search, params.id, body].join() });
      const devRoutes = [{ method: 'post', path: '/dev/mail/{id}', handle }];
      const host = await startHost({ ...${JSON.stringify(options)}, devRoutes });
      const page = await fetch(host.url + '/dev/mail/7?x', { method: 'POST', body: 'text' });
      await host.runTimer('failing').catch((error) => console.log(error.message));
      console.log(page.status, await page.text(), host.functionKey, host.functions.slice(0, 3).join());
      await host.close();
    })();`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', '-e', script]);
  expect(stdout).toContain('timer failed on purpose');
  expect(stdout).toContain('201 ?x,7,text k answer,crash,echo');
});

test('the bundle of the host is there after its first start', () => {
  expect(existsSync(path.join(__dirname, '../../dist/dev-host.js'))).toBe(true);
});
