// `npm run site -- doctor`: every check in turn, each finding with its cure. Changes nothing.
import type { ConfigResult } from '../../shared/config';
import { withDeadline } from '../../shared/clock';
import { StorageUnavailable } from '../../shared/errors';
import { CliError, explain } from '../support/errors';
import { count, print, printable } from '../support/output';
import type { Call } from '../support/program';
import {
  checkSettings as readAndCheckSettings,
  cloudStorage,
  readEnvironment,
  readFileSettings,
} from '../support/settings';
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

export async function runDoctor(call: Call): Promise<void> {
  const { input, hasStorage } = examine(call);
  const findings: Finding[] = [];
  for (const [name, check] of Object.entries({ ...settingsChecks, ...(hasStorage ? storageChecks : {}) })) {
    const signal = AbortSignal.any([call.signal, AbortSignal.timeout(60_000)]);
    try {
      findings.push(...(await withDeadline(signal, async () => check(input))));
    } catch (error) {
      if (call.signal.aborted) throw error;
      if (error instanceof StorageUnavailable && storageFailed(findings)) continue;
      findings.push(fail(name, `This check failed. ${explain(error)}`, 'Fix what is named above, and run it again.'));
    }
  }
  const width = Math.max(...findings.map(({ check }) => check.length));
  const lines = findings.map(({ level, check, what, cure }) => {
    const cureLine = cure === undefined ? '' : `${' '.repeat(width + 8)}→ ${printable(cure)}\n`;
    return `${level.padEnd(4)}  ${check.padEnd(width)}  ${printable(what)}\n${cureLine}`;
  });
  print(call, findings, lines.join(''));
  const faults = findings.filter(({ level }) => level === 'fail').length;
  if (faults > 0) throw new CliError(`${count(faults, 'fault')}.`);
}

/** The checks of a table's content have nothing to add then. */
const storageFailed = (findings: readonly Finding[]): boolean =>
  findings.some(({ check, level }) => check === 'tables' && level === 'fail');

function examine(call: Call): { input: CheckInput; hasStorage: boolean } {
  const { account } = call.options;
  const environment = readEnvironment(call);
  // With `--account` the settings at hand are this computer's, not the app's: they are not judged.
  const settings = account === undefined ? readAndCheckSettings(call) : elsewhere(account);
  const storage = settings.ok ? settings.config.storage : settings.storage;
  const input = {
    clock: call.clock,
    settings,
    isElsewhere: account !== undefined,
    fileSettings: readFileSettings(call),
    storage: call.openStorage(storage ?? cloudStorage('nowhere')), // never called: no check of storage runs then
    siteId: environment['SITE_ID']?.trim() || '1',
    development: environment['AZURE_FUNCTIONS_ENVIRONMENT'] === 'Development',
  };
  return { input, hasStorage: storage !== undefined };
}

const elsewhere = (account: string): ConfigResult => ({ ok: false, problems: [], storage: cloudStorage(account) });
