// Mails as they leave: a full queue, two instances, CPU, and HTTP beside it in the same process.
import { setTimeout as sleep } from 'node:timers/promises';
import { hashPassword } from '../shared/password/passwordHash';
import { clientAddress, createClient, inParallel } from './http';
import { addAccounts, addressOf, queueFloorMails, queueMails } from './sampleKeys';
import { configOf, cpuMs, inSetting, preparedStorage, settingsOf, type AppName, type Setting } from './setting';
import { median, quantile, type Figure } from './statistics';

interface Drained {
  /** Mails a second between the first and the last to arrive: starting is not in it. */
  readonly perSecond: number;
  readonly doubles: number;
  /** CPU of Azurite, in cores. */
  readonly azuriteCores: number;
  /** CPU of all instances per mail, in ms. */
  readonly cpuPerMail: number;
}

/** Fills the queue, starts so many instances on it, and waits until it is empty. */
async function drain(
  { storages, azurite, sink, start }: Setting,
  app: AppName,
  from: number,
  count: number,
  instances = 1,
): Promise<Drained> {
  const [storage = ''] = storages;
  const prepared = await preparedStorage(storage);
  if (app === 'app') await queueMails(prepared, configOf(settingsOf(storage)), from, from + count);
  else await queueFloorMails(prepared, from, from + count);
  const before = sink.mails.length;
  const hosts = await Promise.all(Array.from({ length: instances }, () => start(app, storage, { queues: true })));
  const usage = () => hosts.reduce((sum, { pid }) => sum + cpuMs(pid), 0);
  await sink.waitFor(before + 1);
  const [cpu, azuriteCpu, startedAt] = [usage(), cpuMs(azurite.pid), performance.now()];
  await sink.waitFor(before + count);
  const [elapsedMs, spent, azuriteSpent] = [
    performance.now() - startedAt,
    usage() - cpu,
    cpuMs(azurite.pid) - azuriteCpu,
  ];
  await sleep(1000);
  await Promise.all(hosts.map((host) => host.stop()));
  const mails = sink.mails.slice(before);
  const [first, last] = [mails[0]?.at ?? 0, mails[count - 1]?.at ?? 0];
  return {
    perSecond: ((count - 1) * 1000) / (last - first),
    doubles: app === 'app' ? mails.length - new Set(mails.map(({ id }) => id)).size : 0,
    azuriteCores: azuriteSpent / elapsedMs,
    cpuPerMail: spent / count,
  };
}

/** A full queue drained by the app and by the floor, each on an Azurite of its own. */
export async function measureQueue(count: number): Promise<Figure[]> {
  const run = (app: AppName): Promise<Drained> =>
    inSetting(1, async (setting) => {
      await addAccounts(await preparedStorage(setting.storages[0] ?? ''), 0, count);
      return drain(setting, app, 0, count);
    });
  const [mine, floor] = [await run('app'), await run('floor')];
  const name = `queue of ${count}`;
  const [value, bare] = [mine.perSecond, floor.perSecond];
  return [
    { name: `${name}, mails a second`, unit: '/s', value, floor: bare, bound: { atLeast: 0.8 } },
    { name: `${name}, CPU per mail with its host`, unit: 'ms', value: mine.cpuPerMail, floor: floor.cpuPerMail },
    { name: `${name}, Azurite's CPU`, unit: 'cores', value: mine.azuriteCores, floor: floor.azuriteCores },
    { name: `${name}, doubles`, unit: '', value: mine.doubles, bound: { atMost: 0 } },
  ];
}

/** The same queue drained by two instances and by one. */
export async function measureTwo(): Promise<Figure[]> {
  const count = 1000;
  const run = (instances: number): Promise<Drained> =>
    inSetting(1, async (setting) => {
      await addAccounts(await preparedStorage(setting.storages[0] ?? ''), 0, count);
      return drain(setting, 'app', 0, count, instances);
    });
  const [two, one] = [await run(2), await run(1)];
  return [
    {
      name: 'two instances against one',
      unit: '/s',
      value: two.perSecond,
      floor: one.perSecond,
      bound: { atLeast: 1.5 },
    },
    { name: "two instances, Azurite's CPU", unit: 'cores', value: two.azuriteCores, floor: one.azuriteCores },
    { name: 'two instances, doubles', unit: '', value: two.doubles, bound: { atMost: 0 } },
  ];
}

/** From the request to the mail at the provider, on a quiet host: mostly the queue's polling. */
export function measureJourney(): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [storage = ''], sink, start }) => {
    const count = 40;
    await addAccounts(await preparedStorage(storage), 0, count);
    const host = await start('app', storage, { queues: true });
    const client = createClient(host.url);
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      const startedAt = performance.now();
      await client.post('/api/password-reset/request', { email: addressOf(index) }, clientAddress(index));
      await sink.waitFor(index + 1);
      times.push((sink.mails[index]?.at ?? NaN) - startedAt);
      await sleep(50);
    }
    client.close();
    return [
      { name: 'request → mail accepted, p50', unit: 'ms', value: median(times) },
      { name: 'request → mail accepted, p95', unit: 'ms', value: quantile(times, 0.95) },
    ];
  });
}

