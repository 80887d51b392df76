// `npm run site -- doctor`: every check in turn, each finding with its cure. Changes nothing.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readConfig, sampleSigningSecret, type StorageSettings } from '../../shared/config';
import { withDeadline } from '../../shared/clock';
import { CliError, explain } from '../support/errors';
import { count, printable, printJson } from '../support/output';
import type { CommonOptions, Io } from '../support/program';
import { checkSettings as readAndCheckSettings, cloudStorage, readEnvironment } from '../support/settings';
import { readSettingsFile } from '../support/settingsFile';
import { checkAccounts } from './checkAccounts';
import { checkEmail } from './checkEmail';
import { checkSecrets, checkSettings } from './checkSettings';
import { checkSite } from './checkSite';
import { checkQueues, checkTables } from './checkStorage';
import { fail, type Check, type CheckInput, type Finding } from './finding';

const settingsChecks: Readonly<Record<string, Check>> = { settings: checkSettings, 'signing secrets': checkSecrets };
const storageChecks: Readonly<Record<string, Check>> = {
  tables: checkTables,
  queue: checkQueues,
  'site row': checkSite,
  accounts: checkAccounts,
  email: checkEmail,
};
/** For all calls of one check, in ms. */
const checkMs = 60_000;

/** Runs all checks and prints what they found. @throws CliError if one of them found a fault */
export async function runDoctor(io: Io, options: CommonOptions): Promise<void> {
  const { input, hasStorage } = examine(io, options);
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries({ ...settingsChecks, ...(hasStorage ? storageChecks : {}) })) {
    const signal = AbortSignal.any([io.signal, AbortSignal.timeout(checkMs)]);
    try {
      findings.push(...(await withDeadline(signal, async () => check(input))));
    } catch (error) {
      if (io.signal.aborted) throw error;
      findings.push(fail(name, `This check failed. ${explain(error)}`, 'Fix what is named above, and run it again.'));
    }
  }
  print(io, findings, options.json === true);
  const faults = findings.filter(({ level }) => level === 'fail').length;
  if (faults > 0) throw new CliError(`${count(faults, 'fault')}.`);
}

function examine(io: Io, options: CommonOptions): { input: CheckInput; hasStorage: boolean } {
  const { account, settings: settingsFile = 'local.settings.json' } = options;
  const environment = readEnvironment(io, options);
  const file = path.resolve(io.cwd, settingsFile);
  const storage = account === undefined ? storageAlone(environment) : cloudStorage(account);
  const input = {
    io,
    // With `--account` the settings at hand are this computer's, not the app's: they are not judged.
    settings: account === undefined ? readAndCheckSettings(io, options) : ({ ok: false, problems: [] } as const),
    isElsewhere: account !== undefined,
    fileSettings: existsSync(file) ? readSettingsFile(file) : {},
    storage: io.openStorage(storage ?? nowhere),
    siteId: environment['SITE_ID']?.trim() || '1',
    development: environment['AZURE_FUNCTIONS_ENVIRONMENT'] === 'Development',
  };
  return { input, hasStorage: storage !== undefined };
}

/** The storage settings alone: storage is checked also if other settings are wrong. */
function storageAlone(environment: Readonly<Record<string, string | undefined>>): StorageSettings | undefined {
  const names = Object.entries(environment).filter(([name]) => name.startsWith('AzureWebJobsStorage'));
  const result = readConfig({ ...validSettings, ...Object.fromEntries(names) });
  return result.ok ? result.config.storage : undefined;
}

const validSettings = {
  AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
  CODALAB_SITE_DOMAIN: 'localhost',
  CODALAB_SITE_NAME: 'none',
  DEFAULT_FROM_EMAIL: 'none@localhost',
  SERVER_EMAIL: 'none@localhost',
  RESET_SIGNING_SECRETS: `none:${sampleSigningSecret}`,
};
/** Never called: without storage settings no check of storage runs. */
const nowhere: StorageSettings = {
  kind: 'identity',
  tableServiceUri: 'https://localhost',
  queueServiceUri: 'https://localhost',
  managedIdentity: false,
};

function print(io: Io, findings: readonly Finding[], json: boolean): void {
  if (json) return printJson(io, findings);
  const width = Math.max(...findings.map(({ check }) => check.length));
  for (const { level, check, what, cure } of findings) {
    io.out(`${level.padEnd(4)}  ${check.padEnd(width)}  ${printable(what)}\n`);
    if (cure !== undefined) io.out(`${' '.repeat(width + 8)}→ ${printable(cure)}\n`);
  }
}
