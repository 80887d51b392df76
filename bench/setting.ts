// What a benchmark runs on: an Azurite in memory, a mail provider, and hosts on them, with the example settings.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { format } from 'prettier';
import { z } from 'zod';
import { connectionStringOf, startAzurite, type Azurite } from '../dev/azurite';
import { startHostProcess, type HostProcess } from '../dev/host/hostProcess';
import { readConfig, type Config } from '../shared/config';
import { createStorageClients, type StorageClients } from '../shared/storage/storage';
import { startSink, type Sink } from './load';

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
export function configOf(connectionString: string): Config {
  const read = readConfig(settingsOf(connectionString));
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return read.config;
}

/** An Azurite with so many empty storage accounts. */
export async function startStorage(
  accounts: number,
  ports?: Azurite['ports'],
): Promise<Azurite & { connectionStrings: string[] }> {
  const names = Array.from({ length: accounts }, (_, index) => `bench${index}`);
  const keys = names.map((name) => `${name}:${accountKey}`).join(';');
  const azurite = await startAzurite({ accounts: keys, ...(ports && { ports }) });
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
  app: path.join(root, 'dist/bench/app/main.js'),
  floor: path.join(root, 'dist/bench/floor.js'),
  empty: path.join(root, 'dist/bench/empty.js'),
};
export type AppName = keyof typeof appFiles;

/** Builds what is measured; the app as it is packaged: without source maps, which the dev host would read. */
export async function buildApps(): Promise<void> {
  execFileSync(process.execPath, ['esbuild.config.mjs'], { cwd: root, stdio: 'inherit' });
  const [from, to] = [path.join(root, 'dist'), path.dirname(appFiles.app)];
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  for (const name of readdirSync(from)) if (name.endsWith('.js')) copyFileSync(`${from}/${name}`, `${to}/${name}`);
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

/** How a host is started. Its timers do not run. */
export interface HostOptions {
  readonly queues?: boolean;
  readonly env?: Record<string, string>;
  /** Messages are handled one at a time, and how long each took is added here, in ms. */
  readonly took?: number[];
  readonly onLine?: (line: string) => void;
}

/** Starts the dev host with one of the apps. */
export function startBench(
  app: AppName,
  env: Record<string, string>,
  { queues = false, took, onLine }: HostOptions = {},
): Promise<HostProcess> {
  const shipped = { appFile: appFiles[app], hostJsonFile: path.join(root, 'host.json'), env, timers: false, queues };
  if (took === undefined) return startHostProcess(onLine === undefined ? shipped : { ...shipped, onLine });
  const hostJsonFile = path.join(root, 'dist/bench/serial.host.json');
  const serial = { batchSize: 1, newBatchThreshold: 0, maxPollingInterval: '00:00:00.1' };
  const extensions = { http: { routePrefix: '' }, queues: serial };
  writeFileSync(hostJsonFile, JSON.stringify({ version: '2.0', extensions }));
  return startHostProcess({
    ...{ ...shipped, hostJsonFile, queues: true, appFile: path.join(root, 'bench/timed.cjs') },
    env: { ...env, BENCH_APP: appFiles[app] },
    onLine: (line) => {
      const ms = /^TOOK (\S+)$/.exec(line)?.[1];
      if (ms !== undefined) took.push(Number(ms));
    },
  });
}

/** What a phase works with. All of it is new for each phase, and ended after it. */
export interface Setting {
  readonly storages: readonly string[];
  readonly azurite: Azurite;
  /** An empty one takes the place of the Azurite. */
  readonly emptyStorage: () => Promise<void>;
  readonly sink: Sink;
  /** Starts a host that is stopped with the phase. The app sends its mails to the sink. */
  readonly start: (app: AppName, connectionString: string, options?: HostOptions) => Promise<HostProcess>;
}

/**
 * Runs a phase on so many storage accounts of a fresh Azurite.
 * @param providerMs how long the mail provider takes for a mail
 */
export async function inSetting<T>(
  accounts: number,
  run: (setting: Setting) => Promise<T>,
  providerMs = 0,
): Promise<T> {
  const sink = await startSink(providerMs);
  let azurite = await startStorage(accounts);
  const hosts: HostProcess[] = [];
  const mail = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.bench', SENDGRID_API_URL: sink.url };
  try {
    return await run({
      storages: azurite.connectionStrings,
      azurite,
      sink,
      async emptyStorage() {
        await azurite.close();
        azurite = await startStorage(accounts, azurite.ports);
      },
      async start(app, connectionString, options = {}) {
        const host = await startBench(app, settingsOf(connectionString, { ...mail, ...options.env }), options);
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
  at: new Date().toISOString(),
  node: process.version,
  cpus: os.cpus().length,
  loadAverage: Number(os.loadavg()[0]?.toFixed(2)),
});

/** Writes bench/results/NAME.json, and NAME.md if there is a table. */
export async function writeResults(name: string, results: object, table?: string): Promise<void> {
  const file = path.join(root, `bench/results/${name}`);
  mkdirSync(path.dirname(file), { recursive: true });
  const text = JSON.stringify({ ...machine(), ...results });
  writeFileSync(`${file}.json`, await format(text, { parser: 'json', printWidth: 120 }));
  if (table !== undefined) writeFileSync(`${file}.md`, table);
}
