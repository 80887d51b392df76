// What every benchmark runs on: an Azurite in memory, and hosts on it, with the example settings and no limits in the way.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { format } from 'prettier';
import { z } from 'zod';
import { startAzurite, type Azurite } from '../dev/azurite';
import { startHostProcess, type HostProcess } from '../dev/host/hostProcess';
import { readConfig, type Config } from '../shared/config';

export const root = path.join(__dirname, '..');
const accountKey = Buffer.alloc(64, 7).toString('base64');

const example = z
  .object({ Values: z.record(z.string(), z.string()) })
  .parse(JSON.parse(readFileSync(path.join(root, 'local.settings.json.example'), 'utf8'))).Values;

/** The settings of a run. */
export function settingsOf(connectionString: string, changes: Record<string, string> = {}): Record<string, string> {
  return {
    ...example,
    AzureWebJobsStorage: connectionString,
    LIMIT_PER_IP: 'off',
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
  // It keeps nothing; a polite end would wait for our idle connections.
  return { ...azurite, close: () => azurite.close('SIGKILL'), connectionStrings };
}

/** The same account by other ports, such as a proxy's. */
export function storageAt(name: string, ports: Azurite['ports']): string {
  const endpoint = (port: number): string => `http://127.0.0.1:${port}/${name}`;
  return [
    'DefaultEndpointsProtocol=http',
    `AccountName=${name}`,
    `AccountKey=${accountKey}`,
    `BlobEndpoint=${endpoint(ports.blob)}`,
    `QueueEndpoint=${endpoint(ports.queue)}`,
    `TableEndpoint=${endpoint(ports.table)}`,
  ].join(';');
}

/** The dev host with a bundle. */
export function startBench(
  appFile: string,
  env: Record<string, string>,
  triggers: { queues: boolean } = { queues: false },
): Promise<HostProcess> {
  return startHostProcess({ appFile, hostJsonFile: path.join(root, 'host.json'), env, timers: false, ...triggers });
}

/** Builds what is measured. */
export function buildApp(): void {
  execFileSync(process.execPath, ['esbuild.config.mjs'], { cwd: root, stdio: 'inherit' });
}

/** Writes bench/results/NAME.json with what the figures depend on. */
export async function writeResults(name: string, results: object): Promise<void> {
  const machine = { node: process.version, cpus: os.cpus().length, loadAverage: Number(os.loadavg()[0]?.toFixed(2)) };
  const file = path.join(root, `bench/results/${name}.json`);
  mkdirSync(path.dirname(file), { recursive: true });
  const text = JSON.stringify({ at: new Date().toISOString(), ...machine, ...results });
  writeFileSync(file, await format(text, { parser: 'json', printWidth: 120 }));
}
