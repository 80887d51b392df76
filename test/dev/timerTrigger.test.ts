// Timer functions under the dev host.
import type { HostProcess } from '../../dev/host/hostProcess';
import { eventually, seen, startFixtureApp } from './fixtures/fixtureApp';

const hosts: HostProcess[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

async function start(options: Parameters<typeof startFixtureApp>[0] = {}): Promise<HostProcess> {
  const host = await startFixtureApp(options);
  hosts.push(host);
  return host;
}
const order = (host: HostProcess): string[] =>
  seen(host)
    .flatMap((event) => Object.keys(event))
    .filter((name) => name !== 'onStart');
const count = (host: HostProcess, name: string): number => order(host).filter((found) => found === name).length;

test('a timer runs by its six-field schedule, which a setting may hold, and is told the schedule', async () => {
  const host = await start({ env: { TICK_SCHEDULE: '* * * * * *' } });
  await eventually(() => count(host, 'tock') >= 2);
  expect(seen(host)).toContainEqual({
    tick: {
      isPastDue: false,
      schedule: { adjustForDST: true },
      scheduleStatus: {
        last: expect.any(String),
        next: expect.stringMatching(/^\d{4}-.*Z$/),
        lastUpdated: expect.any(String),
      },
    },
  });
});

test('a timer that is due while it runs does not run twice at once', async () => {
  const host = await start({ env: { TICK_SCHEDULE: '* * * * * *', TICK_MS: '1500' } });
  await eventually(() => count(host, 'tock') >= 2);
  expect(order(host).slice(0, 4)).toEqual(['tick', 'tock', 'tick', 'tock']);
});

test('runOnStartup runs a timer when the host starts', async () => {
  const host = await start();
  await eventually(() => seen(host).some((event) => event.onStart));
});

test('without timers nothing runs by itself, but any timer can be run by name', async () => {
  const host = await start({ timers: false });
  await host.runTimer('tick');
  expect(count(host, 'tock')).toBe(1);
  expect(seen(host).some((event) => event.onStart)).toBe(false);
});

test('a timer run by hand waits for a run in progress', async () => {
  const host = await start({ timers: false, env: { TICK_MS: '100' } });
  await Promise.all([host.runTimer('tick'), host.runTimer('tick')]);
  expect(order(host)).toEqual(['tick', 'tock', 'tick', 'tock']);
});

test('a failing timer is logged, and the host survives', async () => {
  const host = await start();
  await expect(host.runTimer('failing')).rejects.toThrow('"failing" failed');
  expect(host.output()).toContain('timer failed on purpose');
  await host.runTimer('tick');
});

test('running a timer takes the function key, and a name that exists', async () => {
  const host = await start();
  await expect(host.runTimer('unknown')).rejects.toThrow('no timer "unknown"');
  expect((await fetch(`${host.url}/admin/functions/tick`, { method: 'POST' })).status).toBe(401);
});

test('a timer whose schedule cannot be read is left out, and the others run', async () => {
  const host = await start({ env: { TICK_SCHEDULE: 'every now and then' } });
  await eventually(() => seen(host).some((event) => event.onStart));
  expect(host.output()).toContain("The timer 'tick' cannot be scheduled");
});

test('SIGTERM lets a running timer finish', async () => {
  const host = await start({ timers: false, env: { TICK_MS: '500' } });
  void host.runTimer('tick').catch(() => undefined);
  await eventually(() => count(host, 'tick') === 1);
  expect(await host.stop()).toBe(0);
  expect(count(host, 'tock')).toBe(1);
});
