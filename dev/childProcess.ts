// A child process of `npm start` or of a test: in a group of its own, its output read by lines.
import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { createInterface } from 'node:readline';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';

interface ChildOptions extends Pick<SpawnOptions, 'cwd' | 'env' | 'shell'> {
  /** Receives each line of standard output and standard error. */
  onLine: (line: string) => void;
  /** Opens a channel, whose `disconnect` event tells a Node program that this process is gone. */
  ipc?: boolean;
}

const isWindows = process.platform === 'win32';

/** Starts a program. An executable that cannot be started counts as ended with 1. */
export function startChild(command: string, args: readonly string[], options: ChildOptions) {
  const { onLine, ipc = false, ...rest } = options;
  const child = spawn(command, args, {
    ...rest,
    stdio: ['ignore', 'pipe', 'pipe', ...(ipc ? (['ipc'] as const) : [])],
    // Ctrl-C reaches this process only, which stops its children in order.
    detached: !isWindows,
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream) createInterface({ input: stream }).on('line', onLine);
  }
  const isOver = (): boolean => child.pid === undefined || child.exitCode !== null || child.signalCode !== null;
  return {
    process: child,
    /** Settled with the exit code when the process is over; null after a signal that killed it. */
    exited: exitOf(child),
    isOver,
    /** Signals the process and whatever it started. Does nothing when it is over. */
    signal: (name: NodeJS.Signals): void => {
      if (isOver() || child.pid === undefined) return;
      if (isWindows) child.kill(name);
      else process.kill(-child.pid, name);
    },
  };
}

/** Not the event `close`: it does not come after `disconnect`. */
async function exitOf(child: ChildProcess): Promise<number | null> {
  const code = await new Promise<number | null>((resolve) => {
    child.once('exit', resolve).once('error', () => resolve(1));
  });
  // The last lines have to be read; but a grandchild may hold the streams open.
  const output = [child.stdout, child.stderr].map(async (stream) => stream && finished(stream).catch(() => undefined));
  await Promise.race([Promise.all(output), delay(500, undefined, { ref: false })]);
  return code;
}
