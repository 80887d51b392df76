// What a command line may touch of the outside world, so that tests can run it in their own process. The only reader of `process`.
import type { Readable } from 'node:stream';
import { systemClock, type Clock } from '../../shared/clock';

/** Given to every command. */
export interface Io {
  /** The environment; wins over the settings file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `local.settings.json` is looked for. */
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** A terminal to draw a progress bar on, if standard error is one. */
  readonly terminal?: NodeJS.WriteStream;
  /** Results. */
  readonly out: (text: string) => void;
  /** Everything that is no result: errors, prompts, progress. */
  readonly error: (text: string) => void;
  readonly clock: Clock;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** One command line. @returns its exit code: 0 done, 1 failed or refused, 2 wrong usage */
export type Run = (argv: readonly string[], io: Io) => Promise<number>;

/** Runs a command line as this process. */
export async function runInTerminal(run: Run): Promise<void> {
  const interrupted = new AbortController();
  process.once('SIGINT', () => {
    interrupted.abort();
  });
  // `… list | head`: the reader has had enough.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? 0 : 1);
  });
  const code = await run(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    ...(process.stderr.isTTY && { terminal: process.stderr }),
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
    clock: systemClock,
    signal: interrupted.signal,
  });
  process.exitCode = interrupted.signal.aborted ? 130 : code;
  process.stdin.pause();
}
