// The app under test: the built bundle under the dev host, in a process of its own, on empty storage.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { startHostProcess, type HostProcess } from '../../dev/host/hostProcess';
import { createStorageClients } from '../../shared/storage/storage';
import { addressHashOf } from '../../shared/address';
import { expectDocumented } from './openapi';
import { emptyStorage } from './storage';

const root = path.join(__dirname, '../..');
const exampleSchema = z.object({ Values: z.record(z.string(), z.string()) });

/** The values of `local.settings.json.example`: every test runs on what a new clone runs on. */
export const exampleSettings = exampleSchema.parse(
  JSON.parse(readFileSync(path.join(root, 'local.settings.json.example'), 'utf8')),
).Values;

/** Of this test file; what a failed test left running would keep jest from ending. */
const running = new Set<HostProcess>();
afterAll(() => Promise.all([...running].map((host) => host.stop('SIGKILL'))));

export type App = Awaited<ReturnType<typeof startApp>>;

export interface AppAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Record<string, unknown>;
}

export interface AppOptions {
  readonly env?: Record<string, string | undefined>;
  /** Default: the bundle that the run has built. */
  readonly appFile?: string;
  readonly connectionString?: string;
  readonly queues?: boolean;
  readonly timers?: boolean;
  readonly queueHoldSeconds?: number;
  readonly anyHost?: boolean;
  /** Only seedSite makes tables; without it, most tests want them to be there. */
  readonly makeTables?: boolean;
}

export async function startApp({ env, connectionString = emptyStorage(), ...options }: AppOptions = {}) {
  const storage = createStorageClients({ kind: 'connectionString', connectionString });
  if (options.makeTables !== false) await storage.createMissing();
  const host = await startHostProcess({
    appFile: path.join(root, 'dist/main.js'),
    ...options,
    hostJsonFile: path.join(root, 'host.json'),
    env: { ...exampleSettings, AzureWebJobsStorage: connectionString, ...env },
  });
  running.add(host);
  void host.exited.then(() => running.delete(host));
  const mails = (): string[] => printedMails(host.output());
  return {
    host,
    connectionString,
    storage,
    /** The text of each mail the console backend printed, newest last. */
    mails,
    mailsWithin: (count: number, seconds = 20): Promise<string[]> =>
      eventually(() => (mails().length >= count ? mails() : undefined), seconds),
    /** Waits until it has printed such a line: an answer may arrive before the lines that were written before it. */
    logged: (line: RegExp) => eventually(() => (line.test(host.output()) ? true : undefined)),
    stop: () => host.stop(),
    /** POSTs JSON, and holds the answer against the OpenAPI document. A string or bytes are sent as they are. */
    post: async (route: string, body: unknown, headers: Record<string, string> = {}): Promise<AppAnswer> => {
      const response = await fetch(`${host.url}/api/${route}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json', ...headers },
        body: typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body),
      });
      const text = await response.text();
      expectDocumented('POST', `/api/${route}`, { status: response.status, headers: response.headers, text });
      const json = text.startsWith('{') ? z.record(z.string(), z.unknown()).parse(JSON.parse(text)) : {};
      return { status: response.status, headers: response.headers, text, json };
    },
  };
}

export interface AccountColumns {
  readonly id?: string;
  readonly email: string;
  readonly username: string;
  readonly password?: string;
  readonly isActive?: boolean;
  readonly locale?: string;
}

export async function addAccount(
  { storage }: Pick<App, 'storage'>,
  { id = '1', ...columns }: AccountColumns,
): Promise<void> {
  const row = { password: 'pbkdf2_sha256$1$salt$AAAA', isActive: true, generation: 0, ...columns };
  await storage.table('Accounts').insert(addressHashOf(columns.email), id, row);
}

export async function readAccount({ storage }: Pick<App, 'storage'>, email: string, id = '1') {
  return storage.table('Accounts').get(addressHashOf(email), id);
}

export const someuser = { email: 'someuser@somewhere.com', username: 'someuser' } as const;

export function keyIn(mail: string): string {
  const key = /\/accounts\/password\/reset\/key\/([^/\s]+)\//.exec(mail)?.[1];
  if (key === undefined) throw new Error('there is no link in the mail');
  return key;
}

/** Polls until there is a value other than `false`; fails after so many seconds. */
export async function eventually<T>(
  look: () => T | undefined | false | Promise<T | undefined | false>,
  seconds = 20,
): Promise<T> {
  const until = performance.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (performance.now() > until) throw new Error(`not seen within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 30));
  }
}

/** The console backend ends each mail with a rule; a mail starts at its first header line. */
function printedMails(output: string): string[] {
  const parts = output.split(`\n${'-'.repeat(79)}`).slice(0, -1);
  return parts.flatMap((part) => {
    const start = /^(?:Date|Subject): /m.exec(part)?.index;
    return start === undefined ? [] : [part.slice(start)];
  });
}
