// Each step against its floor: app and floor run in two hosts at once on one Azurite, and their calls alternate.
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import * as load from './load';
import { clientAddress, createClient, inParallel, type SampleKey, type TimedClient } from './load';
import { configOf, inSetting, preparedStorage, storageAt } from './setting';
import { against, figure, median, type Figure } from './statistics';

const newPassword = 'correct horse battery staple';
const steps = ['request', 'check', 'redeem'] as const;
export type Step = (typeof steps)[number];
const bounds = { request: 1.15, check: 1.2, redeem: 1.1, send: 1.25 };
const rounds = { request: 300, check: 300, redeem: 120 };
const warmUps = 40;

/** One call of the app or of the floor; the index picks address and key, since each key can be redeemed only once. */
export type Call = (index: number) => Promise<number>;

const bodyOf = (step: Step, index: number, key: string | undefined): object =>
  step === 'request' ? { email: load.addressOf(index) } : step === 'check' ? { key } : { key, newPassword };

/** The app is at a limit of its own, or its storage is: it asks to come back. */
class Busy extends Error {}

async function timed(client: TimedClient, path: string, body: object, index: number): Promise<number> {
  const answer = await client.post(path, body, clientAddress(index));
  if (answer.status === 503) throw new Busy(`${path} answered 503`);
  if (answer.status >= 300) throw new Error(`${path} answered ${answer.status}: ${answer.body}`);
  return answer.ms;
}

const appCall =
  (client: TimedClient, keys: readonly SampleKey[]) =>
  (step: Step): Call =>
  (index) =>
    timed(client, `/api/password-reset/${step}`, bodyOf(step, index, keys[index]?.key), index);

/** The same bodies over the wire: the floor does not read them. @param prefix `site` for the calls by a site's directory */
const floorCall =
  (client: TimedClient, keys: readonly SampleKey[], prefix = '') =>
  (step: Step): Call =>
  (index) => {
    const { key, sub = '', resetKeyId = '' } = keys[index] ?? {};
    const name = prefix === '' ? step : `${prefix}${step.charAt(0).toUpperCase()}${step.slice(1)}`;
    return timed(client, `/floor/${name}?sub=${sub}&row=${resetKeyId}`, bodyOf(step, index, key), index);
  };

/** Both, each with its own keys. */
export const bothCalls = (clients: readonly TimedClient[], keys: readonly (readonly SampleKey[])[], prefix = '') => {
  const [mine, bare] = clients;
  if (mine === undefined || bare === undefined) throw new Error('app and floor were not started');
  return { app: appCall(mine, keys[0] ?? []), floor: floorCall(bare, keys[1] ?? [], prefix) };
};

/** App and floor in turns, the first of a pair changing, so that whatever the machine does hits both alike. */
export async function compare(
  { app, floor }: ReturnType<typeof bothCalls>,
  step: Step,
  count: number,
  name: string = step,
  atMost?: number,
): Promise<Figure> {
  const calls = { app: app(step), floor: floor(step) };
  const times = { app: [] as number[], floor: [] as number[] };
  for (let index = 0; index < warmUps + count; index++) {
    const order = index % 2 === 0 ? (['app', 'floor'] as const) : (['floor', 'app'] as const);
    for (const which of order) {
      const ms = await calls[which](index);
      if (index >= warmUps) times[which].push(ms);
    }
  }
  return p50Of(name, times, atMost);
}

function p50Of(name: string, { app, floor }: Record<'app' | 'floor', number[]>, atMost?: number): Figure {
  const bound = atMost === undefined ? undefined : { atMost };
  return against(`${name}, one at a time, p50`, 'ms', median(app), median(floor), bound);
}

/** Accounts and live keys for app and floor, each in a storage account of its own. */
async function addKeysTo(storages: readonly string[], count: number): Promise<SampleKey[][]> {
  const keys: SampleKey[][] = [];
  for (const connectionString of storages) {
    const storage = await preparedStorage(connectionString);
    await load.addAccounts(storage, 0, count);
    keys.push(await load.addKeys(storage, configOf(connectionString), 0, count));
  }
  return keys;
}

