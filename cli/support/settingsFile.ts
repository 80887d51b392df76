// Reads local.settings.json as Core Tools do: comments and trailing commas are allowed, and the environment wins over the file.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { closest, distance } from 'fastest-levenshtein';
import { parse, type ParseError, printParseErrorCode } from 'jsonc-parser';
import { z } from 'zod';
import { settingNames } from '../../shared/config';

/** The environment, or anything shaped like it. */
export type Settings = Record<string, string | undefined>;

const settingsFileSchema = z.object({
  IsEncrypted: z.literal(false, 'must be false: encrypted settings cannot be read here').optional(),
  Values: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String)).default({}),
});

/**
 * Reads the `Values` of a local.settings.json.
 * @returns the settings as strings.
 * @throws Error naming the file, what is wrong and, for broken JSON, the line; never a value.
 */
export function readSettingsFile(file: string): Record<string, string> {
  const text = readFileSync(file, 'utf8').replace(/^\uFEFF/, '');
  const errors: ParseError[] = [];
  const content: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first) {
    const lines = text.slice(0, first.offset).split('\n');
    const place = `${path.basename(file)}:${lines.length}:${(lines.at(-1)?.length ?? 0) + 1}`;
    throw new Error(`${place} is not valid JSON: ${printParseErrorCode(first.error)}`);
  }
  const result = settingsFileSchema.safeParse(content);
  if (!result.success) throw new Error(`${path.basename(file)} cannot be used:\n${z.prettifyError(result.error)}`);
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
    .map((name) => {
      const nearest = closest(name.toUpperCase(), settingNames);
      return { name, nearest: distance(name.toUpperCase(), nearest) <= 3 ? nearest : undefined };
    });
}
