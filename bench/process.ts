// The process itself: loading, the first answer, memory.
import { execFile } from 'node:child_process';
import { readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { clientAddress, createClient, inParallel } from './http';
import { addAccounts, addressOf } from './sampleKeys';
import { appFiles, inSetting, preparedStorage, root, rssMb, settingsOf, type AppName } from './setting';
import { median, type Figure } from './statistics';

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
  const sizeMb = (file: string): number => statSync(path.join(root, 'dist', file)).size / 1e6;
  const scripts = readdirSync(path.join(root, 'dist')).filter((file) => /^(?!dev-host).*\.js$/.test(file));
  const [value, unbundled] = [median(times.bundled), median(times.unbundled)];
  return [
    { name: 'loading the bundle, against separate files', unit: 'ms', value, floor: unbundled, bound: { atMost: 0.4 } },
    { name: 'size of main.js', unit: 'MB', value: sizeMb('main.js'), bound: { atMost: 2 } },
    {
      name: 'size of main.js and all that is loaded later',
      unit: 'MB',
      value: scripts.reduce((sum, file) => sum + sizeMb(file), 0),
    },
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
  const { stderr } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'loadTime.cjs'), file], {
    env: { ...process.env, ...settingsOf('UseDevelopmentStorage=true') },
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
    const [ms, mb] = [{ atMost: 1.3 }, { atMost: 130 }];
    return [
      {
        name: 'first accepted request after start',
        unit: 'ms',
        value: of('app', 'ms'),
        floor: of('empty', 'ms'),
        bound: ms,
      },
      { name: 'RSS after the first request', unit: 'MB', value: of('app', 'mb'), bound: mb },
      { name: 'RSS of the empty app', unit: 'MB', value: of('empty', 'mb') },
    ];
  });
}

/** Memory after so many completed resets, mails and notices included. */
export function measureMemory(resets: number): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [storage = ''], sink, start }) => {
    await addAccounts(await preparedStorage(storage), 0, resets);
    const host = await start('app', storage, { queues: true });
    const client = createClient(host.url, 4);
    const after: number[] = [];
    const blocks = 5;
    const block = resets / blocks;
    for (let at = 0; at < resets; at += block) {
      const before = sink.mails.length;
      await inParallel(block, 4, (index) =>
        client.post('/api/password-reset/request', { email: addressOf(at + index) }, clientAddress(at + index)),
      );
      await sink.waitFor(before + block);
      await inParallel(block, 4, async (index) => {
        const { key } = sink.mails[before + index] ?? {};
        await client.post('/api/password-reset/redeem', { key, newPassword: 'correct horse battery staple' });
      });
      await sink.waitFor(before + 2 * block);
      await sleep(1000);
      after.push(rssMb(host.pid));
    }
    client.close();
    const [first = NaN, last = NaN] = [after[0], after.at(-1)];
    return [
      {
        name: `RSS after ${resets} resets, against a fifth of them`,
        unit: 'MB',
        value: last,
        floor: first,
        bound: { atMost: 1.15 },
      },
    ];
  });
}