export function measureSteps(): Promise<Figure[]> {
  return inSetting(2, async ({ storages: [mine = '', bare = ''], start }) => {
    const keys = await addKeysTo([mine, bare], warmUps + Math.max(...Object.values(rounds)));
    const clients = [await start('app', mine), await start('floor', bare)].map(({ url }) => createClient(url));
    const figures: Figure[] = [];
    for (const step of steps)
      figures.push(await compare(bothCalls(clients, keys), step, rounds[step], step, bounds[step]));
    for (const client of clients) client.close();
    return figures;
  });
}

/** Calls a second, app and floor in blocks by turns. What is told to come back (hashing is bounded) does, after 100 ms. */
export function measureThroughput(): Promise<Figure[]> {
  return inSetting(2, async ({ storages: [mine = '', bare = ''], start }) => {
    const redeems = 160;
    const keys = await addKeysTo([mine, bare], 3 * redeems);
    const hosts = [await start('app', mine), await start('floor', bare)];
    const measure = async (step: Step, atOnce: number, count: number, blocks: number, atLeast?: number) => {
      const clients = hosts.map(({ url }) => createClient(url, atOnce));
      const calls = bothCalls(clients, keys);
      const rates = { app: [] as number[], floor: [] as number[] };
      let refused = 0;
      for (let block = 0; block < blocks; block++) {
        for (const which of ['app', 'floor'] as const) {
          const call = calls[which](step);
          const served = async (index: number): Promise<unknown> => {
            try {
              return await call(index);
            } catch (error) {
              if (!(error instanceof Busy)) throw error;
              refused += 1;
              await sleep(100);
              return served(index);
            }
          };
          const startedAt = performance.now();
          await inParallel(count, atOnce, (index) => served(block * count + index));
          if (block > 0) rates[which].push((count * 1000) / (performance.now() - startedAt));
        }
      }
      for (const client of clients) client.close();
      const bound = atLeast === undefined ? undefined : { atLeast };
      const rate = against(`${step}, ${atOnce} at once`, '/s', median(rates.app), median(rates.floor), bound);
      return { rate, refused: refused / blocks / count };
    };
    const [ten, fifty] = [await measure('request', 10, 500, 6), await measure('request', 50, 500, 6, 0.85)];
    const redeem = await measure('redeem', 50, redeems, 3);
    const refused = figure('redeem, 50 at once, answers of "busy" each', '', redeem.refused);
    return [ten.rate, fifty.rate, redeem.rate, refused];
  });
}

/** How long the queue function takes for one mail, one at a time, in blocks by turns. */
export function measureSend(): Promise<Figure[]> {
  return inSetting(2, async ({ storages: [mine = '', bare = ''], start, sink }) => {
    const [blocks, size] = [10, 25];
    const took = { app: [] as number[], floor: [] as number[] };
    const [own, floors] = [await preparedStorage(mine), await preparedStorage(bare)];
    for (const storage of [own, floors]) await load.addAccounts(storage, 0, blocks * size);
    await start('app', mine, { took: took.app });
    await start('floor', bare, { took: took.floor });
    for (let from = 0; from < blocks * size; from += size) {
      const sent = sink.mails.length;
      await load.queueMails(own, configOf(mine), from, from + size);
      await sink.waitFor(sent + size);
      await load.queueFloorMails(floors, from, from + size);
      await sink.waitFor(sent + 2 * size);
    }
    const warm = 2 * size;
    return [p50Of('send', { app: took.app.slice(warm), floor: took.floor.slice(warm) }, bounds.send)];
  });
}

/**
 * App against floor as the number of accounts grows, in one storage account. A mail's only call among accounts is the one that a check
 * makes, so that it is not measured again.
 */
