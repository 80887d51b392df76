// Where a command gets its settings from, and local.settings.json, as `npm start` reads it too.
import path from 'node:path';
import type { Io } from '../../cli/support/program';
import { addMissingSettings, checkSettings, readSettingsFile, unknownSettings } from '../../cli/support/settings';
import { workFolder } from './runCli';

const folder = workFolder();
const emptyFolder = workFolder();

function read(text: string): Record<string, string> {
  folder.write('local.settings.json', text);
  return readSettingsFile(path.join(folder.path, 'local.settings.json'));
}

test('values become strings; comments, a trailing comma and a byte order mark are allowed', () => {
  const text = '\uFEFF{ "IsEncrypted": false, "Values": { "A": "text", /* one */ "B": 1, "C": true, } } // end';
  expect(read(text)).toEqual({ A: 'text', B: '1', C: 'true' });
});

test.each([
  ['a missing comma', '{\n  "Values": {\n    "SECRET": "hunter2"\n    "B": 1\n  }\n}', 'local.settings.json:4:5 '],
  ['a missing end', '{\n  "Values": {\n    "SECRET": "hunter2"', 'local.settings.json:3:24 '],
  ['a value without quotes', '{\n  "Values": { "SECRET": hunter2 }\n}', 'local.settings.json:2:25 '],
  ['an empty file', '', 'local.settings.json:1:1 '],
  ['a wrong value', '{"Values":{"SECRET":["hunter2"]}}', 'SECRET'],
  ['encrypted values', '{"IsEncrypted":true,"Values":{}}', 'encrypted'],
])('a bad file is an error that says where, never with a value: %s', (_what, text, place) => {
  expect(() => read(text)).toThrow(place);
  expect(() => read(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
});

test('a variable already set wins, even an empty one', () => {
  const environment = { SET: 'environment', EMPTY: '' };
  addMissingSettings(environment, { SET: 'file', EMPTY: 'file', NEW: 'file' });
  expect(environment).toEqual({ SET: 'environment', EMPTY: '', NEW: 'file' });
});

test('a name that is no setting is reported, with the one that is meant if any is near', () => {
  expect(unknownSettings(['EMAIL_HOST', 'FUNCTIONS_WORKER_RUNTIME', 'EMAIL_BAKCEND', 'FAVOURITE_COLOUR'])).toEqual([
    { name: 'EMAIL_BAKCEND', nearest: 'EMAIL_BACKEND' },
    { name: 'FAVOURITE_COLOUR', nearest: undefined },
  ]);
});

describe('with --account', () => {
  const check = (env: Io['env'], options: object) => checkSettings({ env, cwd: emptyFolder.path, options });
  const azd = {
    ...{ CODALAB_SITE_DOMAIN: 'codalab.org', CODALAB_SITE_NAME: 'CodaLab', DEFAULT_FROM_EMAIL: 'info@codalab.org' },
    ...{ EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.test' },
  };

  it('storage is that account by identity, whatever storage the settings name', () => {
    const checked = check({ ...azd, AzureWebJobsStorage: 'UseDevelopmentStorage=true' }, { account: 'codalabstore' });
    const services = { kind: 'identity', tableServiceUri: 'https://codalabstore.table.core.windows.net' };
    expect(checked).toMatchObject({ ok: true, config: { storage: services } });
  });

  it('the secrets and SERVER_EMAIL are not needed: the azd environment does not have them', () => {
    expect(check(azd, { account: 'codalabstore' })).toMatchObject({ ok: true });
    expect(check(azd, {})).toMatchObject({ ok: false });
  });
});
