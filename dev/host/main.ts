// The dev host's command line: runs one app until it is told to stop. Started by `npm start` and, as a child, by tests.
// Prints `READY http://127.0.0.1:<port>` once it is listening.
import path from 'node:path';
import { parseArgs } from 'node:util';
import { mailboxRoutes } from '../mailbox/mailboxRoutes';
import { useMailboxDirectory } from '../mailbox/mailboxDirectory';
import { consoleLog, errorText } from './log';
import { addMissingSettings, readSettingsFile } from './settingsFile';
import { type RunningHost, startHost } from './startHost';

const usage = `Usage: dev-host --app FILE [options]
  --app FILE                the app's CommonJS bundle
  --host-json FILE          default: host.json
  --port N                  default: 7071; 0 takes a free port
  --settings FILE           a local.settings.json; variables already set win
  --allowed-host NAME       answer to this Host as well (repeatable; * for any)
  --queue-hold-seconds N    how long a killed host keeps queue messages hidden (default 60)
  --no-timers, --no-queues  leave these triggers out
  --verbose                 show every call
`;

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      app: { type: 'string' },
      'host-json': { type: 'string', default: 'host.json' },
      port: { type: 'string', default: '7071' },
      settings: { type: 'string' },
      'allowed-host': { type: 'string', multiple: true, default: [] },
      'queue-hold-seconds': { type: 'string', default: '60' },
      'no-timers': { type: 'boolean', default: false },
      'no-queues': { type: 'boolean', default: false },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help || values.app === undefined) {
    console.log(usage);
    process.exit(values.help ? 0 : 2);
  }
  dieOnUncaughtErrors();
  addMissingSettings(process.env, values.settings === undefined ? {} : readSettingsFile(values.settings));
  const host = await startHost({
    appFile: path.resolve(values.app),
    hostJsonFile: values['host-json'],
    port: Number(values.port),
    allowedHosts: values['allowed-host'],
    timers: !values['no-timers'],
    queues: !values['no-queues'],
    queueHoldSeconds: Number(values['queue-hold-seconds']),
    devRoutes: mailboxRoutes(useMailboxDirectory(process.env)),
    log: consoleLog(values.verbose),
  });
  stopOnSignals(host);
  if (!process.env.DEV_FUNCTION_KEY) console.log(`Function key: ${host.functionKey}`);
  console.log(`Mailbox: ${host.url}/dev/mailbox`);
  console.log(`READY ${host.url}`);
}

/** As the real worker does: an error nobody handles ends the process. */
function dieOnUncaughtErrors(): void {
  const die = (error: unknown): void => {
    console.error(`[host] Uncaught: ${errorText(error)}`);
    process.exit(1);
  };
  process.on('uncaughtException', die);
  process.on('unhandledRejection', die);
}

/** A second signal does not wait. When the parent process is gone, so is the host. */
function stopOnSignals(host: RunningHost): void {
  let isStopping = false;
  const stop = (): void => {
    if (isStopping) process.exit(1);
    isStopping = true;
    void host.close().then(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  process.once('disconnect', stop);
}

main().catch((error: unknown) => {
  console.error(`[host] The host did not start: ${errorText(error)}`);
  process.exit(1);
});
