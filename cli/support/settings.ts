// Where a command gets its settings from: the environment, then local.settings.json, which is read as Core Tools do: comments and
// trailing commas are allowed, and the environment wins over the file.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import { closest, distance } from 'fastest-levenshtein';
import { parse, type ParseError, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { parseAddress } from '../../shared/address';
import { readConfig, settingNames, type Config, type ConfigResult, type StorageSettings } from '../../shared/config';
import type { StorageClients } from '../../shared/storage/storage';
import { CliError } from './errors';
import type { Call } from './program';

type SettingsCall = Pick<Call, 'env' | 'cwd' | 'options'>;
/** The environment, or anything shaped like it. */
export type Settings = Record<string, string | undefined>;

/** All variables: the environment's, and those of the settings file that it does not have. */
export function readEnvironment(call: SettingsCall): Settings {
  const environment: Settings = { ...call.env };
  addMissingSettings(environment, readFileSettings(call));
  return environment;
}

/** The `Values` of the settings file; none if it is not there and was not asked for. */
export function readFileSettings({ cwd, options: { settings } }: SettingsCall): Record<string, string> {
  const file = path.resolve(cwd, settings ?? 'local.settings.json');
  if (existsSync(file)) return readSettingsFile(file);
  if (settings !== undefined) throw new CliError(`There is no file ${settings}.`);
  return {};
}

/** All settings checked; with `--account` the storage is that account. */
export function checkSettings(call: SettingsCall): ConfigResult {
  const environment = readEnvironment(call);
  const { account } = call.options;
  if (account === undefined) return readConfig(environment);
  cloudStorage(account); // checks the name
  // In place of whatever storage the settings name, which may be this computer's Azurite.
  const others = Object.entries(environment).filter(([name]) => !name.startsWith('AzureWebJobsStorage'));
  const unused = (kid: string): string => `${kid}:${randomBytes(32).toString('base64')}`;
  return readConfig({
    // The deployment's secrets stay in its Key Vault, and no command needs them.
    RESET_SIGNING_SECRETS: unused('none'),
    MAIL_SEALING_SECRETS: unused('noseal'),
    SERVER_EMAIL: environment['DEFAULT_FROM_EMAIL'],
    ...Object.fromEntries(others),
    AzureWebJobsStorage__accountName: account,
  });
}

/** The settings, or a failure that lists every problem by name. */
export function requireConfig(call: Call): Config {
  const result = checkSettings(call);
  if (result.ok) return result.config;
  const problems = result.problems.join('\n  ');
  const cure = 'Set them in the environment or in local.settings.json (`npm start` makes one).';
  throw new CliError(`These settings are missing or wrong:\n  ${problems}\n${cure}`);
}

export function openStorage(call: Call): StorageClients {
  const { account } = call.options;
  return call.openStorage(account === undefined ? requireConfig(call).storage : cloudStorage(account));
}

/** Are the accounts in the site's own database? With `--account` the settings may not be at hand; the table is assumed then. */
export const siteOwnsAccounts = (call: Call): boolean => readEnvironment(call)['ACCOUNT_DIRECTORY']?.trim() === 'http';

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

/** A file named on the command line; `-` is standard input. */
export async function readInput({ cwd, stdin }: Call, file: string): Promise<Buffer> {
  try {
    return file === '-' ? await buffer(stdin) : await readFile(path.resolve(cwd, file));
  } catch {
    throw new CliError(`There is no file ${file}, or it cannot be read.`);
  }
}

const settingsFileSchema = z.object({
  IsEncrypted: z.literal(false, 'must be false: encrypted settings cannot be read here').optional(),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
});

/**
 * Reads the `Values` of a local.settings.json.
 * @throws CliError naming the file, what is wrong and, for broken JSON, the line; never a value.
 */
export function readSettingsFile(file: string): Record<string, string> {
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  const errors: ParseError[] = [];
  const content: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    const lines = text.slice(0, first.offset).split('\n');
    const place = `${path.basename(file)}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
    throw new CliError(`${place} is not valid JSON: ${printParseErrorCode(first.error)}`);
  }
  const result = settingsFileSchema.safeParse(content);
  if (!result.success) throw new CliError(`${path.basename(file)} cannot be used:\n${z.prettifyError(result.error)}`);
  return result.data.Values;
}

/** Adds settings to an environment, in place. A variable that is already there wins. */
export function addMissingSettings(environment: Settings, settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) environment[name] ??= value;
}

/** Settings of the platform, not of the app. */
const platform =
  /^(?:FUNCTIONS_|AzureWebJobs|AzureFunctions|WEBSITE_|WEBSITES_|APPLICATIONINSIGHTS_|APPINSIGHTS_|NODE_|DEV_|languageWorkers|SCM_)/i;

/** The names that mean nothing to the app, each with the setting that is probably meant. */
export function unknownSettings(names: readonly string[]): { name: string; nearest: string | undefined }[] {
  return names
    .filter((name) => !settingNames.includes(name) && !platform.test(name))
    .map((name) => ({ name, nearest: nearestOf(name.toUpperCase(), settingNames, 3) }));
}

/** The name that is probably meant. */
export function nearestOf(given: string, names: readonly string[], maxDistance: number): string | undefined {
  const nearest = closest(given, names);
  return distance(given, nearest) <= maxDistance ? nearest : undefined;
}
