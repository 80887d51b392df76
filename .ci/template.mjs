// What infra/ deploys for some azd environments, evaluated by `bicep snapshot` without a cloud. `.ci/bicep` runs it.
// Usage: node .ci/template.mjs BICEP FOLDER (an empty one; the snapshot is written beside the parameters)
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';

const [bicep, folder] = process.argv.slice(2);
for (const name of ['infra', 'docs/kql']) cpSync(name, path.join(folder, name), { recursive: true });

function deploy(variables) {
  const file = path.join(folder, 'infra/main.bicepparam');
  const subscription = '00000000-0000-0000-0000-000000000000';
  execFileSync(bicep, ['snapshot', file, '--subscription-id', subscription, '--location', 'westeurope'], {
    env: { ...process.env, ...variables },
  });
  const { predictedResources } = JSON.parse(readFileSync(path.join(folder, 'infra/main.snapshot.json'), 'utf8'));
  const of = (type) => predictedResources.filter((resource) => resource.type === type);
  const [{ properties: settings }] = of('Microsoft.Web/sites/config');
  const refersTo = Object.keys(settings).filter((name) => settings[name].includes('@Microsoft.KeyVault'));
  return { of, settings, refersTo: refersTo.sort() };
}
const made = ['MAIL_SEALING_SECRETS', 'RESET_SIGNING_SECRETS'];

const plain = deploy({});
assert.deepEqual(plain.refersTo, [...made, 'SENDGRID_API_KEY']);
assert.equal(plain.settings.CODALAB_SITE_NAME, process.env.CODALAB_SITE_NAME);
assert.equal(plain.settings.EMAIL_BACKEND, 'sendgrid');
assert.equal(plain.settings.SERVER_EMAIL, process.env.DEFAULT_FROM_EMAIL);
const frequencies = plain
  .of('Microsoft.Insights/scheduledQueryRules')
  .map((rule) => rule.properties.evaluationFrequency);
assert.deepEqual(frequencies, ['PT15M', 'PT15M']);
assert.deepEqual(plain.of('Microsoft.Insights/webtests'), []);
assert.deepEqual(plain.of('Microsoft.Web/sites/hostNameBindings'), []);
const [account] = plain.of('Microsoft.Storage/storageAccounts');
assert.equal(account.properties.allowSharedKeyAccess, false);
const [log] = plain.of('Microsoft.OperationalInsights/workspaces');
assert.match(JSON.stringify(plain.of('Microsoft.Insights/workbooks')[0]), new RegExp(`workspaces/${log.name}`));

assert.deepEqual(deploy({ EMAIL_BACKEND: 'smtp' }).refersTo, made);
const login = { EMAIL_BACKEND: 'smtp,sendgrid', EMAIL_HOST_USER: 'user' };
assert.deepEqual(deploy(login).refersTo, ['EMAIL_HOST_PASSWORD', ...made, 'SENDGRID_API_KEY']);
const directory = { ACCOUNT_DIRECTORY: 'http', SITE_EVENTS_URL: 'https://example.org/events', EMAIL_BACKEND: 'smtp' };
assert.deepEqual(deploy(directory).refersTo, ['ACCOUNT_DIRECTORY_SECRETS', ...made]);
const events = { SITE_EVENTS_URL: 'https://example.org/events', EMAIL_BACKEND: 'smtp' };
assert.deepEqual(deploy(events).refersTo, [...made, 'SITE_EVENTS_SECRETS']);

const loud = deploy({ HEALTH_TEST_SECONDS: '300', ALERT_MINUTES: '0', CUSTOM_DOMAIN: 'account.example.org' });
assert.deepEqual(loud.of('Microsoft.Insights/scheduledQueryRules'), []);
assert.equal(loud.of('Microsoft.Insights/webtests').length, 1);
const bindings = loud.of('Microsoft.Web/sites/hostNameBindings').map(({ properties }) => properties.sslState);
assert.deepEqual(bindings, ['SniEnabled']);

const twice = deploy({ OPERATOR_PRINCIPAL_IDS: 'AAAA, aaaa,,bbbb', ALERT_EMAILS: 'a@b.org,a@b.org' });
const perOperator = twice.of('Microsoft.Authorization/roleAssignments').length;
assert.equal(perOperator - plain.of('Microsoft.Authorization/roleAssignments').length, 2 * 3);
assert.equal(twice.of('Microsoft.Insights/actionGroups')[0].properties.emailReceivers.length, 1);
