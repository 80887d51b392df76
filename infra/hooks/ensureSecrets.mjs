// Run by azd after provisioning: makes the signing secret in the Key Vault if there is none. It never overwrites one: whoever
// replaces it kills every link in every mailbox, and every mail in the queue waits for a secret that is gone.
// Not in Bicep, since a template writes its secrets at every deployment and its only randomness is a GUID, and because the value
// would stand in the deployment's history. Needs the Azure CLI, signed in. The value appears in no argument and no output.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const vault = required('AZURE_KEY_VAULT_NAME');
const backend = process.env['EMAIL_BACKEND'] || 'sendgrid';
/** A new role takes effect after some minutes. */
const tries = 20;
const retryMs = Number(process.env['ENSURE_SECRETS_RETRY_MS'] ?? 15_000);
const windows = process.platform === 'win32';

function required(name) {
  const value = process.env[name];
  if (!value) fail(`${name} is not set: run this through azd, or export the output of \`azd env get-values\`.`);
  return value;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const say = (message) => process.stdout.write(`${message}\n`);

async function az(...words) {
  try {
    const { stdout } = await promisify(execFile)('az', [...words, '--only-show-errors', '--output', 'tsv'], {
      shell: windows,
    });
    return { ok: true, text: stdout.trim() };
  } catch (error) {
    if (error.code === 'ENOENT') fail('The Azure CLI (`az`) is not on the PATH: install it and run `az login`.');
    return { ok: false, text: String(error.stderr ?? error.message) };
  }
}

/** True or false when the vault says so for certain; anything else ends the script, so that no doubt ever writes a secret. */
async function exists(name) {
  for (let attempt = 1; ; attempt++) {
    // Only the id is asked for: the value stays in the vault.
    const shown = await az('keyvault', 'secret', 'show', '--vault-name', vault, '--name', name, '--query', 'id');
    if (shown.ok) return true;
    if (/SecretNotFound/.test(shown.text)) return false;
    if (attempt >= tries || !/Forbidden|ForbiddenByRbac/.test(shown.text)) {
      fail(`The Key Vault ${vault} does not say whether ${name} exists, so nothing was written:\n${shown.text}`);
    }
    say(`Waiting for the role on the Key Vault to take effect (${attempt} of ${tries}) …`);
    await wait(retryMs);
  }
}

async function create(name, value) {
  const folder = mkdtempSync(path.join(tmpdir(), 'secret-'));
  try {
    const file = path.join(folder, 'value');
    writeFileSync(file, value, { mode: 0o600 });
    const where = ['--vault-name', vault, '--name', name];
    const set = await az('keyvault', 'secret', 'set', ...where, '--file', file, '--encoding', 'utf-8', '--query', 'id');
    if (!set.ok) fail(`${name} was not written:\n${set.text}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** The secret's name within the list: the day, so that a later one gets another (1–8 characters, shared/config.ts). */
const kidOf = (day) => `k${day.toISOString().slice(2, 10).replaceAll('-', '')}`;

if (await exists('RESET-SIGNING-SECRETS')) {
  say('RESET-SIGNING-SECRETS exists and stays as it is.');
} else {
  await create('RESET-SIGNING-SECRETS', `${kidOf(new Date())}:${randomBytes(32).toString('base64')}`);
  say('RESET-SIGNING-SECRETS was made.');
}

const wanted = [
  ...(backend.includes('sendgrid') ? ['SENDGRID-API-KEY'] : []),
  ...(backend.includes('smtp') ? ['EMAIL-HOST-PASSWORD'] : []),
];
for (const name of wanted) {
  if (await exists(name)) continue;
  say(`${name} is missing: no mail goes out before it is there. Put it into a file, then:`);
  say(`  az keyvault secret set --vault-name ${vault} --name ${name} --file FILE --encoding utf-8`);
  say('and run this again with `azd hooks run postprovision`.');
}

const app = process.env['AZURE_FUNCTION_APP_NAME'];
const group = process.env['AZURE_RESOURCE_GROUP'];
if (app && group) {
  // Otherwise the app may go on for a day with what it read before.
  const url = `/subscriptions/{subscriptionId}/resourceGroups/${group}/providers/Microsoft.Web/sites/${app}`;
  const refreshed = await az(
    'rest',
    '--method',
    'post',
    '--url',
    `${url}/config/configreferences/appsettings/refresh?api-version=2022-03-01`,
  );
  if (!refreshed.ok)
    say(`The app's Key Vault references were not refreshed; restarting the app does it too:\n${refreshed.text}`);
}
