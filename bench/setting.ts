// What a benchmark runs on: an Azurite in memory, a mail provider, and hosts on them, with the example settings.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { format } from 'prettier';
import { z } from 'zod';
import { connectionStringOf, startAzurite, type Azurite } from '../dev/azurite';
import { startHostProcess, type HostProcess, type HostProcessOptions } from '../dev/host/hostProcess';
import { readConfig, type Config } from '../shared/config';
import { createStorageClients, type StorageClients } from '../shared/storage/storageClients';
import { startSink, type Sink } from './sink';

export const root = path.join(__dirname, '..');
const accountKey = Buffer.alloc(64, 7).toString('base64');

const example = z
  .object({ Values: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(path.join(root, 'local.settings.json.example'), 'utf8'))).Values;

/** The settings of a run: no limit is reached, but each is charged. */
export function settingsOf(connectionString: string, changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...example,
    AzureWebJobsStorage: connectionString,
    LIMIT_PER_IP: '1000/1s',
    TRUSTED_PROXY_HOPS: '2', // the dev host, and the client's address that the load names
    EMAIL_BACKEND: 'console',
    PWNED_PASSWORDS: 'off',
    NODE_ENV: 'production',
    ...changes,
  };
}

/** The checked settings of a run. @throws Error when the example is bad */
export function configOf(settings: Record<string, string>): Config {
  const read = readConfig(settings);
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.config;
}

/** An Azurite with so many empty storage accounts. */
export async function startStorage(accounts: number): Promise<Azurite & { connectionStrings: string[] }> {
  const names = Array.from({ length: accounts }, (_, index) => `bench${index}`);
  const azurite = await startAzurite({ accounts: names.map((name) => `${name}:${accountKey}`).join(';') });
  const connectionStrings = names.map((name) => storageAt(name, azurite.ports));
  return { ...azurite, close: () => azurite.close('SIGKILL'), connectionStrings };
}

/** The same account by other ports, such as a proxy's. */
export function storageAt(name: string, ports: Azurite['ports']): string {
  return connectionStringOf(ports, `${name}:${accountKey}`);
}

/** The app's storage clients on a storage account whose tables and queues are there. */
export async function preparedStorage(connectionString: string): Promise<StorageClients> {
  const storage = createStorageClients({ kind: 'connectionString', connectionString });
  await storage.createMissing();
  return storage;
}

/** The three apps that are compared, as bundles. */
export const appFiles = {
  app: path.join(root, 'dist/main.js'),
  floor: path.join(root, 'dist/bench/floor.js'),
  empty: path.join(root, 'dist/bench/empty.js'),
};
export type AppName = keyof typeof appFiles;

/** The dev host with one of them; its timers do not run. */
export function startBench(
  app: AppName,
  env: Record<string, string>,
  options: Partial<Pick<HostProcessOptions, 'queues' | 'onLine' | 'appFile'>> & { hostJson?: string } = {},
): Promise<HostProcess> {
  const { hostJson = path.join(root, 'host.json'), appFile = appFiles[app], queues = false, onLine } = options;
  return startHostProcess({ appFile, hostJsonFile: hostJson, env, timers: false, queues, onLine });
}

/** A host that handles one message at a time and tells how long each took, in ms. */
function startTimed(app: AppName, env: Record<string, string>, took: number[]): Promise<HostProcess> {
  const hostJson = path.join(root, 'dist/bench/serial.host.json');
  const queues = { batchSize: 1, newBatchThreshold: 0, maxPollingInterval: '00:00:00.1' };
  writeFileSync(hostJson, JSON.stringify({ version: '2.0', extensions: { http: { routePrefix: '' }, queues } }));
  return startBench(
    app,
    { ...env, BENCH_APP: appFiles[app] },
    {
      hostJson,
      appFile: path.join(root, 'bench/timed.cjs'),
      queues: true,
      onLine: (line) => {
        const ms = /^TOOK (\S+)$/.exec(line)?.[1];
        if (ms !== undefined) took.push(Number(ms));
      },
    },
  );
}

/** Builds what is measured. */
export async function buildApps(): Promise<void> {
  execFileSync(process.execPath, ['esbuild.config.mjs'], { cwd: root, stdio: 'inherit' });
  await build({
    entryPoints: { floor: path.join(root, 'bench/floor/main.ts'), empty: path.join(root, 'bench/floor/empty.ts') },
    outdir: path.join(root, 'dist/bench'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    external: ['@azure/functions-core', '@node-rs/argon2'],
    logLevel: 'warning',
  });
}

/** What a phase works with. All of it is new for each phase, and ended after it. */
export interface Setting {
  readonly storages: readonly string[];
  readonly azurite: Azurite;
  readonly sink: Sink;
  /** Starts a host that is stopped with the phase. The app sends its mails to the sink. */
  readonly start: (
    app: AppName,
    connectionString: string,
    options?: { queues?: boolean; env?: Record<string, string>; took?: number[] },
  ) => Promise<HostProcess>;
}

/** Runs a phase on so many storage accounts of a fresh Azurite. */
export async function inSetting<T>(accounts: number, run: (setting: Setting) => Promise<T>): Promise<T> {
  const [azurite, sink] = [await startStorage(accounts), await startSink()];
  const hosts: HostProcess[] = [];
  const mail = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.bench', SENDGRID_API_URL: sink.url };
  try {
    return await run({
      storages: azurite.connectionStrings,
      azurite,
      sink,
      async start(app, connectionString, { queues = false, env = {}, took } = {}) {
        const settings = settingsOf(connectionString, { ...mail, ...env });
        const host = await (took ? startTimed(app, settings, took) : startBench(app, settings, { queues }));
        hosts.push(host);
        return host;
      },
    });
  } finally {
    await Promise.all(hosts.map((host) => host.stop()));
    sink.close();
    await azurite.close();
  }
}

/** CPU time of a process and all its threads so far, in ms. Linux only. */
export function cpuMs(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10; // user and system, in hundredths of a second
}

/** Resident memory of a process in MB. Linux only. */
export function rssMb(pid: number): number {
  return Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;
}

/** What the figures depend on. */
export const machine = () => ({
  node: process.version,
  cpus: os.cpus().length,
  loadAverage: Number(os.loadavg()[0]?.toFixed(2)),
});

/** Writes bench/results/NAME.json. */
export async function writeResults(name: string, results: object): Promise<void> {
  const file = path.join(root, `bench/results/${name}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  const text = JSON.stringify({ at: new Date().toISOString(), ...machine(), ...results });
  writeFileSync(file, await format(text, { parser: 'json', printWidth: 120 }));
}
