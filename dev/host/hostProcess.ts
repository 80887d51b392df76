// Starts the dev host as a child process and watches it: for tests and `npm start`. It never ends another process.
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createInterface } from 'node:readline';
import { buildDevHost } from './build';

/** What to run. The child's environment is this process's, changed by `env`. */
export interface HostProcessOptions {
  appFile: string;
  hostJsonFile: string;
  /** Undefined removes a variable. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Default 0: a free port. */
  port?: number;
  settingsFile?: string;
  /** Default: DEV_FUNCTION_KEY of `env` or of this process, else a random one. */
  functionKey?: string;
  allowedHosts?: readonly string[];
  queueHoldSeconds?: number;
  timers?: boolean;
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
  const functionKey = options.functionKey ?? env.DEV_FUNCTION_KEY ?? randomBytes(20).toString('base64url');
  const child = spawn(process.execPath, ['--enable-source-maps', await buildDevHost(), ...hostArguments(options)], {
    env: { ...env, DEV_FUNCTION_KEY: functionKey },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // A group of its own: Ctrl-C reaches the parent only, which stops its children in order.
    detached: process.platform !== 'win32',
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  const lines: string[] = [];
  const url = await readyUrl(child, lines, options.onLine);
  // Whoever gets the lines has read them already.
  if (url === undefined)
    throw new Error(
      options.onLine ? 'The dev host did not start.' : `The dev host did not start:\n${lines.join('\n')}`,
    );
  return {
    url,
    port: Number(new URL(url).port),
    functionKey,
    pid: child.pid ?? 0,
    output: () => lines.join('\n'),
    async runTimer(name) {
      const headers = { 'x-functions-key': functionKey };
      const { status } = await fetch(`${url}/admin/functions/${name}`, { method: 'POST', headers });
      if (status !== 202)
        throw new Error(status === 404 ? `There is no timer "${name}".` : `The timer "${name}" failed.`);
    },
    stop(signal = 'SIGTERM') {
      child.kill(signal);
      return exited;
    },
    signal: (signal) => child.kill(signal),
    exited,
  };
}

function hostArguments(options: HostProcessOptions): string[] {
  return [
    ...['--app', options.appFile, '--host-json', options.hostJsonFile, '--port', String(options.port ?? 0)],
    ...(options.settingsFile === undefined ? [] : ['--settings', options.settingsFile]),
    ...(options.allowedHosts ?? []).flatMap((name) => ['--allowed-host', name]),
    ...(options.queueHoldSeconds === undefined ? [] : ['--queue-hold-seconds', String(options.queueHoldSeconds)]),
    ...(options.timers === false ? ['--no-timers'] : []),
    ...(options.queues === false ? ['--no-queues'] : []),
    ...(options.verbose ? ['--verbose'] : []),
  ];
}

/** @returns undefined if the process ended without getting ready. */
function readyUrl(child: ChildProcess, lines: string[], onLine?: (line: string) => void): Promise<string | undefined> {
  return new Promise((resolve) => {
    for (const stream of [child.stdout, child.stderr]) {
      if (!stream) continue;
      createInterface({ input: stream }).on('line', (line) => {
        lines.push(line);
        const ready = /^READY (\S+)$/.exec(line);
        if (ready) resolve(ready[1]);
        else onLine?.(line);
      });
    }
    child.once('close', () => {
      resolve(undefined);
    });
  });
}
