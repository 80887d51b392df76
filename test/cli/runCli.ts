// Runs a command line in the test's own process, and sees what it printed.
import { Readable } from 'node:stream';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Run } from '../../cli/support/io';
import { exampleSettings } from '../support/app';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  /** `out` as JSON. */
  json(): unknown;
}

/** An empty folder to run in; removed after the tests of the file. */
export function workFolder(): { readonly path: string; write(name: string, text: string): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'cli-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });
  return {
    path: folder,
    write: (name, text) => {
      writeFileSync(path.join(folder, name), text);
    },
  };
}

export interface CliWorld {
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin?: string;
  readonly now?: Date;
}

/** @param connectionString of empty storage; every other setting is the example's */
export async function runCli(
  run: Run,
  connectionString: string,
  argv: readonly string[],
  world: CliWorld,
): Promise<CliResult> {
  let out = '';
  let error = '';
  const code = await run(argv, {
    env: { ...exampleSettings, AzureWebJobsStorage: connectionString, ...world.env },
    cwd: world.cwd,
    stdin: Readable.from(world.stdin === undefined ? [] : [world.stdin]),
    out: (text) => (out += text),
    error: (text) => (error += text),
    clock: () => world.now ?? new Date(),
    signal: AbortSignal.timeout(25_000),
  });
  return { code, out, error, json: () => JSON.parse(out) as unknown };
}
