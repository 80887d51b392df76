// `npm run bench`: the budgets of design §13, as ratios taken in one run, so that they hold on any machine. App and floor run in two
// hosts at once on one Azurite, and their calls alternate. Writes bench/results/ratios.json; exits 1 when a budget is broken.
import path from 'node:path';
import { build } from 'esbuild';
import { createStorageClients, type StorageClients } from '../shared/storage/storageClients';
import { startCountingProxy } from './countingProxy';
import { createClient, type TimedClient } from './http';
import { measureLoad } from './loadTimes';
import { addAccount, addSampleKeys, type SampleKey } from './sampleKeys';
import { buildApp, configOf, root, settingsOf, startBench, startStorage, storageAt, writeResults } from './setting';
import { median, rounded } from './statistics';

const warmUps = 30;
const rounds = { request: 300, check: 300, redeem: 100 };
const budgets = { request: 1.25, check: 1.25, redeem: 1.15, load: 0.5 };
const storageBudgets = { request: 1, check: 2, redeem: 4 };
const newPassword = 'correct horse battery staple';

type Step = keyof typeof rounds;
const steps: readonly Step[] = ['request', 'check', 'redeem'];
/** One call of the app or of the floor; the index picks the key, since each can be redeemed only once. */
type Call = (index: number) => Promise<number>;

function appCalls(client: TimedClient, keys: readonly SampleKey[]): Record<Step, Call> {
  const post = async (step: Step, body: unknown, status: number): Promise<number> => {
    const answer = await client.post(`/api/password-reset/${step}`, body);
    if (answer.status !== status) throw new Error(`${step} answered ${answer.status}: ${answer.body}`);
    return answer.ms;
  };
  return {
    request: (index) => post('request', { email: `nobody${index}@somewhere.com` }, 202),
    check: (index) => post('check', { key: keys[index]?.key }, 200),
    redeem: (index) => post('redeem', { key: keys[index]?.key, newPassword }, 200),
  };
}

/** The same bodies over the wire: the floor does not read them. */
function floorCalls(client: TimedClient, keys: readonly SampleKey[]): Record<Step, Call> {
  const post = async (step: Step, index: number, body: unknown): Promise<number> => {
    const { addressHash = '', resetKeyId = '' } = keys[index] ?? {};
    const answer = await client.post(`/floor/${step}?partition=${addressHash}&row=${resetKeyId}`, body);
    if (answer.status >= 300) throw new Error(`the floor of ${step} answered ${answer.status}`);
    return answer.ms;
  };
  return {
    request: (index) => post('request', index, { email: `nobody${index}@somewhere.com` }),
    check: (index) => post('check', index, { key: keys[index]?.key }),
    redeem: (index) => post('redeem', index, { key: keys[index]?.key, newPassword }),
  };
}

/** App and floor in turns, the first of a pair changing, so that whatever the machine does hits both alike. */
async function compare(app: Call, floor: Call, count: number) {
  const times = { app: [] as number[], floor: [] as number[] };
  for (let index = -warmUps; index < count; index++) {
    const at = index + warmUps;
    const order = at % 2 === 0 ? (['app', 'floor'] as const) : (['floor', 'app'] as const);
    for (const which of order) {
      const ms = await (which === 'app' ? app : floor)(at);
      if (index >= 0) times[which].push(ms);
    }
  }
  const [appMs, floorMs] = [median(times.app), median(times.floor)];
  return { appMs: rounded(appMs), floorMs: rounded(floorMs), ratio: rounded(appMs / floorMs) };
}

async function buildFloor(): Promise<string> {
  const outfile = path.join(root, 'dist/bench/floor.js');
  await build({
    entryPoints: [path.join(root, 'bench/floor/main.ts')],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    external: ['@azure/functions-core', '@node-rs/argon2'],
    logLevel: 'warning',
  });
  return outfile;
}

async function clientsOf(connectionString: string): Promise<StorageClients> {
  const storage = createStorageClients({ kind: 'connectionString', connectionString });
  await storage.createMissing();
  return storage;
}

