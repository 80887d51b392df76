// Each step against its floor: app and floor run in two hosts at once on one Azurite, and their calls alternate.
import { addAccounts, addKeys, addressOf, queueFloorMails, queueMails, type SampleKey } from './sampleKeys';
import { clientAddress, createClient, inParallel, type TimedClient } from './http';
import { configOf, inSetting, preparedStorage, settingsOf, startBench, storageAt, type Setting } from './setting';
import { startCountingProxy } from './countingProxy';
import { median, quantile, type Figure } from './statistics';

const newPassword = 'correct horse battery staple';
export type Step = 'request' | 'check' | 'redeem';
const bounds = { request: 1.15, check: 1.2, redeem: 1.1, send: 1.25 };
const rounds = { request: 300, check: 300, redeem: 120 };
const warmUps = 40;

/** One call of the app or of the floor; the index picks address and key, since each key can be redeemed only once. */
export type Call = (index: number) => Promise<number>;

export function appCalls(client: TimedClient, keys: readonly SampleKey[]): Record<Step, Call> {
  const post = async (step: Step, index: number, body: unknown, status: number): Promise<number> => {
    const answer = await client.post(`/api/password-reset/${step}`, body, clientAddress(index));
    if (answer.status !== status) throw new Error(`${step} answered ${answer.status}: ${answer.body}`);
    return answer.ms;
  };
  return {
    request: (index) => post('request', index, { email: addressOf(index) }, 202),
    check: (index) => post('check', index, { key: keys[index]?.key }, 200),
    redeem: (index) => post('redeem', index, { key: keys[index]?.key, newPassword }, 200),
  };
}

/** The same bodies over the wire: the floor does not read them. */
export function floorCalls(
  client: TimedClient,
  keys: readonly SampleKey[],
  names: Record<Step, string> = { request: 'request', check: 'check', redeem: 'redeem' },
): Record<Step, Call> {
  const post = async (step: Step, index: number, body: unknown): Promise<number> => {
    const { sub = '', resetKeyId = '' } = keys[index] ?? {};
    const answer = await client.post(`/floor/${names[step]}?sub=${sub}&row=${resetKeyId}`, body);
    if (answer.status >= 300) throw new Error(`the floor of ${step} answered ${answer.status}`);
    return answer.ms;
  };
  return {
    request: (index) => post('request', index, { email: addressOf(index) }),
    check: (index) => post('check', index, { key: keys[index]?.key }),
    redeem: (index) => post('redeem', index, { key: keys[index]?.key, newPassword }),
  };
}

/** App and floor in turns, the first of a pair changing, so that whatever the machine does hits both alike. */
export async function compare(app: Call, floor: Call, count: number) {
  const times = { app: [] as number[], floor: [] as number[] };
  for (let index = 0; index < warmUps + count; index++) {
    const order = index % 2 === 0 ? (['app', 'floor'] as const) : (['floor', 'app'] as const);
    for (const which of order) {
      const ms = await (which === 'app' ? app : floor)(index);
      if (index >= warmUps) times[which].push(ms);
    }
  }
  return times;
}

export function stepFigures(name: string, { app, floor }: Awaited<ReturnType<typeof compare>>, atMost: number) {
  return [
    { name: `${name}, one at a time, p50`, unit: 'ms', value: median(app), floor: median(floor), bound: { atMost } },
    { name: `${name}, one at a time, p95`, unit: 'ms', value: quantile(app, 0.95), floor: quantile(floor, 0.95) },
  ] satisfies Figure[];
}

/** Accounts and live keys for app and floor, each in a storage account of its own. */
async function prepare(storages: readonly string[], count: number) {
  const prepared = await Promise.all(storages.map(preparedStorage));
  const keys: SampleKey[][] = [];
  for (const [index, storage] of prepared.entries()) {
    await addAccounts(storage, 0, count);
    keys.push(await addKeys(storage, configOf(settingsOf(storages[index] ?? '')), count));
  }
  return { prepared, keys };
}