export function measureGrowth(sizes: readonly number[]): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [connectionString = ''], start }) => {
    const storage = await preparedStorage(connectionString);
    const ratios: { check: Figure[]; redeem: Figure[] } = { check: [], redeem: [] };
    let there = 0;
    for (const size of sizes) {
      await load.addAccounts(storage, there, size);
      const half = Math.min((size - there) / 2, 300);
      const [config, last] = [configOf(connectionString), size - half];
      const keys = [
        await load.addKeys(storage, config, there, there + half),
        await load.addKeys(storage, config, last, size),
      ];
      there = size;
      const hosts = [await start('app', connectionString), await start('floor', connectionString)];
      const clients = hosts.map(({ url }) => createClient(url));
      const calls = bothCalls(clients, keys);
      for (const step of ['check', 'redeem'] as const) {
        const count = Math.min(half, step === 'check' ? 240 : 160) - warmUps;
        ratios[step].push(await compare(calls, step, count, `${step} among ${size} accounts`));
      }
      for (const client of clients) client.close();
      await Promise.all(hosts.map((host) => host.stop()));
    }
    const ratioOf = (one?: Figure): number => (one?.value ?? NaN) / (one?.floor ?? NaN);
    const grown = (['check', 'redeem'] as const).map((step) => {
      const [few, many] = [ratioOf(ratios[step][0]), ratioOf(ratios[step].at(-1))];
      return against(`ratio of ${step} to its floor, most accounts against fewest`, '', many, few, { atMost: 1.1 });
    });
    return [...ratios.check, ...ratios.redeem, ...grown];
  });
}

interface CountingProxy {
  readonly port: number;
  /** How many calls since the last look. */
  take(): number;
  close(): void;
}

/** Forwards everything to a port of this machine, and counts. Storage signatures do not cover the port, so the calls stay valid. */
async function startCountingProxy(targetPort: number): Promise<CountingProxy> {
  let calls = 0;
  const server = createServer((incoming, outgoing) => {
    calls += 1;
    const { method, url, headers } = incoming;
    const call = request({ host: '127.0.0.1', port: targetPort, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    call.once('error', () => outgoing.destroy());
    incoming.pipe(call);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    take() {
      const taken = calls;
      calls = 0;
      return taken;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** The storage calls of one warm call of each step, and of one mail. */
export function countCalls(): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [connectionString = ''], azurite: { ports }, sink, start }) => {
    const [keys = []] = await addKeysTo([connectionString], 4);
    const storage = await preparedStorage(connectionString);
    const proxies = [await startCountingProxy(ports.queue), await startCountingProxy(ports.table)];
    const [queue, table] = proxies.map(({ port }) => port);
    const seen = storageAt('bench0', { ...ports, queue: queue ?? 0, table: table ?? 0 });
    const take = (): number => proxies.reduce((sum, proxy) => sum + proxy.take(), 0);
    const host = await start('app', seen);
    const client = createClient(host.url);
    const figures: Figure[] = [];
    for (const [step, atMost] of Object.entries({ request: 1, check: 2, redeem: 4 } as const)) {
      const call = appCall(client, keys)(step as Step);
      await call(0);
      take();
      await call(1);
      figures.push(figure(`storage calls of ${step}`, '', take(), { atMost }));
    }
    client.close();
    await host.stop();
    await (await storage.queue('outgoing-mail')).clearMessages();
    await start('app', seen, { queues: true });
    // The host's receiving and deleting go to the queue; the app's calls of a mail go to the tables.
    for (const mail of [1, 2]) {
      proxies[1]?.take();
      await load.queueMails(storage, configOf(connectionString), mail + 1, mail + 2);
      await sink.waitFor(mail);
      await sleep(1000); // it is recorded
    }
    figures.push(figure('storage calls of send', '', proxies[1]?.take() ?? NaN, { atMost: 6 }));
    for (const proxy of proxies) proxy.close();
    return figures;
  });
}
