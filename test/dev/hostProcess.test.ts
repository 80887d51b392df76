// The dev host as a process: start, refusals, signals, crashes, timers.
import path from 'node:path';
import { readHostJson } from '../../dev/host/hostJson';
import type { HostProcess, HostProcessOptions } from '../../dev/host/hostProcess';
import { workFolder } from '../cli/runCli';
import { eventually } from '../support/app';
import { seen, startFixtureApp } from './fixtures/fixtureApp';

const folder = workFolder();
/** An app, or a host.json. @returns its path */
function file(name: string, text: string): string {
  folder.write(name, text);
  return path.join(folder.path, name);
}

test('it reads the project’s own host.json', () => {
  expect(readHostJson(path.join(__dirname, '../../host.json'))).toMatchObject({
    routePrefix: '',
    queues: { maxDequeueCount: 10, visibilityTimeout: 60_000, maxPollingInterval: 2000 },
  });
});

const badHostJson = '{"version":"2.0","extensions":{"queues":{"batchSize":33}}}';
const using = (use: string): string => `require(${JSON.stringify(require.resolve('@azure/functions'))}).app.${use}`;
const blob = "storageBlob('b', { path: 'x', connection: 'y', handler() {} })";

test.each<[string, Partial<HostProcessOptions>, string]>([
  ['with a bad host.json', { hostJsonFile: file('host.json', badHostJson) }, 'batchSize'],
  ['an app that throws', { appFile: file('broken.cjs', 'throw new Error("broken app");') }, 'broken app'],
  [
    'an app with other hooks',
    { appFile: file('hook.cjs', using('hook.preInvocation(() => {})')) },
    'appTerminate hooks',
  ],
  ['an app with other triggers', { appFile: file('blob.cjs', using(blob)) }, 'does not serve blobTrigger'],
])('it refuses to start %s', async (_what, options, problem) => {
  await expect(startFixtureApp(options)).rejects.toThrow(problem);
});

test('it refuses a taken port', async () => {
  const host = await startFixtureApp();
  await expect(startFixtureApp({ port: Number(new URL(host.url).port) })).rejects.toThrow('EADDRINUSE');
  await host.stop();
});

test.each(['SIGTERM', 'SIGINT'] as const)(
  '%s runs the appTerminate hooks at once, lets a request in flight finish, and ends it with 0',
  async (signal) => {
    const host = await startFixtureApp();
    const slow = fetch(`${host.url}/api/slow?until=terminated`);
    await eventually(() => seen(host).some((event) => event.slow));
    const stopped = host.stop(signal);
    expect(await slow.then((response) => response.text())).toBe('slow but done');
    expect(await stopped).toBe(0);
    expect(host.output()).toContain('a hook failed on purpose');
    expect(host.output().match(/^READY .*$/gm)).toEqual([`READY ${host.url}`]);
    await expect(fetch(host.url)).rejects.toThrow();
  },
);

test('a second signal ends it at once, with 1', async () => {
  const host = await startFixtureApp();
  const slow = fetch(`${host.url}/api/slow?ms=20000`).catch(() => 'cut');
  await eventually(() => seen(host).some((event) => event.slow));
  host.signal('SIGTERM');
  await eventually(() => host.output().includes('hook ended'));
  expect(await host.stop('SIGTERM')).toBe(1);
  expect(await slow).toBe('cut');
});

test('a rejection that the app does not handle ends it with 1, and is printed', async () => {
  const host = await startFixtureApp();
  await fetch(`${host.url}/api/crash`).catch(() => undefined);
  expect(await host.exited).toBe(1);
  expect(host.output()).toContain('nobody handles this');
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
