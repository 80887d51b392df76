// The process itself: loading, the first answer, memory.
import { execFile } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { addAccounts, addressOf, clientAddress, createClient, inParallel } from './load';
import { appFiles, inSetting, preparedStorage, root, rssMb, settingsOf, type AppName } from './setting';
import { against, figure, median, type Figure } from './statistics';

/** How long the bundle takes to load, against the same code as separate files: in turns, each load in a process of its own. */
export async function measureLoad(): Promise<Figure[]> {
  const folder = path.join(root, 'dist/bench/unbundled');
  await transpileTo(folder);
  const times = { bundled: [] as number[], unbundled: [] as number[] };
  for (let run = 0; run < 11; run++) {
    times.bundled.push(await load(appFiles.app));
    times.unbundled.push(await load(path.join(folder, 'functions/main.js')));
  }
  rmSync(folder, { recursive: true });
  const dist = path.dirname(appFiles.app);
  const sizeMb = (files: readonly string[]): number =>
    files.reduce((sum, file) => sum + statSync(path.join(dist, file)).size / 1e6, 0);
  const [value, unbundled] = [median(times.bundled), median(times.unbundled)];
  return [
    against('loading the bundle, against separate files', 'ms', value, unbundled, { atMost: 0.4 }),
    figure('size of main.js', 'MB', sizeMb(['main.js']), { atMost: 2 }),
    figure('size of main.js and all that is loaded later', 'MB', sizeMb(readdirSync(dist))),
  ];
}

/** The same sources, one file each, with every package loaded from node_modules. */
async function transpileTo(outdir: string): Promise<void> {
  const sources = ['functions', 'shared'].flatMap((name) =>
    readdirSync(path.join(root, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(root, name, file)),
  );
  const options = { platform: 'node', target: 'node20', format: 'cjs', logLevel: 'warning' } as const;
  await build({ entryPoints: sources, outbase: root, outdir, ...options });
}

async function load(file: string): Promise<number> {
  const { stderr } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'timed.cjs')], {
    env: { ...process.env, ...settingsOf('UseDevelopmentStorage=true'), BENCH_APP: file },
  });
  const ms = Number(/^LOADED (\S+)$/m.exec(stderr)?.[1]);
  if (Number.isNaN(ms)) throw new Error(`${file} could not be loaded`);
  return ms;
}

/** From starting a host with an app to its first answer, against the empty app; and memory at rest. */
export function measureStart(): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [storage = ''], start }) => {
    await preparedStorage(storage);
    const first = async (app: AppName): Promise<{ ms: number; mb: number }> => {
      const startedAt = performance.now();
      const host = await start(app, storage);
      const client = createClient(host.url);
      const { status } = await client.post(app === 'app' ? '/api/password-reset/request' : '/empty', {
        email: 'nobody@somewhere.com',
      });
      if (status !== 202) throw new Error(`${app} answered ${status}`);
      const ms = performance.now() - startedAt;
      client.close();
      await sleep(500);
      const mb = rssMb(host.pid);
      await host.stop();
      return { ms, mb };
    };
    const runs = { app: [] as { ms: number; mb: number }[], empty: [] as { ms: number; mb: number }[] };
    for (let run = 0; run < 8; run++) {
      for (const app of ['app', 'empty'] as const) {
        const measured = await first(app);
        if (run > 0) runs[app].push(measured); // the first one fills the disk cache
      }
    }
    const of = (app: 'app' | 'empty', what: 'ms' | 'mb'): number => median(runs[app].map((run) => run[what]));
    return [
      against('first accepted request after start', 'ms', of('app', 'ms'), of('empty', 'ms'), { atMost: 1.3 }),
      figure('RSS after the first request', 'MB', of('app', 'mb'), { atMost: 130 }),
      figure('RSS of the empty app', 'MB', of('empty', 'mb')),
    ];
  });
}

/**
 * Memory after so many completed resets, mails and notices included. For each fifth of them the storage is a new one: after some
 * thousand messages Azurite would be what is measured.
 */
export function measureMemory(resets: number): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [storage = ''], sink, start, emptyStorage }) => {
    const blocks = 5;
    const block = resets / blocks;
    await preparedStorage(storage);
    const env = { NODE_OPTIONS: `--require ${path.join(__dirname, 'collect.cjs')}` };
    const kept: number[] = [];
    const onLine = (line: string): void => {
      const mb = /^KEPT (\S+)$/.exec(line)?.[1];
      if (mb !== undefined) kept.push(Number(mb));
    };
    const host = await start('app', storage, { queues: true, env, onLine });
    const client = createClient(host.url, 4);
    const served = async (step: string, body: object, index: number): Promise<void> => {
      const { status } = await client.post(`/api/password-reset/${step}`, body, clientAddress(index));
      if (status === 503) return sleep(200).then(() => served(step, body, index));
      if (status >= 300) throw new Error(`${step} answered ${status}`);
    };
    const rss: number[] = [];
    for (let at = 0; at < resets; at += block) {
      if (at > 0) await emptyStorage();
      await addAccounts(await preparedStorage(storage), at, at + block);
      const before = sink.mails.length;
      await inParallel(block, 4, (index) => served('request', { email: addressOf(at + index) }, at + index));
      await sink.waitFor(before + block);
      const keys = sink.mails.slice(before).flatMap(({ key }) => key ?? []);
      const newPassword = 'correct horse battery staple';
      await inParallel(keys.length, 4, (index) => served('redeem', { key: keys[index], newPassword }, index));
      await sink.waitFor(before + 2 * block);
      host.signal('SIGUSR2');
      await sleep(2000);
      rss.push(rssMb(host.pid));
    }
    client.close();
    const growth = (mb: readonly number[]) => [mb.at(-1) ?? NaN, mb[0] ?? NaN] as const;
    return [
      against(`heap after ${resets} resets, against a fifth of them`, 'MB', ...growth(kept), { atMost: 1.15 }),
      against(`RSS after ${resets} resets, against a fifth of them`, 'MB', ...growth(rss)),
      figure(`RSS after ${resets} resets, most of ${blocks} looks`, 'MB', Math.max(...rss)),
    ];
  });
}