export function measureSteps(): Promise<Figure[]> {
  return inSetting(2, async ({ storages, start }) => {
    const { keys } = await prepare(storages, warmUps + Math.max(...Object.values(rounds)));
    const [app, floor] = [await start('app', storages[0] ?? ''), await start('floor', storages[1] ?? '')];
    const [mine, bare] = [createClient(app.url), createClient(floor.url)];
    const [calls, floors] = [appCalls(mine, keys[0] ?? []), floorCalls(bare, keys[1] ?? [])];
    const figures: Figure[] = [];
    for (const step of ['request', 'check', 'redeem'] as const)
      figures.push(...stepFigures(step, await compare(calls[step], floors[step], rounds[step]), bounds[step]));
    for (const client of [mine, bare]) client.close();
    return figures;
  });
}

/** Calls a second, app and floor in blocks by turns. */
export function measureThroughput(): Promise<Figure[]> {
  return inSetting(2, async ({ storages, start }) => {
    const redeems = 160;
    const { keys } = await prepare(storages, 2 * redeems);
    const [app, floor] = [await start('app', storages[0] ?? ''), await start('floor', storages[1] ?? '')];
    const figures: Figure[] = [];
    for (const atOnce of [10, 50]) {
      const [mine, bare] = [createClient(app.url, atOnce), createClient(floor.url, atOnce)];
      const both = { app: appCalls(mine, keys[0] ?? []), floor: floorCalls(bare, keys[1] ?? []) };
      const rates = { app: [] as number[], floor: [] as number[] };
      for (let block = 0; block < 6; block++) {
        for (const which of ['app', 'floor'] as const) {
          const startedAt = performance.now();
          await inParallel(500, atOnce, both[which].request);
          if (block > 0) rates[which].push(500_000 / (performance.now() - startedAt));
        }
      }
      const bound = atOnce === 50 ? { atLeast: 0.85 } : undefined;
      const [value, bareRate] = [median(rates.app), median(rates.floor)];
      figures.push({ name: `request, ${atOnce} at once`, unit: '/s', value, floor: bareRate, bound });
      for (const client of [mine, bare]) client.close();
    }
    // Hashing is bounded: what is over the bound is told to come back, and does.
    const [mine, bare] = [createClient(app.url, 50), createClient(floor.url, 50)];
    const rates = { app: [] as number[], floor: [] as number[] };
    const tries = { app: 0, floor: 0 };
    const clients = { app: mine, floor: bare };
    for (const [block, from] of [0, redeems].entries()) {
      for (const which of ['app', 'floor'] as const) {
        const startedAt = performance.now();
        await inParallel(redeems, 50, async (index) => {
          const { key, sub, resetKeyId } = keys[which === 'app' ? 0 : 1]?.[from + index] ?? {};
          const path = which === 'app' ? '/api/password-reset/redeem' : `/floor/redeem?sub=${sub}&row=${resetKeyId}`;
          for (let status = 503; status === 503; tries[which] += 1)
            ({ status } = await clients[which].post(path, { key, newPassword }, clientAddress(index)));
        });
        if (block > 0) rates[which].push((redeems * 1000) / (performance.now() - startedAt));
      }
    }
    for (const client of [mine, bare]) client.close();
    const [value, bareRate] = [median(rates.app), median(rates.floor)];
    figures.push(
      { name: 'redeem, 50 at once', unit: '/s', value, floor: bareRate },
      {
        name: 'redeem, 50 at once, tries each',
        unit: '',
        value: tries.app / redeems / 2,
        floor: tries.floor / redeems / 2,
      },
    );
    return figures;
  });
}

/** How long the queue function takes for one mail, one at a time, in blocks by turns. */
async function compareSends({ start, sink }: Setting, storages: readonly string[], from: number, blocks: number) {
  const took = { app: [] as number[], floor: [] as number[] };
  const [appStorage = '', floorStorage = ''] = storages;
  const [own, bare] = await Promise.all([preparedStorage(appStorage), preparedStorage(floorStorage)]);
  for (const storage of [own, bare]) await (await storage.queue('outgoing-mail')).clearMessages();
  const config = configOf(settingsOf(appStorage));
  const hosts = [
    await start('app', appStorage, { took: took.app }),
    await start('floor', floorStorage, { took: took.floor }),
  ];
  for (let block = 0; block < blocks; block++) {
    const [first, last, sent] = [from + block * 25, from + (block + 1) * 25, sink.mails.length];
    await queueMails(own, config, first, last);
    await sink.waitFor(sent + 25);
    await queueFloorMails(bare, first, last);
    await sink.waitFor(sent + 50);
  }
  await Promise.all(hosts.map((host) => host.stop()));
  const warm = 50;
  return { app: took.app.slice(warm), floor: took.floor.slice(warm) };
}

