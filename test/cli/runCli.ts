// Runs a command in the test's own process, and sees what it printed.
import { Readable } from 'node:stream';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Io, Run } from '../../cli/support/program';
import { createStorageClients, type StorageClients, type TableName } from '../../shared/storage/storage';
import { createMemoryTableStore, type MemoryTableStore } from '../fakes/memoryTableStore';
import { exampleSettings } from '../support/app';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly error: string;
  /** `out` as JSON. */
  json(): unknown;
}

/** An empty folder to run in; removed after the tests of the file. */
export function workFolder(): { readonly path: string; write(name: string, content: string | Buffer): void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'cli-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  return { path: folder, write: (name, content) => writeFileSync(path.join(folder, name), content) };
}

export interface CliWorld {
  readonly cwd: string;
  readonly env?: Io['env'] | undefined;
  readonly stdin?: string | undefined;
  readonly now?: Date | undefined;
  /** Instead of what the settings name. */
  readonly storage?: StorageClients | undefined;
}

/** Every setting that `world` does not have is the example's. */
export async function runCli(run: Run, argv: readonly string[], world: CliWorld): Promise<CliResult> {
  const { cwd, env, stdin, now, storage } = world;
  let out = '';
  let error = '';
  const code = await run(argv, {
    env: { ...exampleSettings, ...env },
    cwd,
    stdin: Readable.from(stdin === undefined ? [] : [stdin]),
    out: (text) => (out += text),
    error: (text) => (error += text),
    clock: () => now ?? new Date(),
    openStorage: (settings) => storage ?? createStorageClients(settings),
    signal: AbortSignal.timeout(25_000),
  });
  return { code, out, error, json: () => JSON.parse(out) as unknown };
}

/** Storage in memory, for commands that use tables only. */
export function memoryStorage(): StorageClients & { readonly memory: (name: TableName) => MemoryTableStore } {
  const tables = new Map<TableName, MemoryTableStore>();
  const memory = (name: TableName): MemoryTableStore => {
    const table = tables.get(name) ?? createMemoryTableStore();
    tables.set(name, table);
    return table;
  };
  return {
    memory,
    table: memory,
    queue: () => Promise.reject(new Error('there is no queue in memory')),
    putMessage: () => Promise.reject(new Error('there is no queue in memory')),
    createMissing: () => Promise.resolve(),
  };
}

/** A command on tables in memory, which are empty for each test of the file. */
export function inMemory(run: Run) {
  const folder = workFolder();
  let storage = memoryStorage();
  beforeEach(() => {
    storage = memoryStorage();
  });
  return {
    folder,
    storage: () => storage,
    table: (name: TableName) => storage.memory(name),
    cli: (argv: readonly string[], world: Partial<CliWorld> = {}, command = run): Promise<CliResult> =>
      runCli(command, argv, { cwd: folder.path, storage, ...world }),
  };
}

export const containing = (text: string): string => expect.stringContaining(text) as string;
export const matching = (pattern: RegExp): string => expect.stringMatching(pattern) as string;
