// Starts the dev host (main.ts, as esbuild.config.mjs bundles it) as a child process, and watches it.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { startChild } from '../childProcess';
import type { HostOptions } from './main';

/** What to run. The child's environment is this process's, changed by `env`. */
export interface HostProcessOptions extends HostOptions {
  /** Undefined removes a variable. Without DEV_FUNCTION_KEY, the function key is a random one. */
  env?: Readonly<Record<string, string | undefined>>;
  /** Receives every line of output but the READY line. */
  onLine?: ((line: string) => void) | undefined;
}

export type HostProcess = Awaited<ReturnType<typeof startHostProcess>>;

const bundle = path.join(__dirname, '../../dist/dev/host.js');

/**
 * Starts a host and waits until it is listening. It stops when this process ends, however that happens.
 * @throws Error with its output if it ends before that.
 */
export async function startHostProcess({ env, onLine, ...options }: HostProcessOptions) {
  const childEnv = { DEV_FUNCTION_KEY: randomBytes(20).toString('base64url'), ...process.env, ...env };
  const functionKey = childEnv.DEV_FUNCTION_KEY;
  const lines: string[] = [];
  let ready: (url: string) => void;
  const listening = new Promise<string>((resolve) => (ready = resolve));
  const child = startChild(process.execPath, ['--enable-source-maps', bundle, JSON.stringify(options)], {
    env: childEnv,
    ipc: true,
    onLine: (line) => {
      lines.push(line);
      const url = /^READY (\S+)$/.exec(line)?.[1];
      if (url !== undefined) ready(url);
      else onLine?.(line);
    },
  });
  const url = await Promise.race([listening, child.exited.then(() => undefined)]);
  // A caller that got the lines has printed them already.
  if (url === undefined) throw new Error(`The dev host did not start.${onLine ? '' : `\n${lines.join('\n')}`}`);
  return {
    url,
    functionKey,
    pid: child.process.pid ?? 0,
    /** Everything printed so far, standard output and standard error as they came. */
    output: () => lines.join('\n'),
    /** Runs a timer to its end. @throws Error if it failed or there is none. */
    async runTimer(name: string): Promise<void> {
      const headers = { 'x-functions-key': functionKey };
      const { status } = await fetch(`${url}/admin/functions/${name}`, { method: 'POST', headers });
      if (status === 404) throw new Error(`There is no timer "${name}".`);
      if (status !== 202) throw new Error(`The timer "${name}" failed.`);
    },
    /** @returns the exit code, null after a signal that killed it. */
    stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
      child.signal(signal);
      return child.exited;
    },
    signal: child.signal,
    exited: child.exited,
  };
}
