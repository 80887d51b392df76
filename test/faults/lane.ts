// A store of its own with the built app under the dev host, and a proxy between the app and all that it calls.
import path from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { z } from 'zod';
import { createStorageClients, type StorageClients } from '../../shared/storage/storage';
import { startFaultProxy, type FaultProxy } from '../fakes/faultProxy';
import { startScriptedSendGrid, type ScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { eventually, startApp, type App, type AppOptions } from '../support/app';
import { emptyStorage } from '../support/storage';

export interface Lane {
  /** Not through the proxy. */
  readonly storage: StorageClients;
  readonly proxy: FaultProxy;
  readonly provider: ScriptedSendGrid;
  app(): App;
  /** Ends the process at once. */
  kill(): Promise<void>;
  /** Starts a new process; its clock is `aheadMs` further ahead than that of the one before. */
  start(aheadMs?: number): Promise<void>;
  /** Waits until no message is in the queue, visible or not. In `npm test` those that wait for a lease are removed: they take a minute. */
  settled(seconds?: number): Promise<void>;
  stop(): Promise<void>;
}

/** All cells, and the time that they take: `npm run test:faults`. */
export const isWhole = process.env['FAULTS'] === 'all' || process.env['FAULTS_ONLY'] !== undefined;

/** The 5 s of an answer on a loaded machine; in `npm test` more, since other suites run beside it. Without a deadline nothing would answer. */
export const answerMs = isWhole ? 9_000 : 20_000;

const preload = path.join(__dirname, 'fixtures/clockAhead.cjs');

/** @param shared another lane whose storage and provider this one uses */
export async function startLane(options: Pick<AppOptions, 'env'> = {}, shared?: Lane): Promise<Lane> {
  const connectionString = emptyStorage();
  const provider = shared?.provider ?? (await startScriptedSendGrid());
  const proxy = shared?.proxy ?? (await startFaultProxy(connectionString, provider.url));
  const storage = shared?.storage ?? createStorageClients({ kind: 'connectionString', connectionString });
  if (shared === undefined) await storage.createMissing();
  let app: App | undefined;
  let ahead = 0;
  let busyBefore = 0;
  const current = (): App => {
    if (app === undefined) throw new Error('no process is running');
    return app;
  };
  const busy = (): number => current().host.output().split('"outcome":"busy"').length - 1;
  const lane: Lane = {
    storage,
    proxy,
    provider,
    app: current,
    kill: async () => {
      const { host } = current();
      host.signal('SIGKILL');
      await host.exited;
    },
    start: async (aheadMs = 0) => {
      ahead += aheadMs;
      app = await startApp({
        connectionString: proxy.connectionString,
        makeTables: false,
        timers: false,
        queueHoldSeconds: 2,
        env: {
          EMAIL_BACKEND: 'sendgrid',
          SENDGRID_API_KEY: 'SG.faults',
          SENDGRID_API_URL: proxy.providerUrl,
          LIMIT_PER_IP: '1000/1s',
          ...(ahead > 0 && { CLOCK_AHEAD_MS: String(ahead), NODE_OPTIONS: `--require ${preload}` }),
          ...options.env,
        },
      });
      busyBefore = 0;
    },
    settled: async (seconds = 180) => {
      const queue = await storage.queue('outgoing-mail');
      await eventually(async () => {
        const count = await queue.getProperties().then(
          ({ approximateMessagesCount }) => approximateMessagesCount,
          () => 1,
        );
        const leased = isWhole ? 0 : busy() - busyBefore;
        return (count ?? 1) <= leased ? true : later(250, undefined);
      }, seconds);
      if (busy() > busyBefore) await queue.clearMessages();
      busyBefore = busy();
    },
    stop: async () => {
      await app?.stop();
      if (shared !== undefined) return;
      await proxy.close();
      await provider.close();
    },
  };
  await lane.start();
  return lane;
}

const sendGridMail = z.object({
  personalizations: z.tuple([
    z.object({ to: z.tuple([z.object({ email: z.string() })]), custom_args: z.object({ mail_id: z.string() }) }),
  ]),
  headers: z.object({ 'Message-ID': z.string() }),
  categories: z.tuple([z.string()]),
  content: z.array(z.object({ value: z.string() })),
});

/** A mail that the provider has accepted. */
export interface AcceptedMail {
  readonly id: string;
  readonly messageId: string;
  readonly to: string;
  readonly category: string;
  /** The reset key in it, empty in a notice. */
  readonly key: string;
}

const read = new WeakMap<object, AcceptedMail>();

/** Every mail that the provider has accepted so far, or those after the first `skip`. */
export function acceptedMails({ provider }: Lane, skip = 0): AcceptedMail[] {
  return provider.requests.slice(skip).map((request) => {
    const mail = read.get(request) ?? readMail(request.body);
    read.set(request, mail);
    return mail;
  });
}

function readMail(body: unknown): AcceptedMail {
  const { personalizations, headers, categories, content } = sendGridMail.parse(body);
  const key = /\/reset\/key\/([^/\s]+)\//.exec(content[0]?.value ?? '')?.[1] ?? '';
  const [{ to, custom_args: args }] = personalizations;
  return { id: args.mail_id, messageId: headers['Message-ID'], to: to[0].email, category: categories[0], key };
}