/** Answers to requests that come at 50 a second, while the same process sends their mails. */
export function measureTail(): Promise<Figure[]> {
  return inSetting(2, async ({ storages, sink, start }) => {
    const [perSecond, seconds, warmSeconds] = [50, 15, 3];
    const figures: Figure[] = [];
    for (const [index, queues] of [true, false].entries()) {
      const storage = storages[index] ?? '';
      const count = perSecond * (seconds + warmSeconds);
      await addAccounts(await preparedStorage(storage), 0, count);
      const host = await start('app', storage, { queues });
      const client = createClient(host.url, 30);
      const times: number[] = [];
      const calls: Promise<void>[] = [];
      const startedAt = performance.now();
      for (let call = 0; call < count; call++) {
        await sleep(Math.max(0, startedAt + (call * 1000) / perSecond - performance.now()));
        const answered = client.post('/api/password-reset/request', { email: addressOf(call) }, clientAddress(call));
        calls.push(
          answered.then(({ ms, status }) => {
            if (status !== 202) throw new Error(`request answered ${status}`);
            if (call >= warmSeconds * perSecond) times.push(ms);
          }),
        );
      }
      await Promise.all(calls);
      const name = queues ? 'request beside 50 mails/s' : 'request at 50/s, nothing sent';
      if (queues) {
        const before = sink.mails.length;
        figures.push({ name: `${name}, mails sent meanwhile`, unit: '/s', value: before / (seconds + warmSeconds) });
        await sink.waitFor(count);
      }
      client.close();
      await host.stop();
      const [p50, p95] = [median(times), quantile(times, 0.95)];
      figures.push(
        { name: `${name}, p50`, unit: 'ms', value: p50 },
        {
          name: `${name}, p95 against p50`,
          unit: 'ms',
          value: p95,
          floor: p50,
          bound: queues ? { atMost: 3 } : undefined,
        },
        { name: `${name}, p99`, unit: 'ms', value: quantile(times, 0.99) },
      );
    }
    return figures;
  });
}

/** CPU of the app's process without what an empty app's process takes for the same calls and messages. */
export function measureCpu(): Promise<Figure[]> {
  return inSetting(2, async ({ storages: [appStorage = '', emptyStorage = ''], sink, start }) => {
    const [warm, count, atOnce] = [200, 300, 10];
    const storage = await preparedStorage(appStorage);
    await addAccounts(storage, 0, warm + 2 * count);
    const app = await start('app', appStorage, { queues: true });
    const client = createClient(app.url, atOnce);
    const request = (index: number) =>
      client.post('/api/password-reset/request', { email: addressOf(index) }, clientAddress(index));
    const spent = async (pid: number, work: () => Promise<unknown>): Promise<number> => {
      const before = cpuMs(pid);
      await work();
      await sleep(300); // the last messages are recorded and deleted
      return (cpuMs(pid) - before) / count;
    };
    const redeem = async (key: string | undefined): Promise<void> => {
      const body = { key, newPassword: 'correct horse battery staple' };
      const { status } = await client.post('/api/password-reset/redeem', body, clientAddress(sink.mails.length));
      if (status !== 200) throw new Error(`redeem answered ${status}`);
    };
    const mailed = async (from: number, howMany: number): Promise<void> => {
      const before = sink.mails.length;
      await inParallel(howMany, atOnce, (index) => request(from + index));
      await sink.waitFor(before + howMany);
    };
    await mailed(0, warm);
    await inParallel(50, 4, (index) => redeem(sink.mails[index]?.key));
    await sink.waitFor(warm + 50);
    const perMail = await spent(app.pid, () => mailed(warm, count));
    const perReset = await spent(app.pid, async () => {
      const before = sink.mails.length;
      await mailed(warm + count, count);
      await inParallel(count, 4, (index) => redeem(sink.mails[before + index]?.key));
      await sink.waitFor(before + 2 * count);
    });
    client.close();

    const empty = await start('empty', emptyStorage, { queues: true });
    const bare = createClient(empty.url, atOnce);
    const queue = await (await preparedStorage(emptyStorage)).queue('outgoing-mail');
    const work = async (): Promise<void> => {
      await inParallel(count, atOnce, async (index) => {
        await bare.post('/empty', { email: addressOf(index) });
        await queue.sendMessage(Buffer.from(JSON.stringify({ padding: 'x'.repeat(1300) })).toString('base64'));
      });
      while (((await queue.getProperties()).approximateMessagesCount ?? 0) > 0) await sleep(100);
    };
    await work();
    const perCall = await spent(empty.pid, work);
    bare.close();

    await hashPassword('correct horse battery staple', 'argon2id');
    const before = process.cpuUsage();
    for (let index = 0; index < 50; index++) await hashPassword('correct horse battery staple', 'argon2id');
    const { user, system } = process.cpuUsage(before);
    const perHash = (user + system) / 50_000;
    return [
      { name: 'CPU of the host per call and message (empty app)', unit: 'ms', value: perCall },
      { name: 'CPU of Argon2id, 19 MiB, t=2', unit: 'ms', value: perHash },
      { name: 'CPU per request and mail, app alone', unit: 'ms', value: perMail - perCall, bound: { atMost: 4 } },
      {
        name: 'CPU per completed reset without Argon2id, app alone',
        unit: 'ms',
        value: perReset - 2 * perCall - perHash,
      },
      {
        name: 'CPU per completed reset, app alone',
        unit: 'ms',
        value: perReset - 2 * perCall,
        bound: { atMost: 35 },
      },
    ];
  });
}
