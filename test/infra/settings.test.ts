// Schema, Bicep, parameters file and example have the same settings. (The README's table is generated.)
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { settingNames } from '../../shared/config';
import { outgoingMailQueueName, poisonQueueName, tableNames } from '../../shared/storage/storage';
import { exampleSettings } from '../support/app';

const read = (name: string): string => readFileSync(path.join(__dirname, '../../infra', name), 'utf8');
const functionApp = read('modules/functionApp.bicep');
const storage = read('modules/storage.bicep');

/** Settings that are not set in Azure, each with its reason. */
const notInAzure: Record<string, string> = {
  AZURE_FUNCTIONS_ENVIRONMENT: 'Azure sets Production itself; Development would allow the sample secret',
  AzureWebJobsStorage: 'a connection string holds an account key, and account keys are switched off',
  AzureWebJobsStorage__tableServiceUri: 'follows from the account name',
  AzureWebJobsStorage__queueServiceUri: 'follows from the account name',
  ALLOW_DEV_EMAIL_BACKEND: 'the console and file backends send nothing',
  EMAIL_FILE_PATH: 'for the file backend',
};
/** What the host reads. */
const ofTheHost = [
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'FUNCTIONS_REQUEST_BODY_SIZE_LIMIT',
  'AzureWebJobsDisableHomepage',
  'AzureFunctionsJobHost__logging__logLevel__default',
  'AzureFunctionsJobHost__logging__logLevel__Function',
];

const keysOf = (text: string): string[] => [...text.matchAll(/^ {2}(\w+): /gm)].map(([, key = '']) => key);
/** The text between `var name = {` and the bracket that ends it. */
const block = (name: string): string =>
  new RegExp(`^var ${name} = \\{\\n([\\s\\S]*?)^\\}`, 'm').exec(functionApp)?.[1] ?? '';
const stringsOf = (name: string): string[] =>
  [...(new RegExp(`^var ${name} = \\[(.*)\\]`, 'm').exec(storage)?.[1] ?? '').matchAll(/'([^']+)'/g)].map(
    ([, item = '']) => item,
  );
const parameters = read('main.bicepparam');
const given = keysOf(parameters);
const secrets = keysOf(block('secretReferences'));
const written = [...secrets, ...keysOf(block('siteSettings')), ...keysOf(block('platformSettings'))];

it('every setting of the schema reaches Azure, or has a reason not to', () => {
  const inAzure = new Set([...given, ...written]);
  expect([...inAzure, ...Object.keys(notInAzure)].sort()).toEqual([...settingNames, ...ofTheHost].sort());
});

it('every parameter is read from the variable of its own name', () => {
  expect(given.length).toBeGreaterThan(20);
  for (const name of given) expect(parameters).toContain(`  ${name}: readEnvironmentVariable('${name}', '')\n`);
});

it('every secret is a reference into the Key Vault, and only that', () => {
  expect([...secrets].sort()).toEqual(settingNames.filter((name) => /SECRETS|API_KEY|HOST_PASSWORD/.test(name)).sort());
  for (const name of secrets) {
    expect(given).not.toContain(name);
    expect(block('secretReferences')).toMatch(new RegExp(`${name}: .*secretUri}${name.replaceAll('_', '-')}\\)`));
  }
});

it('the example has every setting', () => {
  const example = Object.keys(exampleSettings).filter((name) => !/^(?:FUNCTIONS_|AzureFunctionsJobHost__)/.test(name));
  expect(example.sort()).toEqual([...settingNames].sort());
});

it('the tables and queues that the app uses are made', () => {
  expect(stringsOf('tableNames')).toEqual(expect.arrayContaining([...tableNames]));
  expect(stringsOf('queueNames')).toEqual([outgoingMailQueueName, poisonQueueName]);
});

it('no account key works, and no access log keeps the paths of links', () => {
  const all = [functionApp, storage, read('main.bicep'), read('modules/monitoring.bicep'), read('modules/roles.bicep')];
  const code = all.join('\n').replace(/\/\/.*$/gm, '');
  expect(storage).toContain('allowSharedKeyAccess: false');
  expect(code).not.toMatch(/listKeys|listAccountSas|AccountKey=|@secure/);
  expect(code).not.toMatch(/diagnosticSettings|AppServiceHTTPLogs|FunctionAppLogs|httpLogging/i);
});
