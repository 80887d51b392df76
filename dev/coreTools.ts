// Runs the app under Azure Functions Core Tools (`func`), which `npm start` prefers to the dev host where it is installed.
import { execFile } from 'node:child_process';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import type { Settings } from '../cli/support/settings';
import { startChild } from './childProcess';
import type { HostProcess } from './host/hostProcess';

/** A host, whichever, that `npm start` runs. */
export type AppHost = Pick<HostProcess, 'url' | 'stop' | 'exited'>;

/**
 * host.json lets nothing below a warning through, and the host logs a worker's standard output as information of this category:
 * without this setting the mails that the console backend prints are invisible.
 */
const showConsole = { 'AzureFunctionsJobHost__logging__logLevel__Host.Function.Console': 'Information' };

// On Windows `func` is a command script, which only a shell can start.
const shell = process.platform === 'win32';

/** @returns the version of the Core Tools on the PATH, if they are v4. */
export async function findCoreTools(): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)('func', ['--version'], { timeout: 10_000, shell });
    const version = stdout.trim();
    return version.startsWith('4.') ? version : undefined;
  } catch {
    return undefined;
  }
}

/** Runs `func start` in a directory and waits until the app answers. @throws Error if it ends before that. */
export async function startCoreTools(directory: string, port: number, env: Settings): Promise<AppHost> {
  const child = startChild('func', ['start', '--port', String(port)], {
    cwd: directory,
    env: { ...showConsole, ...env },
    shell,
    onLine: console.log,
  });
  // This process may end in other ways than by Ctrl-C.
  process.once('exit', () => child.signal('SIGKILL'));

  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(`${url}/api/health`))) {
    if (child.isOver()) throw new Error('func start ended before the app answered.');
    await delay(100);
  }
  return {
    url,
    exited: child.exited,
    stop() {
      child.signal('SIGINT');
      return child.exited;
    },
  };
}

/** Until the functions are loaded there is no connection, or 404. */
async function answers(url: string): Promise<boolean> {
  try {
    return (await fetch(url, { signal: AbortSignal.timeout(2000) })).status !== 404;
  } catch {
    return false;
  }
}
