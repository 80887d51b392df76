// The dev host: runs an Azure Functions v4 app with HTTP, queue and timer triggers on plain Node. For development and
// tests only: it listens on 127.0.0.1 and refuses to run in Azure. One process runs one app.
import { randomBytes } from 'node:crypto';
import path from 'node:path';
import { z } from 'zod';
import type { RegisteredFunction } from './coreApi';
import type { DevRoute } from './endpoints';
import { type FunctionApp, loadFunctionApp } from './functionApp';
import { type HostJson, readHostJson } from './hostJson';
import { startHttpServer } from './httpServer';
import { consoleLog, errorText, type Log } from './log';
import type { QueueListener } from './queueListener';
import { addMissingSettings, resolveConnection, resolveSettings } from './settingsFile';
import { startTimers } from './timers';

/** What to run, and how. */
export interface HostOptions {
  /** The app's CommonJS bundle. */
  appFile: string;
  hostJsonFile: string;
  /** Settings for the app; a variable already in the environment wins. */
  env?: Readonly<Record<string, string>>;
  /** 0 takes a free port. */
  port: number;
  /** Opens functions with authLevel function or admin. Default: DEV_FUNCTION_KEY, else a random one. */
  functionKey?: string;
  /** Host names to answer besides localhost, 127.0.0.1 and [::1]; `*` for any. */
  allowedHosts?: readonly string[];
  /** False: timers run only by `runTimer`. */
  timers?: boolean;
  /** False: no queue is polled. */
  queues?: boolean;
  /** Seconds a queue message stays hidden after this process was killed. Default 60; the real host: 600. */
  queueHoldSeconds?: number;
  devRoutes?: readonly DevRoute[];
  log?: Log;
}

/** A host that is listening. */
export interface RunningHost {
  url: string;
  port: number;
  functionKey: string;
  /** The functions' names in matching order. */
  functions: string[];
  /**
   * Runs a timer now.
   * @throws Error if there is no such timer; otherwise whatever the function threw.
   */
  runTimer(name: string): Promise<void>;
  /** Stops accepting and polling, and finishes what is in flight: for 10 s at most. */
  close(): Promise<void>;
}

const closeTimeoutMs = 10_000;
const defaultMaxBodyBytes = 104_857_600;
const queueTrigger = z.object({ queueName: z.string(), connection: z.string().default('AzureWebJobsStorage') });

/**
 * Loads the app and starts its triggers.
 * @throws Error when this is Azure, when host.json or the app cannot be used, or when the port is taken (code EADDRINUSE).
 */
export async function startHost(options: HostOptions): Promise<RunningHost> {
  if (process.env.WEBSITE_INSTANCE_ID || process.env.WEBSITE_SITE_NAME) {
    throw new Error('The dev host does not run in Azure: the Functions host is there already.');
  }
  const log = options.log ?? consoleLog(false);
  const functionKey = options.functionKey ?? process.env.DEV_FUNCTION_KEY ?? randomBytes(20).toString('base64url');
  const hostJson = readHostJson(options.hostJsonFile);
  addMissingSettings(process.env, options.env ?? {});
  const app = await loadFunctionApp(path.resolve(options.appFile), log);
  warnOfUnknownBindings(app, log);

  const timers = startTimers({ app, log, settings: process.env, scheduled: options.timers !== false });
  const http = await startHttpServer({
    app,
    log,
    port: options.port,
    routePrefix: hostJson.routePrefix,
    functionKey,
    allowedHosts: options.allowedHosts ?? [],
    maxBodyBytes: Number(process.env.FUNCTIONS_REQUEST_BODY_SIZE_LIMIT ?? defaultMaxBodyBytes),
    devRoutes: options.devRoutes ?? [],
    runTimer: timers.run,
  });
  const listeners = startListeners(options, hostJson, app, log);

  return {
    url: `http://127.0.0.1:${http.port}`,
    port: http.port,
    functionKey,
    functions: app.functions.map(({ metadata }) => metadata.name),
    async runTimer(name) {
      if (!(await timers.run(name))) throw new Error(`There is no timer "${name}".`);
    },
    async close() {
      const queuesClosed = listeners.then((started) => Promise.all(started.map((listener) => listener.close())));
      const drained = Promise.all([http.close(), timers.close(), queuesClosed]);
      if (!(await isDoneWithin(closeTimeoutMs, drained))) log('warning', 'host', 'Stopped with work still in flight.');
      await app.terminate();
    },
  };
}

/** The storage SDK takes a while to load, so it is loaded only for an app with queues, and while HTTP is served already. */
async function startListeners(
  options: HostOptions,
  hostJson: HostJson,
  app: FunctionApp,
  log: Log,
): Promise<QueueListener[]> {
  const queueFunctions = options.queues === false ? [] : app.functions.filter((fn) => bindingOf(fn, 'queueTrigger'));
  if (queueFunctions.length === 0) return [];
  const { startQueueListener } = await import('./queueListener');
  return queueFunctions.flatMap((fn) => {
    const functionName = fn.metadata.name;
    try {
      const trigger = queueTrigger.parse(bindingOf(fn, 'queueTrigger'));
      return startQueueListener({
        functionName,
        queueName: resolveSettings(trigger.queueName, process.env),
        connectionString: resolveConnection(trigger.connection, process.env),
        queues: hostJson.queues,
        holdSeconds: options.queueHoldSeconds ?? 60,
        run: (input) => app.invoke(fn, input),
        log,
      });
    } catch (error) {
      log('error', 'host', `The function '${functionName}' gets no messages: ${errorText(error)}`);
      return [];
    }
  });
}

function bindingOf(fn: RegisteredFunction, type: string): object | undefined {
  return Object.values(fn.metadata.bindings).find((binding) => binding.type === type);
}

function warnOfUnknownBindings(app: FunctionApp, log: Log): void {
  const known = ['httpTrigger', 'queueTrigger', 'timerTrigger', 'http'];
  for (const { metadata } of app.functions) {
    for (const { type } of Object.values(metadata.bindings)) {
      if (!known.includes(type))
        log('warning', 'host', `'${metadata.name}': the dev host does not serve ${type} bindings.`);
    }
  }
}

async function isDoneWithin(ms: number, work: Promise<unknown>): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(resolve, ms, false);
  });
  const isDone = await Promise.race([work.then(() => true as const), late]);
  clearTimeout(timer);
  return isDone;
}
