// `npm start`: builds the app, sees to a storage, and runs the app under Azure Functions Core Tools or the dev host.
// For development only. Everything it starts, it stops.
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { promisify } from 'node:util';
import { Command, InvalidArgumentError, Option } from 'commander';
import { addMissingSettings, readSettingsFile, type Settings, unknownSettings } from '../cli/support/settings';
import { type Config, readConfig } from '../shared/config';
import { builtInLanguages, findLocale } from '../shared/locales';
import { createStorageClients } from '../shared/storage/storageClients';
import { type AppHost, findCoreTools, showConsole, startCoreTools } from './coreTools';
import { buildDevHost, startHostProcess } from './host/hostProcess';
import { devEndpoint, startHttpServer } from './host/httpServer';
import { consoleLog } from './host/log';
import { mailboxRoutes, useMailboxDirectory } from './mailbox/mailboxRoutes';
import { samplePassword, seedSampleAccounts } from './sampleAccounts';
import { ensureStorage, isOnThisMachine } from './storage';

interface StartOptions {
  port: number;
  storage?: string;
  memory: boolean;
  host?: 'dev' | 'func';
  directory: 'table' | 'node';
}

const project = path.join(__dirname, '..');
const inProject = (name: string): string => path.join(project, name);

/** What to undo at the end, latest first. */
const started: { stop: () => Promise<unknown> }[] = [];
let isStopping = false;

async function start(options: StartOptions): Promise<void> {
  await refuseTakenPort(options.port);
  const env = developmentSettings(options);
  const [coreTools] = await Promise.all([
    options.host === 'dev' ? undefined : findCoreTools(),
    buildApp(),
    buildDevHost(),
    startWhatTheAppUses(env, options),
  ]);
  if (options.host === 'func' && coreTools === undefined) {
    throw new Error(
      'Azure Functions Core Tools v4 (`func`) are not on the PATH. Without --host func the dev host is used.',
    );
  }
  const config = checkedConfig(env);
  await addSampleAccounts(config);
  const host =
    coreTools === undefined ? await runDevHost(options, env) : await runCoreTools(coreTools, options.port, env);
  started.push(host);
  console.log(`Pages: ${host.url}/accounts/password/reset/`);
  console.log(`READY ${host.url}`);
  const exitCode = await host.exited;
  if (!isStopping) console.error('The host has ended by itself.');
  await stopAndExit(exitCode ?? 1);
}

/**
 * Starts the processes that the app calls, before the settings are checked, since each may change them: it goes into `started`,
 * its settings into `env`.
 */
async function startWhatTheAppUses(env: Settings, { memory, directory, port }: StartOptions): Promise<void> {
  if (directory === 'node') {
    const { startSampleSite } = await import('./sampleSite');
    const site = await startSampleSite(port);
    started.push({ stop: () => Promise.resolve(site.close()) });
    Object.assign(env, site.settings);
    console.log(`Site: ${site.url}/ has accounts of its own: log in as someuser, password "${samplePassword}".`);
  }
  if (env.AzureWebJobsStorage === undefined) return; // storage by identity
  const storage = await ensureStorage(env.AzureWebJobsStorage, memory);
  started.unshift({ stop: storage.close });
  env.AzureWebJobsStorage = storage.connectionString;
  for (const note of storage.notes) console.log(note);
}

/** @throws Error that lists every problem by name. */
function checkedConfig(env: Settings): Config {
  const read = readConfig(env);
  if (!read.ok)
    throw new Error(['The settings are not good:', ...read.problems.map((problem) => `  ${problem}`)].join('\n'));
  const { locale } = read.config.siteDefaults;
  if (findLocale(locale) === undefined) {
    const known = [...builtInLanguages.keys()].join(', ');
    console.warn(
      `Warning: there are no texts for SITE_LOCALE ${locale}: mails and pages are in English. Known: ${known}.`,
    );
  }
  return read.config;
}

/** In development and on this machine's own storage only. */
async function addSampleAccounts({ development, storage, directory }: Config): Promise<void> {
  const isLocal = storage.kind === 'connectionString' && isOnThisMachine(storage.connectionString);
  if (!development || !isLocal || directory.kind !== 'table') return;
  const added = await seedSampleAccounts(createStorageClients(storage));
  if (added.length > 0) console.log('Sample accounts:');
  for (const { username, email, note } of added) {
    console.log(`  ${username.padEnd(12)} ${email}${note === undefined ? '' : ` (gets no mail: ${note})`}`);
  }
}

async function runDevHost({ port, host }: StartOptions, env: Settings): Promise<AppHost> {
  const reason = host === 'dev' ? '--host dev' : 'Azure Functions Core Tools v4 are not on the PATH';
  console.log(`Host: the dev host on Node ${process.version} (${reason}).`);
  const running = await startHostProcess({
    appFile: inProject('dist/main.js'),
    hostJsonFile: inProject('host.json'),
    port,
    env,
    onLine: (line) => {
      console.log(line);
    },
  });
  console.log(`Mailbox: ${running.url}/dev/mailbox`);
  if (!env.DEV_FUNCTION_KEY) console.log(`Function key: ${running.functionKey} (set DEV_FUNCTION_KEY to choose one).`);
  return running;
}

