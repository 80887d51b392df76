// `npm start`: builds the app, sees to a storage, and runs the app under Azure Functions Core Tools or the dev host.
// For development only. Everything it starts, it stops.
import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { Command, InvalidArgumentError, Option } from 'commander';
import { addMissingSettings, readSettingsFile, type Settings, unknownSettings } from '../cli/support/settings';
import { type Config, readConfig } from '../shared/config';
import { builtInLanguages, findLocale } from '../shared/locales';
import { createStorageClients } from '../shared/storage/storage';
import { portAnswers } from './azurite';
import { type AppHost, findCoreTools, startCoreTools } from './coreTools';
import { startHostProcess } from './host/hostProcess';
import { startHttpServer } from './host/httpServer';
import { mailboxRoutes, useMailboxDirectory } from './mailbox/mailboxRoutes';
import { samplePassword, seedSampleAccounts, startSampleSite } from './samples';
import { ensureStorage, localPorts } from './storage';

interface StartOptions {
  port: number;
  storage?: string;
  memory: boolean;
  host?: 'dev' | 'func';
  directory: 'table' | 'node';
}

const project = path.join(__dirname, '..');

/** What to undo at the end, latest first. */
const started: { stop: () => Promise<unknown> }[] = [];
let isStopping = false;

async function start(options: StartOptions): Promise<void> {
  if (await portAnswers(options.port)) {
    throw new Error(`Port ${options.port} is taken: is the app running already? Choose another with --port.`);
  }
  const env = developmentSettings(options);
  const [coreTools] = await Promise.all([
    options.host === 'dev' ? undefined : findCoreTools(),
    promisify(execFile)(process.execPath, ['esbuild.config.mjs'], { cwd: project }),
    startWhatTheAppUses(env, options),
  ]);
  if (options.host === 'func' && coreTools === undefined) {
    throw new Error('Azure Functions Core Tools v4 (`func`) are not on the PATH.');
  }
  await addSampleAccounts(checkedConfig(env));
  const running = coreTools === undefined ? runDevHost(options, env) : runCoreTools(coreTools, options.port, env);
  const host = await running;
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
    const site = await startSampleSite(port);
    started.push({ stop: () => Promise.resolve(site.close()) });
    Object.assign(env, site.settings);
    console.log(`Site: ${site.url}/ has accounts of its own: log in as someuser, password "${samplePassword}".`);
  }
  if (env.AzureWebJobsStorage === undefined) return; // storage by identity
  const storage = await ensureStorage(env.AzureWebJobsStorage, memory);
  started.unshift(storage);
  env.AzureWebJobsStorage = storage.connectionString;
}

/** @throws Error that lists every problem by name. */
function checkedConfig(env: Settings): Config {
  const read = readConfig(env);
  if (!read.ok)
    throw new Error(['The settings are not good:', ...read.problems.map((problem) => `  ${problem}`)].join('\n'));
  const { locale } = read.config.siteDefaults;
  if (findLocale(locale) === undefined) {
    const known = [...builtInLanguages.keys()].join(', ');
    console.warn(`Warning: there are no texts for SITE_LOCALE ${locale}, so all is in English. Known: ${known}.`);
  }
  return read.config;
}

/** In development and on this machine's own storage only. */
async function addSampleAccounts({ development, storage, directory }: Config): Promise<void> {
  const isLocal = storage.kind === 'connectionString' && localPorts(storage.connectionString).length > 0;
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
    appFile: path.join(project, 'dist/main.js'),
    hostJsonFile: path.join(project, 'host.json'),
    port,
    env,
    onLine: console.log,
  });
  console.log(`Mailbox: ${running.url}/dev/mailbox`);
  if (!env.DEV_FUNCTION_KEY) console.log(`Function key: ${running.functionKey} (set DEV_FUNCTION_KEY to choose one).`);
  return running;
}

async function runCoreTools(version: string, port: number, env: Settings): Promise<AppHost> {
  console.log(`Host: Azure Functions Core Tools ${version} (found on the PATH; --host dev for the dev host).`);
  const directory = useMailboxDirectory(env);
  const host = await startCoreTools(project, port, env);
  const endpoints = mailboxRoutes(directory, host.url);
  const serve = (at: number) => startHttpServer({ endpoints, port: at });
  const mailbox = await serve(port + 1).catch(() => serve(0));
  console.log(`Mailbox: http://127.0.0.1:${mailbox.port}/dev/mailbox`);
  return host;
}

/** The environment for the app: variables already set, then `--storage`, then local.settings.json. */
function developmentSettings({ storage }: StartOptions): Settings {
  const file = path.join(project, 'local.settings.json');
  if (!existsSync(file)) {
    copyFileSync(`${file}.example`, file);
    console.log('Made local.settings.json from local.settings.json.example: edit it to change a setting.');
  }
  const env: Settings = { ...process.env, ...(storage !== undefined && { AzureWebJobsStorage: storage }) };
  const values = readSettingsFile(file);
  for (const { name, nearest } of unknownSettings(Object.keys(values))) {
    const hint = nearest === undefined ? '' : ` Is ${nearest} meant?`;
    console.warn(`Warning: local.settings.json has ${name}, which is no setting of this app.${hint}`);
  }
  addMissingSettings(env, { AZURE_FUNCTIONS_ENVIRONMENT: 'Development', ...values });
  return env;
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
