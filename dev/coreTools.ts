// Runs the app under Azure Functions Core Tools (`func`), which `npm start` prefers to the dev host where it is installed.
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import type { Settings } from './host/settingsFile';

/** A host, whichever, that `npm start` runs. */
export interface AppHost {
  url: string;
  /** Stops it and waits for its end. */
  stop(): Promise<unknown>;
  /** Settled with the exit code when it is over, for whatever reason. */
  exited: Promise<number | null>;
}

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

/**
 * Runs `func start` and waits until the app answers.
 * @param directory the project's.
 * @param onLine receives each line it prints.
 * @throws Error if it ends before that.
 */
export async function startCoreTools(
  directory: string,
  port: number,
  env: Settings,
  onLine: (line: string) => void,
): Promise<AppHost> {
  const child = spawn('func', ['start', '--port', String(port)], {
    cwd: directory,
    env,
    shell,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own: Ctrl-C reaches the parent only, and a signal to the group reaches whatever `func` starts.
    detached: !shell,
  });
  for (const input of [child.stdout, child.stderr]) createInterface({ input }).on('line', onLine);
  const exited = new Promise<number | null>((resolve) => {
    child.once('exit', resolve);
    child.once('error', () => {
      resolve(1);
    });
  });
  const signal = (name: NodeJS.Signals): void => {
    if (isOver(child) || child.pid === undefined) return;
    if (shell) child.kill(name);
    else process.kill(-child.pid, name);
  };
  // Its parent may end in other ways than by Ctrl-C.
  process.once('exit', () => {
    signal('SIGKILL');
  });

  const url = `http://127.0.0.1:${port}`;
  while (!(await answers(`${url}/api/health`))) {
    if (isOver(child)) throw new Error('func start ended before the app answered.');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url,
    exited,
    stop() {
      signal('SIGINT');
      return exited;
    },
  };
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

/** Until the functions are loaded there is no connection, or 404. */
async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
    await response.arrayBuffer();
    return response.status !== 404;
  } catch {
    return false;
  }
}
