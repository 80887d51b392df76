// Reads local.settings.json, and resolves what names a setting: `%NAME%` in a binding, and a binding's connection.
import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** The environment, or anything shaped like it. */
export type Settings = Record<string, string | undefined>;

const settingsFileSchema = z.object({
  IsEncrypted: z.literal(false, 'must be false: this host cannot read encrypted settings').optional(),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
});

/**
 * Reads the `Values` of a local.settings.json.
 * @param file its path.
 * @returns the settings as strings.
 * @throws Error naming the file and what is wrong; never a value.
 */
export function readSettingsFile(file: string): Record<string, string> {
  const result = settingsFileSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!result.success) throw new Error(`${file} cannot be used:\n${z.prettifyError(result.error)}`);
  return result.data.Values;
}

/**
 * Adds settings to an environment. A variable that is already there wins, as with Azure Functions Core Tools.
 * @param environment is changed in place.
 * @param settings what to add.
 */
export function addMissingSettings(environment: Settings, settings: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(settings)) environment[name] ??= value;
}

/**
 * Replaces each `%NAME%` in a binding's text by that setting.
 * @throws Error when the setting is missing or empty.
 */
export function resolveSettings(text: string, settings: Settings): string {
  return text.replace(/%([^%]+)%/g, (_, name: string) => {
    const value = settings[name];
    if (!value) throw new Error(`the setting ${name}, which a binding names, is missing`);
    return value;
  });
}

/**
 * The connection string of a binding's `connection`; like the real host it looks for `AzureWebJobs<name>` first.
 * @throws Error when there is none. Identity-based connections (`<name>__accountName`) are not for a dev host.
 */
export function resolveConnection(name: string, settings: Settings): string {
  const connectionString = settings[`AzureWebJobs${name}`] ?? settings[name];
  if (!connectionString) throw new Error(`the connection string ${name} is missing`);
  return connectionString;
}
