// No setting is forgotten: schema, Bicep, parameters file, example and README agree.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { settingNames } from '../../shared/config';
import { exampleSettings } from '../support/app';
import { blockOf, keysOf, readBicep, root } from './bicep';

/** Settings that Azure has no use for, each with its reason. */
const notInAzure: Record<string, string> = {
  AZURE_FUNCTIONS_ENVIRONMENT: 'Azure says Production by itself; Development would open the sample secret',
  AzureWebJobsStorage: 'a connection string holds an account key, and no account key works',
  AzureWebJobsStorage__tableServiceUri: 'follows from the account name',
  AzureWebJobsStorage__queueServiceUri: 'follows from the account name',
  ALLOW_DEV_EMAIL_BACKEND: 'console and file backends send nothing',
  EMAIL_FILE_PATH: 'of the file backend',
};
/** What the host reads, not the app. */
const ofTheHost = [
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
  'AzureFunctionsJobHost__logging__logLevel__default',
  'AzureFunctionsJobHost__logging__logLevel__Function',
];
/** Parameters of main.bicep that are settings by another name. */
const ownParameters = {
  siteDomain: 'CODALAB_SITE_DOMAIN',
  siteName: 'CODALAB_SITE_NAME',
  defaultFromEmail: 'DEFAULT_FROM_EMAIL',
};

const main = readBicep('main.bicep');
const functionApp = readBicep('modules/functionApp.bicep');
const typed = keysOf(blockOf(main.text, 'AppSettings')).filter((key) => key !== 'description');
const written = ['secretReferences', 'siteSettings', 'platformSettings'].flatMap((name) =>
  keysOf(blockOf(functionApp.text, name)),
);
const parameters = (
  JSON.parse(readFileSync(path.join(root, 'infra/main.parameters.json'), 'utf8')) as {
    parameters: Record<string, { value: unknown }>;
  }
).parameters;

it('every setting of the schema is in Bicep, or has a reason not to be', () => {
  const inBicep = new Set([...typed, ...written]);
  const missing = settingNames.filter((name) => !inBicep.has(name) && notInAzure[name] === undefined);
  expect(missing).toEqual([]);
  for (const name of Object.keys(notInAzure)) {
    expect(settingNames).toContain(name);
    expect([...inBicep]).not.toContain(name);
  }
});

it('Bicep writes no setting that neither the app nor the host reads', () => {
  const unknown = [...typed, ...written].filter((name) => !settingNames.includes(name) && !ofTheHost.includes(name));
  expect(unknown).toEqual([]);
});

it('all of them reach the app: they are merged into one object', () => {
  expect(functionApp.text).toContain('union(settings, siteSettings, platformSettings, secretReferences)');
});

it('the parameters file gives every setting, under its own name, from the azd environment', () => {
  const given = parameters['settings']?.value as Record<string, string>;
  expect(Object.keys(given)).toEqual(typed);
  for (const [name, value] of Object.entries(given)) expect(value).toMatch(new RegExp(`^\\$\\{${name}(?:=[^}]*)?\\}$`));
  for (const [parameter, name] of Object.entries(ownParameters))
    expect(parameters[parameter]?.value).toBe(`\${${name}}`);
});

it('the parameters file gives only parameters that main.bicep has, and all that have no default', () => {
  const declared = main.declarations.filter(({ keyword }) => keyword === 'param');
  expect(declared.map(({ name }) => name)).toEqual(expect.arrayContaining(Object.keys(parameters)));
  const required = declared.filter(({ code }) => !/^ \w+ =/.test(code)).map(({ name }) => name);
  expect(Object.keys(parameters)).toEqual(expect.arrayContaining(required));
});

it('secrets are references into the Key Vault and nothing else', () => {
  const secrets = settingNames.filter((name) => /SECRET|API_KEY|PASSWORD$/.test(name));
  expect(keysOf(blockOf(functionApp.text, 'secretReferences')).sort()).toEqual(secrets.sort());
  for (const secret of secrets) {
    expect(typed).not.toContain(secret);
    expect(functionApp.text).toMatch(
      new RegExp(`${secret}: .*@Microsoft\\.KeyVault\\(SecretUri=.*/${secret.replaceAll('_', '-')}\\)`),
    );
  }
});

it('what Flex Consumption forbids is not set', () => {
  for (const name of ['FUNCTIONS_WORKER_RUNTIME', 'FUNCTIONS_EXTENSION_VERSION', 'WEBSITE_NODE_DEFAULT_VERSION']) {
    expect([...typed, ...written]).not.toContain(name);
  }
});

it('bodies are bounded at 1 MiB, what the webhook may send', () => {
  expect(functionApp.text).toContain("FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: '1048576'");
});

it('the example holds every setting', () => {
  const example = Object.keys(exampleSettings).filter((name) => !/^(?:FUNCTIONS_|AzureFunctionsJobHost__)/.test(name));
  expect(example.sort()).toEqual([...settingNames].sort());
});

it("the README's table holds every setting, once there is a README", () => {
  const file = path.join(root, 'README.md');
  const missing = existsSync(file)
    ? settingNames.filter((name) => !readFileSync(file, 'utf8').includes(`\`${name}\``))
    : [];
  expect(missing).toEqual([]);
});
