// Run by azd after provisioning: makes the signing and the sealing secrets in the Key Vault if they are missing, and names the
// secrets that only an operator has. It never overwrites one: a replaced signing secret kills every link in every mailbox.
// Not in Bicep, whose only randomness is a GUID and whose values are kept in the deployment's history. Needs the Azure CLI,
// signed in. No value is in an argument or in the output. With `--missing` it only prints the names of missing secrets.
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';

const vault = required('AZURE_KEY_VAULT_NAME');
// azd's subscription; the default one of `az` may be another.
const subscription = required('AZURE_SUBSCRIPTION_ID');
const { EMAIL_BACKEND, EMAIL_HOST_USER, ACCOUNT_DIRECTORY, SITE_EVENTS_URL } = process.env;
const backends = EMAIL_BACKEND || 'sendgrid';
// The same conditions as in modules/functionApp.bicep.
const fromOperator = Object.entries({
  'SENDGRID-API-KEY': backends.includes('sendgrid'),
  'EMAIL-HOST-PASSWORD': backends.includes('smtp') && Boolean(EMAIL_HOST_USER),
  'ACCOUNT-DIRECTORY-SECRETS': ACCOUNT_DIRECTORY === 'http',
  'SITE-EVENTS-SECRETS': Boolean(SITE_EVENTS_URL) && ACCOUNT_DIRECTORY !== 'http',
})
  .filter(([, used]) => used)
  .map(([name]) => name);
/** A new role takes effect after some minutes. */
const maxAttempts = 20;
const retryMs = Number(process.env.ENSURE_SECRETS_RETRY_MS ?? 15_000);

function required(name) {
  const value = process.env[name];
  if (!value) fail(`${name} is not set: run this through azd, or export the output of \`azd env get-values\`.`);
  return value;
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

const print = (message) => process.stdout.write(`${message}\n`);

async function az(...words) {
  const where = words[0] === 'keyvault' ? ['--vault-name', vault, '--subscription', subscription] : [];
  const args = [...words, ...where, '--only-show-errors', '--output', 'tsv'];
  try {
    const { stdout } = await promisify(execFile)('az', args, { shell: process.platform === 'win32' });
    return { ok: true, text: stdout.trim() };
  } catch (error) {
    if (error.code === 'ENOENT') fail('The Azure CLI (`az`) is not on the PATH: install it and run `az login`.');
    return { ok: false, text: String(error.stderr ?? error.message) };
  }
}

/** True or false if the vault says so for certain; anything else ends the script, so that no secret is written in doubt. */
async function exists(name) {
  for (let attempt = 1; ; attempt++) {
    // Only the id is asked for: the value stays in the vault.
    const shown = await az('keyvault', 'secret', 'show', '--name', name, '--query', 'id');
    if (shown.ok) return true;
    if (/SecretNotFound/.test(shown.text)) return false;
    if (attempt >= maxAttempts || !/Forbidden|ForbiddenByRbac/.test(shown.text)) {
      fail(`The Key Vault ${vault} does not say whether ${name} exists, so nothing was written:\n${shown.text}`);
    }
    process.stderr.write(`Waiting for the role on the Key Vault to take effect (${attempt} of ${maxAttempts}) …\n`);
    await wait(retryMs);
  }
}

async function create(name, value) {
  const folder = mkdtempSync(path.join(tmpdir(), 'secret-'));
  try {
    const file = path.join(folder, 'value');
    writeFileSync(file, value, { mode: 0o600 });
    const source = ['--file', file, '--encoding', 'utf-8'];
    const set = await az('keyvault', 'secret', 'set', '--name', name, ...source, '--query', 'id');
    if (!set.ok) fail(`${name} was not written:\n${set.text}`);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

async function missing() {
  const names = [];
  for (const name of fromOperator) if (!(await exists(name))) names.push(name);
  return names;
}

/** A kid (1–8 characters) by kind and day: a later secret gets another one, and an instance that lacks one sees that it does. */
const kidOf = (name, day) =>
  `${name === 'MAIL-SEALING-SECRETS' ? 'm' : 'k'}${day.toISOString().slice(2, 10).replaceAll('-', '')}`;

async function ensure() {
  for (const name of ['RESET-SIGNING-SECRETS', 'MAIL-SEALING-SECRETS']) {
    if (await exists(name)) {
      print(`${name} exists and is left as it is.`);
    } else {
      await create(name, `${kidOf(name, new Date())}:${randomBytes(32).toString('base64')}`);
      print(`${name} was made.`);
    }
  }
  for (const name of await missing()) {
    print(`${name} is missing, and the app does not start without it. Write it into a file, then:`);
    print(`  az keyvault secret set --vault-name ${vault} --name ${name} --file FILE --encoding utf-8`);
    print('and run `azd hooks run postprovision`.');
  }
  const { AZURE_FUNCTION_APP_NAME: app, AZURE_RESOURCE_GROUP: group } = process.env;
  if (!app || !group) return;
  // Otherwise the app may keep the values it read before for a day.
  const site = `/subscriptions/${subscription}/resourceGroups/${group}/providers/Microsoft.Web/sites/${app}`;
  const url = `${site}/config/configreferences/appsettings/refresh?api-version=2022-03-01`;
  const refreshed = await az('rest', '--method', 'post', '--url', url);
  if (!refreshed.ok)
    print(`The app's Key Vault references were not refreshed; a restart does it too:\n${refreshed.text}`);
}

if (process.argv.includes('--missing')) print((await missing()).join(' '));
else await ensure();