async function measureRatios(appStorage: string, floorStorage: string) {
  const settings = configOf(settingsOf(appStorage));
  const app = await startBench(path.join(root, 'dist/main.js'), settingsOf(appStorage));
  const floor = await startBench(await buildFloor(), settingsOf(floorStorage));
  const [appClient, floorClient] = [createClient(app.url), createClient(floor.url)];
  try {
    const count = warmUps + Math.max(...Object.values(rounds));
    const appKeys = await addSampleKeys(await clientsOf(appStorage), settings, count);
    const floorKeys = await addSampleKeys(await clientsOf(floorStorage), settings, count);
    const [mine, bare] = [appCalls(appClient, appKeys), floorCalls(floorClient, floorKeys)];
    const results = {} as Record<Step, Awaited<ReturnType<typeof compare>>>;
    for (const step of steps) results[step] = await compare(mine[step], bare[step], rounds[step]);
    return results;
  } finally {
    appClient.close();
    floorClient.close();
    await Promise.all([app.stop(), floor.stop()]);
  }
}

/** The storage calls of one warm call of each step, seen by a proxy in front of Azurite. */
async function countStorageCalls(name: string, connectionString: string, ports: Parameters<typeof storageAt>[1]) {
  const proxies = await Promise.all([startCountingProxy(ports.queue), startCountingProxy(ports.table)]);
  const [queue, table] = proxies;
  const seen = storageAt(name, { blob: ports.blob, queue: queue.port, table: table.port });
  const host = await startBench(path.join(root, 'dist/main.js'), settingsOf(seen));
  const client = createClient(host.url);
  try {
    const storage = await clientsOf(connectionString);
    await addAccount(storage, 'someuser@somewhere.com');
    const keys = await addSampleKeys(storage, configOf(settingsOf(connectionString)), 4);
    const calls = appCalls(client, keys);
    for (const step of steps) await calls[step](0);
    const counts = {} as Record<Step, string[]>;
    for (const step of steps) {
      for (const proxy of proxies) proxy.take();
      await calls[step](1);
      // The partition keys are random: what counts is the kind of call.
      counts[step] = proxies.flatMap((proxy) => proxy.take()).map((call) => call.replace(/\('?.*$|\(.*$/, '(…)'));
    }
    return counts;
  } finally {
    client.close();
    await host.stop();
    for (const proxy of proxies) proxy.close();
  }
}

async function main(): Promise<void> {
  buildApp();
  const storage = await startStorage(3);
  try {
    const [appStorage = '', floorStorage = '', countedStorage = ''] = storage.connectionStrings;
    const ratios = await measureRatios(appStorage, floorStorage);
    const storageCalls = await countStorageCalls('bench2', countedStorage, storage.ports);
    const load = await measureLoad(settingsOf(appStorage));
    const loadRatio = rounded(load.bundledMs / load.unbundledMs);
    const broken = [
      ...steps.filter((step) => ratios[step].ratio > budgets[step]),
      ...steps
        .filter((step) => storageCalls[step].length > storageBudgets[step])
        .map((step) => `${step} storage calls`),
      ...(loadRatio > budgets.load ? ['load'] : []),
    ];
    await writeResults('ratios', {
      budgets: { ...budgets, storageCalls: storageBudgets },
      ratios: { ...ratios, load: { ...load, ratio: loadRatio } },
      storageCalls,
      broken,
    });
    for (const step of steps) {
      const { appMs, floorMs, ratio } = ratios[step];
      console.log(
        `${step.padEnd(8)} ${appMs} ms / ${floorMs} ms = ${ratio} (≤ ${budgets[step]}), ${storageCalls[step].length} storage calls`,
      );
    }
    console.log(
      `load     ${rounded(load.bundledMs, 0)} ms / ${rounded(load.unbundledMs, 0)} ms = ${loadRatio} (≤ ${budgets.load})`,
    );
    if (broken.length > 0) console.error(`Over budget: ${broken.join(', ')}`);
    process.exitCode = broken.length > 0 ? 1 : 0;
  } finally {
    await storage.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
