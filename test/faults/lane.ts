// A store of its own with the built app under the dev host, and a proxy between the app and all that it calls.
import path from 'node:path';
import { setTimeout as later } from 'node:timers/promises';
import { createStorageClients, type StorageClients } from '../../shared/storage/storage';
import { startFaultProxy, type FaultProxy } from '../fakes/faultProxy';
import { startScriptedSendGrid, type ScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { eventually, startApp, type App, type AppOptions } from '../support/app';
import { sentMailOf, type SentMail } from '../support/invariants';
import { emptyStorage } from '../support/storage';

/** All cells, and the time that they take: `npm run test:faults`. */
export const isWhole = process.env['FAULTS'] === 'all' || process.env['FAULTS_ONLY'] !== undefined;

/** The 5 s of an answer on a loaded machine; in `npm test` more, since other suites run beside it. Without a deadline nothing would answer. */
export const answerMs = isWhole ? 9_000 : 20_000;

const preload = path.join(__dirname, 'fixtures/clockAhead.cjs');

/** @param shared another lane whose storage and provider this one uses */
export async function startLane(
  options: Pick<AppOptions, 'env'> = {},
  shared?: { readonly storage: StorageClients; readonly proxy: FaultProxy; readonly provider: ScriptedSendGrid },
) {
  const connectionString = emptyStorage();
  const provider = shared?.provider ?? (await startScriptedSendGrid());
  const proxy = shared?.proxy ?? (await startFaultProxy(connectionString, provider.url));
  /** Not through the proxy. */
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
  /** Starts a new process; its clock is `aheadMs` further ahead than that of the one before. */
  const start = async (aheadMs = 0): Promise<void> => {
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
  };
  await start();
  return {
    storage,
    proxy,
    provider,
    app: current,
    /** Ends the process at once. */
    kill: async () => {
      const { host } = current();
      host.signal('SIGKILL');
      await host.exited;
    },
    start,
    /** Waits until no message is in the queue, visible or not. In `npm test` those that wait for a lease are removed: they take a minute. */
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
}

export type Lane = Awaited<ReturnType<typeof startLane>>;

/** Every mail that the provider has accepted so far, or those after the first `skip`. */
export const acceptedMails = ({ provider }: Lane, skip = 0): SentMail[] =>
  provider.requests.slice(skip).map(sentMailOf);
