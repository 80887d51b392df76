// The dev host as a process: start, refusals, signals, crashes, timers.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readHostJson } from '../../dev/host/hostJson';
import type { HostProcess } from '../../dev/host/hostProcess';
import { eventually, seen, startFixtureApp } from './fixtures/fixtureApp';

const directory = mkdtempSync(path.join(os.tmpdir(), 'dev-host-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function writeTemporary(name: string, text: string): string {
  const file = path.join(directory, name);
  writeFileSync(file, text);
  return file;
}

test('it starts within 2 s, says READY once, and binds 127.0.0.1', async () => {
  const startedAt = performance.now();
  const host = await startFixtureApp();
  expect(performance.now() - startedAt).toBeLessThan(2000);
  expect(host.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
  expect(await host.stop()).toBe(0);
  expect(host.output().match(/^READY .*$/gm)).toEqual([`READY ${host.url}`]);
});

test.each(['WEBSITE_INSTANCE_ID', 'WEBSITE_SITE_NAME'])('it refuses to start in Azure (%s)', async (name) => {
  await expect(startFixtureApp({ env: { [name]: 'x' } })).rejects.toThrow('does not run in Azure');
});

test('it refuses a taken port', async () => {
  const host = await startFixtureApp();
  await expect(startFixtureApp({ port: Number(new URL(host.url).port) })).rejects.toThrow('EADDRINUSE');
  await host.stop();
});

test('it reads the project’s own host.json, and names what is wrong in another', async () => {
  expect(readHostJson(path.join(__dirname, '../../host.json'))).toMatchObject({
    routePrefix: '',
    queues: { maxDequeueCount: 10, visibilityTimeout: 60_000, maxPollingInterval: 2000 },
  });
  const hostJsonFile = writeTemporary('host.json', '{"version":"2.0","extensions":{"queues":{"batchSize":33}}}');
  await expect(startFixtureApp({ hostJsonFile })).rejects.toThrow(/batchSize/);
});

test('it shows the error of an app that cannot be loaded', async () => {
  const appFile = writeTemporary('broken.cjs', 'throw new Error("broken app");');
  await expect(startFixtureApp({ appFile })).rejects.toThrow('broken app');
});

test.each([
  ['app.hook.preInvocation(() => {})', 'appTerminate hooks only, not preInvocation'],
  [`app.storageBlob('b', { path: 'x', connection: 'y', handler: () => {} })`, 'does not serve blobTrigger'],
])('an app that uses what the dev host does not support is refused: %s', async (use, problem) => {
  const library = JSON.stringify(require.resolve('@azure/functions'));
  const appFile = writeTemporary('unsupported.cjs', `const { app } = require(${library}); ${use};`);
  await expect(startFixtureApp({ appFile })).rejects.toThrow(problem);
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s lets a request in flight finish, and ends with 0', async (signal) => {
  const host = await startFixtureApp();
  const slow = fetch(`${host.url}/api/slow?ms=600`);
  await eventually(() => seen(host).some((event) => event.slow));
  const stopped = host.stop(signal);
  await expect(slow.then((response) => response.text())).resolves.toBe('slow but done');
  expect(await stopped).toBe(0);
  await expect(fetch(host.url)).rejects.toThrow();
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

test('on SIGTERM the appTerminate hooks run at once and are awaited; one that fails is logged', async () => {
  const host = await startFixtureApp({ env: { TERMINATE_MS: '300' } });
  const slow = fetch(`${host.url}/api/slow?ms=1500`);
  await eventually(() => seen(host).some((event) => event.slow));
  const stopped = host.stop();
  await eventually(() => host.output().includes('hook ended'));
  expect(await Promise.race([slow.then(() => 'done'), Promise.resolve('still in flight')])).toBe('still in flight');
  expect((await slow).status).toBe(200);
  expect(await stopped).toBe(0);
  expect(host.output()).toContain('a hook failed on purpose');
});

test('a hook that hangs is not awaited for ever', async () => {
  const host = await startFixtureApp({ env: { TERMINATE_MS: '60000' } });
  expect(await host.stop()).toBe(0);
  expect(host.output()).toContain('hooks did not end in time');
});

describe('timers', () => {
  const order = (host: HostProcess): string[] =>
    seen(host)
      .flatMap((event) => Object.keys(event))
      .filter((name) => name !== 'onStart');

  test('one runs by its schedule and on start-up, and never twice at once', async () => {
    const host = await startFixtureApp({ env: { TICK_SCHEDULE: '* * * * * *', TICK_MS: '1500' } });
    await eventually(() => order(host).length >= 4);
    expect(order(host).slice(0, 4)).toEqual(['tick', 'tock', 'tick', 'tock']);
    expect(seen(host).some((event) => event.onStart)).toBe(true);
    await host.stop();
  });

  test('without timers none runs by itself; any can be run by name, one after the other, with the function key', async () => {
    const host = await startFixtureApp({ timers: false, env: { TICK_MS: '100' } });
    await Promise.all([host.runTimer('tick'), host.runTimer('tick')]);
    expect(order(host)).toEqual(['tick', 'tock', 'tick', 'tock']);
    expect(seen(host).some((event) => event.onStart)).toBe(false);
    await expect(host.runTimer('unknown')).rejects.toThrow('no timer "unknown"');
    expect((await fetch(`${host.url}/admin/functions/tick`, { method: 'POST' })).status).toBe(401);
    await expect(host.runTimer('failing')).rejects.toThrow('"failing" failed');
    expect(host.output()).toContain('timer failed on purpose');
    void host.runTimer('tick').catch(() => undefined);
    await eventually(() => order(host).length === 5);
    expect(await host.stop()).toBe(0);
    expect(order(host).at(-1)).toBe('tock'); // SIGTERM lets it finish
  });
});