async function runCoreTools(version: string, port: number, env: Settings): Promise<AppHost> {
  console.log(`Host: Azure Functions Core Tools ${version} (found on the PATH; --host dev for the dev host).`);
  addMissingSettings(env, showConsole);
  const directory = useMailboxDirectory(env);
  const host = await startCoreTools(project, port, env, (line) => {
    console.log(line);
  });
  const endpoints = mailboxRoutes(directory, host.url).map(devEndpoint);
  const serveMailbox = (mailboxPort: number) =>
    startHttpServer({ endpoints, log: consoleLog(false), port: mailboxPort });
  const mailbox = await serveMailbox(port + 1).catch(() => serveMailbox(0));
  console.log(`Mailbox: http://127.0.0.1:${mailbox.port}/dev/mailbox`);
  return host;
}

/** The environment for the app: variables already set, then `--storage`, then local.settings.json. */
function developmentSettings({ storage }: StartOptions): Settings {
  const file = inProject('local.settings.json');
  if (!existsSync(file)) {
    copyFileSync(inProject('local.settings.json.example'), file);
    console.log('Made local.settings.json from local.settings.json.example: edit it to change a setting.');
  }
  const env: Settings = { ...process.env, ...(storage !== undefined && { AzureWebJobsStorage: storage }) };
  const values = readSettingsFile(file);
  for (const { name, nearest } of unknownSettings(Object.keys(values))) {
    const hint = nearest === undefined ? '' : ` Is ${nearest} meant?`;
    console.warn(`Warning: local.settings.json has ${name}, which is no setting of this app.${hint}`);
  }
  addMissingSettings(env, values);
  addMissingSettings(env, { AZURE_FUNCTIONS_ENVIRONMENT: 'Development' });
  return env;
}

async function buildApp(): Promise<void> {
  try {
    await promisify(execFile)(process.execPath, ['esbuild.config.mjs'], { cwd: project });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
    throw new Error(`The app could not be built:\n${output}`, { cause: error });
  }
}

async function refuseTakenPort(port: number): Promise<void> {
  const server = createServer();
  const isFree = await new Promise<boolean>((resolve) => {
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () => {
      resolve(true);
    });
  });
  server.close();
  if (!isFree) throw new Error(`Port ${port} cannot be used: is the app running already? Choose another with --port.`);
}

async function stopAndExit(exitCode: number): Promise<void> {
  if (isStopping) return;
  isStopping = true;
  while (started.length > 0) await started.pop()?.stop();
  process.exit(exitCode);
}

/**
 * Ctrl-C may arrive twice, from the terminal and from the process that runs this one; a second press comes later.
 * When the parent process is gone (`npm start &` and `kill $!`), there is nobody left to stop this one.
 */
function stopOnSignals(): void {
  let stoppingSince: number | undefined;
  const stop = (): void => {
    if (stoppingSince !== undefined && performance.now() - stoppingSince > 500) process.exit(1);
    if (stoppingSince !== undefined) return;
    stoppingSince = performance.now();
    void stopAndExit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, stop);
  const parents = parentProcesses();
  setInterval(() => {
    if (parentProcesses() !== parents && !isStopping) stop();
  }, 500).unref();
}

/** npm runs a script through a shell, which may outlive npm: then the shell's parent counts too (known on Linux only). */
function parentProcesses(): string {
  const parent = process.ppid;
  if (process.env.npm_lifecycle_event === undefined) return String(parent);
  try {
    const [, grandparent] = /\) \w (\d+) /.exec(readFileSync(`/proc/${parent}/stat`, 'utf8')) ?? [];
    return `${parent} ${grandparent ?? ''}`;
  } catch {
    return String(parent);
  }
}

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new InvalidArgumentError('It must be 0 to 65535.');
  return port;
}

stopOnSignals();
new Command('npm start --')
  .description('Builds the app and runs it on this machine, with a storage and sample data.')
  .option('--port <number>', 'port of 127.0.0.1 to serve on', portNumber, 7071)
  .option('--storage <connection string>', 'storage to use instead of the one local.settings.json names')
  .option('--memory', 'an Azurite started here keeps nothing on disk', false)
  .addOption(
    new Option('--directory <name>', 'where accounts live: the table, or a sample site on Node beside the app')
      .choices(['table', 'node'])
      .default('table'),
  )
  .addOption(
    new Option('--host <name>', 'force a host (default: func if it is on the PATH, else dev)').choices(['dev', 'func']),
  )
  .action((options: StartOptions) =>
    start(options).catch(async (error: unknown) => {
      console.error(error instanceof Error ? error.message : error);
      await stopAndExit(1);
    }),
  )
  .parseAsync()
  .catch(() => process.exit(1));
