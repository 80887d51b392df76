// How long does the deployed bundle take to load, against the same code as separate files? Each load in a process of its own.
import { execFile } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { median } from './statistics';
import { root } from './setting';

const runs = 15;
const folder = path.join(root, 'dist/bench/unbundled');

/** Median milliseconds of `runs` loads each, taken in turns. */
export async function measureLoad(env: Record<string, string>): Promise<{ bundledMs: number; unbundledMs: number }> {
  await transpile();
  const times = { bundled: [] as number[], unbundled: [] as number[] };
  for (let run = 0; run < runs; run++) {
    times.bundled.push(await load(path.join(root, 'dist/main.js'), env));
    times.unbundled.push(await load(path.join(folder, 'functions/main.js'), env));
  }
  rmSync(folder, { recursive: true });
  return { bundledMs: median(times.bundled), unbundledMs: median(times.unbundled) };
}

/** The same sources, one file each, with every package loaded from node_modules. */
async function transpile(): Promise<void> {
  const sources = ['functions', 'shared'].flatMap((name) =>
    readdirSync(path.join(root, name), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => path.join(root, name, file)),
  );
  await build({
    entryPoints: sources,
    outbase: root,
    outdir: folder,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    logLevel: 'warning',
  });
}

async function load(file: string, env: Record<string, string>): Promise<number> {
  const { stderr } = await promisify(execFile)(process.execPath, [path.join(__dirname, 'loadTime.cjs'), file], {
    env: { ...process.env, ...env },
  });
  const ms = Number(/^LOADED (\S+)$/m.exec(stderr)?.[1]);
  if (Number.isNaN(ms)) throw new Error(`${file} could not be loaded`);
  return ms;
}
