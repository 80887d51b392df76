// The dev host: runs an Azure Functions v4 app with HTTP, queue and timer triggers on plain Node, for development and tests only.
// Its one argument is JSON (`HostOptions`). It prints `READY http://127.0.0.1:<port>` once it is listening.
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { mailboxRoutes, useMailboxDirectory } from '../mailbox/mailboxRoutes';
import { errorText, loadFunctionApp, log } from './functionApp';
import { readHostJson } from './hostJson';
import { startHttpServer } from './httpServer';
import { functionEndpoint } from './httpTrigger';
import { startTimers } from './timers';

const optionsSchema = z.object({
  /** Absolute path of the app's bundle. */
  appFile: z.string(),
  hostJsonFile: z.string(),
  /** 0 is a free port. */
  port: z.int().default(0),
  /** Answers under any host name, not only localhost, 127.0.0.1 and [::1]. */
  anyHost: z.boolean().default(false),
  /** Seconds a queue message stays hidden after the host was killed; the real host: 600. */
  queueHoldSeconds: z.number().default(60),
  /** False: timers run only when `/admin/functions/{name}` asks for it. */
  timers: z.boolean().default(true),
  /** False: no queue is polled. */
  queues: z.boolean().default(true),
});
export type HostOptions = z.input<typeof optionsSchema>;

async function main(): Promise<void> {
  const { DEV_FUNCTION_KEY, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT } = process.env;
  const options = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''));
  const { routePrefix, queues } = readHostJson(options.hostJsonFile);
  const mailbox = mailboxRoutes(useMailboxDirectory(process.env));
  const app = await loadFunctionApp(options.appFile);
  const timers = startTimers(app, options.timers);
  const http = await startHttpServer({
    endpoints: [
      ...mailbox,
      // The real host's way to run a function by hand. Here it answers when the run is over, and 500 if it failed.
      {
        path: 'admin/functions/{name}',
        methods: ['POST'],
        needsKey: true,
        answer: async ({ params: { name = '' } }) => ({ status: (await timers.run(name)) ? 202 : 404 }),
      },
      ...app.functions.flatMap((fn) => functionEndpoint(app, routePrefix, fn)),
    ],
    port: options.port,
    functionKey: DEV_FUNCTION_KEY,
    anyHost: options.anyHost,
    maxBodyBytes: Number(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT ?? 104_857_600),
  });
  // The storage SDK takes a while to load, so it is loaded while HTTP is served already.
  const listening = options.queues
    ? import('./queueListener').then(({ listenToQueues }) => listenToQueues(app, queues, options.queueHoldSeconds))
    : undefined;

  stopOnSignals(async () => {
    const drained = Promise.all([http.close(), timers.close(), listening?.then((listeners) => listeners.close())]);
    // Azure gives about 10 s from SIGTERM to SIGKILL; the app's own clean-up has to fit into that. The hooks run at once, not when
    // everything is drained: they are to shorten the work that is in flight.
    const [isTerminated, isDrained] = await Promise.all([
      isDoneWithin(8000, app.terminate()),
      isDoneWithin(10_000, drained),
    ]);
    if (!isTerminated) log('warning', 'host', 'The appTerminate hooks did not end in time.');
    if (!isDrained) log('warning', 'host', 'Stopped with work still in flight.');
  });
  console.log(`READY http://127.0.0.1:${http.port}`);
}

const isDoneWithin = (ms: number, work: Promise<unknown>): Promise<boolean> =>
  Promise.race([work.then(() => true), delay(ms, false)]);

/** A second signal does not wait. When the parent process is gone, the host stops too. */
function stopOnSignals(close: () => Promise<void>): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    void close().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.once('disconnect', stop);
}

const die =
  (what: string) =>
  (error: unknown): never => {
    console.error(`[host] ${what}: ${errorText(error)}`);
    process.exit(1);
  };
// As the real worker does: an error nobody handles ends the process.
process.on('uncaughtException', die('Uncaught'));
process.on('unhandledRejection', die('Uncaught'));

main().catch(die('The host did not start'));
