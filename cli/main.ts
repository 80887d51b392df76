// `npm run accounts | outbox | site | preview -- …`: the operators' commands. `--help` lists them.
import { systemClock } from '../shared/clock';
import { createStorageClients } from '../shared/storage/storage';
import type { Run } from './support/program';

const programs: Readonly<Record<string, () => Promise<{ readonly run: Run }>>> = {
  accounts: () => import('./accounts/run'),
  outbox: () => import('./outbox/run'),
  site: () => import('./site/run'),
  preview: () => import('./preview'),
};

async function main([name = '', ...argv]: readonly string[]): Promise<void> {
  const program = programs[name];
  if (program === undefined) throw new Error(`the first argument is one of ${Object.keys(programs).join(', ')}`);
  const interrupted = new AbortController();
  process.once('SIGINT', () => interrupted.abort());
  // `… list | head`: the reader has closed the pipe.
  process.stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));
  const { run } = await program();
  const code = await run(argv, {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    terminal: process.stderr.isTTY ? process.stderr : undefined,
    out: (text) => void process.stdout.write(text),
    error: (text) => void process.stderr.write(text),
    clock: systemClock,
    openStorage: createStorageClients,
    signal: interrupted.signal,
  });
  process.exitCode = interrupted.signal.aborted ? 130 : code;
  process.stdin.pause();
}

void main(process.argv.slice(2));