export function measureSend(): Promise<Figure[]> {
  return inSetting(2, async (setting) => {
    const blocks = 10;
    for (const storage of await Promise.all(setting.storages.map(preparedStorage)))
      await addAccounts(storage, 0, blocks * 25);
    return stepFigures('send', await compareSends(setting, setting.storages, 0, blocks), bounds.send);
  });
}

/** App against floor as the number of accounts grows. */
export function measureGrowth(sizes: readonly number[]): Promise<Figure[]> {
  return inSetting(2, async (setting) => {
    const { storages, start } = setting;
    const prepared = await Promise.all(storages.map(preparedStorage));
    const figures: Figure[] = [];
    let there = 0;
    for (const [round, size] of sizes.entries()) {
      for (const storage of prepared) await addAccounts(storage, there, size);
      there = size;
      const count = 200;
      const keys: SampleKey[][] = [];
      for (const [index, storage] of prepared.entries())
        keys.push(await addKeys(storage, configOf(settingsOf(storages[index] ?? '')), count + warmUps));
      const [app, floor] = [await start('app', storages[0] ?? ''), await start('floor', storages[1] ?? '')];
      const [mine, bare] = [createClient(app.url), createClient(floor.url)];
      const [calls, floors] = [appCalls(mine, keys[0] ?? []), floorCalls(bare, keys[1] ?? [])];
      const check = await compare(calls.check, floors.check, count);
      const redeem = await compare(calls.redeem, floors.redeem, 60);
      for (const client of [mine, bare]) client.close();
      await Promise.all([app.stop(), floor.stop()]);
      figures.push(
        { name: `check among ${size} accounts`, unit: 'ms', value: median(check.app), floor: median(check.floor) },
        { name: `redeem among ${size} accounts`, unit: 'ms', value: median(redeem.app), floor: median(redeem.floor) },
      );
      const send = await compareSends(setting, storages, 300 + round * 200, 6);
      figures.push({
        name: `send among ${size} accounts`,
        unit: 'ms',
        value: median(send.app),
        floor: median(send.floor),
      });
    }
    return figures;
  });
}

/** The storage calls of one warm call of each step, seen by a proxy in front of Azurite. */
export function countCalls(): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [storage = ''], azurite: { ports }, sink }) => {
    const { keys } = await prepare([storage], 3);
    const prepared = await preparedStorage(storage);
    const proxies = await Promise.all([startCountingProxy(ports.queue), startCountingProxy(ports.table)]);
    const [queue, table] = proxies;
    const seen = storageAt('bench0', { blob: ports.blob, queue: queue.port, table: table.port });
    const mail = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.bench', SENDGRID_API_URL: sink.url };
    const settings = settingsOf(seen, mail);
    let host = await startBench('app', settings);
    const client = createClient(host.url);
    const figures: Figure[] = [];
    const count = (name: string, ours: readonly string[], atMost: number): void => {
      figures.push({ name: `storage calls of ${name}`, unit: '', value: ours.length, bound: { atMost } });
    };
    const take = (): string[] => proxies.flatMap((proxy) => proxy.take());
    try {
      const calls = appCalls(client, keys[0] ?? []);
      for (const step of ['request', 'check', 'redeem'] as const) await calls[step](0);
      for (const [step, atMost] of [
        ['request', 1],
        ['check', 2],
        ['redeem', 4],
      ] as const) {
        take();
        await calls[step](1);
        count(step, take(), atMost);
      }
      await host.stop();
      await (await prepared.queue('outgoing-mail')).clearMessages();
      host = await startBench('app', settings, { queues: true });
      const config = configOf(settings);
      await addAccounts(prepared, 1000, 1002);
      await queueMails(prepared, config, 1000, 1001);
      await sink.waitFor(1);
      await new Promise((resolve) => setTimeout(resolve, 1000));
      take();
      await queueMails(prepared, config, 1001, 1002);
      await sink.waitFor(2);
      await new Promise((resolve) => setTimeout(resolve, 500));
      // The host's receiving and deleting go to the queue; the app's calls of a mail go to the tables.
      count('send', table.take(), 6);
      return figures;
    } finally {
      client.close();
      await host.stop();
      for (const proxy of proxies) proxy.close();
    }
  });
}
