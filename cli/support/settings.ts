// Where a command gets its settings from: the environment, then local.settings.json, as `npm start` does.
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { parseAddress } from '../../shared/address';
import { readConfig, type Config, type ConfigResult, type StorageSettings } from '../../shared/config';
import type { StorageClients } from '../../shared/storage/storageClients';
import { CliError } from './errors';
import type { CommonOptions, Io } from './program';
import { addMissingSettings, readSettingsFile, type Settings } from './settingsFile';

type SettingsIo = Pick<Io, 'env' | 'cwd'>;

/** All variables: the environment's, and those of the settings file that it does not have. */
export function readEnvironment(io: SettingsIo, { settings }: CommonOptions): Settings {
  const environment: Settings = { ...io.env };
  const file = path.resolve(io.cwd, settings ?? 'local.settings.json');
  if (settings !== undefined && !existsSync(file)) throw new CliError(`There is no file ${settings}.`);
  if (!existsSync(file)) return environment;
  try {
    addMissingSettings(environment, readSettingsFile(file));
  } catch (error) {
    throw new CliError(error instanceof Error ? error.message : String(error));
  }
  return environment;
}

/** All settings checked; with `--account` the storage is that account. */
export function checkSettings(io: SettingsIo, options: CommonOptions): ConfigResult {
  const environment = readEnvironment(io, options);
  if (options.account === undefined) return readConfig(environment);
  cloudStorage(options.account); // checks the name
  // In place of whatever storage the settings name, which may be this computer's Azurite.
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('AzureWebJobsStorage'));
  const unused = (kid: string): string => `${kid}:${randomBytes(32).toString('base64')}`;
  return readConfig({
    // The deployment's secrets stay in its Key Vault, and no command needs them.
    RESET_SIGNING_SECRETS: unused('none'),
    MAIL_SEALING_SECRETS: unused('noseal'),
    SERVER_EMAIL: environment['DEFAULT_FROM_EMAIL'],
    ...Object.fromEntries(others),
    AzureWebJobsStorage__accountName: options.account,
  });
}

/** The settings, or a failure that lists every problem by name. */
export function requireConfig(io: Io, options: CommonOptions): Config {
  const result = checkSettings(io, options);
  if (result.ok) return result.config;
  const problems = ['These settings are missing or wrong:', ...result.problems].join('\n  ');
  throw new CliError(`${problems}\nSet them in the environment or in local.settings.json (\`npm start\` makes one).`);
}

/** The storage clients; with `--account` no other setting is needed. */
export function openStorage(io: Io, options: CommonOptions): StorageClients {
  const { account } = options;
  return io.openStorage(account === undefined ? requireConfig(io, options).storage : cloudStorage(account));
}

/** Are the accounts in the site's own database? With `--account` the settings may not be at hand; the table is assumed then. */
export const siteOwnsAccounts = (io: Io, options: CommonOptions): boolean =>
  readEnvironment(io, options)['ACCOUNT_DIRECTORY']?.trim() === 'http';

/** @throws CliError if that is no account name */
export function cloudStorage(account: string): StorageSettings {
  if (!/^[a-z0-9]{3,24}$/.test(account)) {
    throw new CliError('--account takes the name of a storage account: 3–24 lower-case letters and digits.', 2);
  }
  return {
    kind: 'identity',
    tableServiceUri: `https://${account}.table.core.windows.net`,
    queueServiceUri: `https://${account}.queue.core.windows.net`,
    managedIdentity: false,
  };
}

/** An argument that is an address, trimmed. @throws CliError if it is none */
export function requireAddress(text: string): string {
  const address = parseAddress(text);
  if (address === undefined)
    throw new CliError('That is not a plain e-mail address such as someuser@somewhere.com.', 2);
  return address;
}
