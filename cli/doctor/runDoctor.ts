// `npm run site -- doctor`: every check in turn, each finding with its cure. Looks and changes nothing.
import { existsSync } from 'node:fs';
import path from 'node:path';
import { readConfig, sampleSigningSecret, type StorageSettings } from '../../shared/config';
import { createStorageClients } from '../../shared/services';
import { CliError, explain } from '../support/errors';
import type { Io } from '../support/io';
import { count, printable, printJson } from '../support/output';
import type { CommonOptions } from '../support/program';
import { checkSettings as readAndCheckSettings, cloudStorage, readEnvironment } from '../support/settings';
import { readSettingsFile } from '../support/settingsFile';
import { checkAccounts } from './checkAccounts';
import { checkClock } from './checkClock';
import { checkEmail } from './checkEmail';
import { checkLimits } from './checkLimits';
import { checkQueues } from './checkQueues';
import { checkSecrets } from './checkSecrets';
import { checkSettings } from './checkSettings';
import { checkSite } from './checkSite';
import { checkTables } from './checkTables';
import { checkWorkspace, createAskWorkspace, workspaceToken } from './checkWorkspace';
import { fail, type Check, type Finding, type Patient } from './finding';

const settingsChecks: Readonly<Record<string, Check>> = { settings: checkSettings, 'signing secrets': checkSecrets };
const storageChecks: Readonly<Record<string, Check>> = {
  tables: checkTables,
  queue: checkQueues,
  clock: checkClock,
  'site row': checkSite,
  accounts: checkAccounts,
  'client addresses': checkLimits,
  email: checkEmail,
};

/** `--workspace`: the id of a Log Analytics workspace to be searched for links. */
export interface DoctorOptions extends CommonOptions {
  readonly workspace?: string;
}

const workspaceCheck = (workspaceId: string): Readonly<Record<string, Check>> => ({
  workspace: () => checkWorkspace(createAskWorkspace(logAnalytics, workspaceId, workspaceToken)),
});
const logAnalytics = 'https://api.loganalytics.azure.com';

/** Runs all checks and prints what they found. @throws CliError when one of them found a fault */
export async function runDoctor(io: Io, options: DoctorOptions): Promise<void> {
  const { patient, hasStorage } = await examine(io, options);
  const findings: Finding[] = [];
  const checks: Readonly<Record<string, Check>> = {
    ...settingsChecks,
    ...(hasStorage && storageChecks),
    ...(options.workspace !== undefined && workspaceCheck(options.workspace)),
  };
  for (const [name, check] of Object.entries(checks)) {
    try {
      findings.push(...(await check(patient)));
    } catch (error) {
      findings.push(
        fail(name, `This could not be checked. ${explain(error)}`, 'Mend what is named above, and ask again.'),
      );
    }
  }
  print(io, findings, options.json === true);
  const faults = findings.filter(({ level }) => level === 'fail').length;
  if (faults > 0) throw new CliError(`${count(faults, 'fault')}.`);
}

async function examine(io: Io, options: CommonOptions): Promise<{ patient: Patient; hasStorage: boolean }> {
  const environment = readEnvironment(io, options);
  const file = path.resolve(io.cwd, options.settings ?? 'local.settings.json');
  const storage = options.account === undefined ? storageAlone(environment) : cloudStorage(options.account);
  const patient = {
    io,
    // With `--account` the settings at hand are this computer's, not the app's: they are not judged.
    settings:
      options.account === undefined ? readAndCheckSettings(io, options) : ({ ok: false, problems: [] } as const),
    isElsewhere: options.account !== undefined,
    fileSettings: existsSync(file) ? readSettingsFile(file) : {},
    storage: await createStorageClients(storage ?? nowhere),
    siteId: environment['SITE_ID']?.trim() || '1',
    development: environment['AZURE_FUNCTIONS_ENVIRONMENT'] === 'Development',
  };
  return { patient, hasStorage: storage !== undefined };
}

/** The storage settings alone: other settings may be wrong, and storage shall be looked at nonetheless. */
function storageAlone(environment: Readonly<Record<string, string | undefined>>): StorageSettings | undefined {
  const names = Object.entries(environment).filter(([name]) => name.startsWith('AzureWebJobsStorage'));
  const result = readConfig({ ...goodSettings, ...Object.fromEntries(names) });
  return result.ok ? result.config.storage : undefined;
}

const goodSettings = {
  AZURE_FUNCTIONS_ENVIRONMENT: 'Development',
  CODALAB_SITE_DOMAIN: 'localhost',
  CODALAB_SITE_NAME: 'none',
  DEFAULT_FROM_EMAIL: 'none@localhost',
  SERVER_EMAIL: 'none@localhost',
  RESET_SIGNING_SECRETS: `none:${sampleSigningSecret}`,
};
/** Never asked: without storage settings no check of storage runs. */
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
