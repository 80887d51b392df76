// Starts the dev host as a child process and watches it: for tests and `npm start`.
import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { startChild } from '../childProcess';

/** What to run. The child's environment is this process's, changed by `env`. */
export interface HostProcessOptions {
  appFile: string;
  hostJsonFile: string;
  /** Undefined removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Default 0: a free port. */
  port?: number;
  /** Opens functions with authLevel function or admin. Default: DEV_FUNCTION_KEY of `env` or of this process, else a random one. */
  functionKey?: string;
  /** Host names to answer besides localhost, 127.0.0.1 and [::1]; `*` for any. */
  allowedHosts?: readonly string[];
  /** Seconds a queue message stays hidden after the host was killed. Default 60; the real host: 600. */
  queueHoldSeconds?: number;
  /** False: timers run only by `runTimer`. */
  timers?: boolean;
  /** False: no queue is polled. */
  queues?: boolean;
  verbose?: boolean;
  /** Receives every line of output but the READY line. */
  onLine?: (line: string) => void;
}

/** A dev host in a process of its own. */
export interface HostProcess {
  url: string;
  port: number;
  functionKey: string;
  pid: number;
  /** Everything printed so far, standard output and standard error as they came. */
  output(): string;
  /** Runs a timer to its end. @throws Error if it failed or there is none. */
  runTimer(name: string): Promise<void>;
  /** Sends a signal (default SIGTERM) and waits for the end. @returns the exit code, null after a signal that killed it. */
  stop(signal?: NodeJS.Signals): Promise<number | null>;
  /** Sends a signal without waiting. */
  signal(signal: NodeJS.Signals): void;
  /** Settled when the process is over. */
  exited: Promise<number | null>;
}

/**
 * Starts a host and waits until it is listening. It stops when this process ends, however that happens.
 * @throws Error with its output if it ends before that.
 */
export async function startHostProcess(options: HostProcessOptions): Promise<HostProcess> {
  const env = { ...process.env, ...options.env };
  const functionKey = options.functionKey ?? env['DEV_FUNCTION_KEY'] ?? randomBytes(20).toString('base64url');
  const bundle = await buildDevHost();
  const lines: string[] = [];
  let ready: (url: string) => void;
  const listening = new Promise<string>((resolve) => (ready = resolve));
  const child = startChild(process.execPath, ['--enable-source-maps', bundle, ...hostArguments(options)], {
    env: { ...env, DEV_FUNCTION_KEY: functionKey },
    ipc: true,
    onLine: (line) => {
      lines.push(line);
      const url = /^READY (\S+)$/.exec(line)?.[1];
      if (url !== undefined) ready(url);
      else options.onLine?.(line);
    },
  });
  const url = await Promise.race([listening, child.exited.then(() => undefined)]);
  // A caller that got the lines has printed them already.
  if (url === undefined) {
    throw new Error(`The dev host did not start.${options.onLine ? '' : `\n${lines.join('\n')}`}`);
  }
  return {
    url,
    port: Number(new URL(url).port),
    functionKey,
    pid: child.process.pid ?? 0,
    output: () => lines.join('\n'),
    async runTimer(name) {
      const headers = { 'x-functions-key': functionKey };
      const { status } = await fetch(`${url}/admin/functions/${name}`, { method: 'POST', headers });
      if (status === 404) throw new Error(`There is no timer "${name}".`);
      if (status !== 202) throw new Error(`The timer "${name}" failed.`);
    },
    stop(signal = 'SIGTERM') {
      child.signal(signal);
      return child.exited;
    },
    signal: child.signal,
    exited: child.exited,
  };
}

function hostArguments(options: HostProcessOptions): string[] {
  return [
    ...['--app', options.appFile, '--host-json', options.hostJsonFile, '--port', String(options.port ?? 0)],
    ...(options.allowedHosts ?? []).flatMap((name) => ['--allowed-host', name]),
    ...(options.queueHoldSeconds === undefined ? [] : ['--queue-hold-seconds', String(options.queueHoldSeconds)]),
    ...(options.timers === false ? ['--no-timers'] : []),
    ...(options.queues === false ? ['--no-queues'] : []),
    ...(options.verbose ? ['--verbose'] : []),
  ];
}

const sourceDirectories = [__dirname, path.join(__dirname, '../mailbox')];
const outfile = path.join(__dirname, '../../dist/dev/host.js');

/**
 * Bundles the dev host unless the bundle is newer than its sources: it loads several times faster than through tsx.
 * Safe to call from several processes at once. @returns the bundle's path
 */
export async function buildDevHost(): Promise<string> {
  const changedAt = sourceDirectories.flatMap((directory) =>
    readdirSync(directory).map((name) => statSync(path.join(directory, name)).mtimeMs),
  );
  if (existsSync(outfile) && statSync(outfile).mtimeMs > Math.max(...changedAt)) return outfile;
  const draft = `${outfile}.${process.pid}.tmp.js`;
  await build({
    entryPoints: [path.join(__dirname, 'main.ts')],
    outfile: draft,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // The storage SDK's ESM asks where it is; in a CommonJS bundle esbuild would answer undefined, and the SDK would throw.
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    legalComments: 'none',
    logLevel: 'warning',
  });
  renameSync(draft, outfile);
  return outfile;
}
