// The dev host: runs an Azure Functions v4 app with HTTP, queue and timer triggers on plain Node, for development and tests only.
// Prints `READY http://127.0.0.1:<port>` once it is listening. README.md lists how it differs from the real host.
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { mailboxRoutes, useMailboxDirectory } from '../mailbox/mailboxRoutes';
import { type FunctionApp, loadFunctionApp, type RegisteredFunction } from './functionApp';
import { readHostJson } from './hostJson';
import { adminEndpoint, devEndpoint, functionEndpoint, startHttpServer } from './httpServer';
import { consoleLog, errorText, type Log } from './log';
import { startTimers } from './timers';

// Azure gives about 10 s from SIGTERM to SIGKILL; the app's own clean-up has to fit into that.
const terminateTimeoutMs = 8000;
const closeTimeoutMs = 10_000;
const defaultMaxBodyBytes = 104_857_600;
const queueTrigger = z.object({ queueName: z.string(), connection: z.string() });

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      app: { type: 'string', default: 'dist/main.js' },
      'host-json': { type: 'string', default: 'host.json' },
      port: { type: 'string', default: '7071' },
      'allowed-host': { type: 'string', multiple: true, default: [] },
      'queue-hold-seconds': { type: 'string', default: '60' },
      'no-timers': { type: 'boolean', default: false },
      'no-queues': { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
    },
  });
  const { DEV_FUNCTION_KEY, FUNCTIONS_REQUEST_BODY_SIZE_LIMIT, WEBSITE_INSTANCE_ID, WEBSITE_SITE_NAME } = process.env;
  if (WEBSITE_INSTANCE_ID || WEBSITE_SITE_NAME) {
    throw new Error('The dev host does not run in Azure: the Functions host is there already.');
  }
  const log = consoleLog(values.verbose);
  const { routePrefix, queues } = readHostJson(values['host-json']);
  const port = Number(values.port);
  const mailbox = mailboxRoutes(useMailboxDirectory(process.env));
  const app = await loadFunctionApp(path.resolve(values.app), log);
  const timers = startTimers(app, !values['no-timers']);
  const http = await startHttpServer({
    endpoints: [
      ...mailbox.map(devEndpoint),
      adminEndpoint(timers.run),
      ...app.functions.flatMap((fn) => functionEndpoint(app, routePrefix, fn)),
    ],
    log,
    port,
    functionKey: DEV_FUNCTION_KEY,
    allowedHosts: values['allowed-host'],
    maxBodyBytes: Number(FUNCTIONS_REQUEST_BODY_SIZE_LIMIT ?? defaultMaxBodyBytes),
  });
  const listeners = values['no-queues']
    ? Promise.resolve([])
    : startListeners(app, queues, Number(values['queue-hold-seconds']), log);

  stopOnSignals(async () => {
    const queuesClosed = listeners.then((started) => Promise.all(started.map((listener) => listener.close())));
    const drained = Promise.all([http.close(), timers.close(), queuesClosed]);
    // The hooks run at once, not when everything is drained: they are to shorten the work that is in flight.
    const [isTerminated, isDrained] = await Promise.all([
      isDoneWithin(terminateTimeoutMs, app.terminate()),
      isDoneWithin(closeTimeoutMs, drained),
    ]);
    if (!isTerminated) log('warning', 'host', 'The appTerminate hooks did not end in time.');
    if (!isDrained) log('warning', 'host', 'Stopped with work still in flight.');
  });
  console.log(`READY http://127.0.0.1:${http.port}`);
}

/** The storage SDK takes a while to load, so it is loaded only for an app with queues, while HTTP is served already. */
async function startListeners(
  app: FunctionApp,
  queues: ReturnType<typeof readHostJson>['queues'],
  holdSeconds: number,
  log: Log,
): Promise<{ close(): Promise<void> }[]> {
  const functions = app.functions.filter((fn) => queueBinding(fn));
  if (functions.length === 0) return [];
  const { startQueueListener } = await import('./queueListener');
  return functions.flatMap((fn) => {
    const { queueName, connection } = queueTrigger.parse(queueBinding(fn));
    const functionName = fn.metadata.name;
    const connectionString = process.env[connection];
    if (!connectionString) {
      log('error', 'host', `The function '${functionName}' gets no messages: ${connection} is missing.`);
      return [];
    }
    const run = (input: Parameters<FunctionApp['invoke']>[1]): Promise<unknown> => app.invoke(fn, input);
    return startQueueListener({ functionName, queueName, connectionString, queues, holdSeconds, run, log });
  });
}

function queueBinding(fn: RegisteredFunction): object | undefined {
  return Object.values(fn.metadata.bindings).find(({ type }) => type === 'queueTrigger');
}

async function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  const timer = new AbortController();
  const late = delay(ms, false, { signal: timer.signal }).catch(() => false);
  const isDone = await Promise.race([work.then(() => true), late]);
  timer.abort();
  return isDone;
}

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

/** As the real worker does: an error nobody handles ends the process. */
function die(error: unknown): void {
  console.error(`[host] Uncaught: ${errorText(error)}`);
  process.exit(1);
}
process.on('uncaughtException', die);
process.on('unhandledRejection', die);

main().catch((error: unknown) => {
  console.error(`[host] The host did not start: ${errorText(error)}`);
  process.exit(1);
});
