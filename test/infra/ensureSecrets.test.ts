// The hook that makes the secrets: once, never again, and only if the vault says for certain that there is none.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readConfig } from '../../shared/config';
import { exampleSettings } from '../support/app';

const hook = path.join(__dirname, '../../infra/hooks/ensureSecrets.mjs');
const forbidden = '(Forbidden) Caller is not authorized to perform action on resource. Code: ForbiddenByRbac';
let vault: string;

beforeEach(() => {
  vault = mkdtempSync(path.join(tmpdir(), 'fake-vault-'));
  mkdirSync(path.join(vault, 'bin'));
  symlinkSync(path.join(__dirname, 'fixtures/az.cjs'), path.join(vault, 'bin/az'));
});
afterEach(() => {
  rmSync(vault, { recursive: true });
});

function run(env: Record<string, string> = {}, ...args: string[]) {
  const variables = {
    PATH: `${path.join(vault, 'bin')}${path.delimiter}${process.env['PATH'] ?? ''}`,
    FAKE_VAULT: vault,
    AZURE_KEY_VAULT_NAME: 'kv-test',
    AZURE_SUBSCRIPTION_ID: 'sub-of-azd',
    ENSURE_SECRETS_RETRY_MS: '1',
    ...env,
  };
  const { status, stdout, stderr } = spawnSync(process.execPath, [hook, ...args], { env: variables, encoding: 'utf8' });
  return { code: status, output: stdout + stderr };
}

const calls = (): string[][] =>
  readFileSync(path.join(vault, 'calls'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as string[]);
const writes = (): string[][] => calls().filter((words) => words[2] === 'set');
const secretFile = (name: string): string => path.join(vault, `secret-${name}`);
const made = ['RESET-SIGNING-SECRETS', 'MAIL-SEALING-SECRETS'];
const answerFirst = (...errors: string[]): void => writeFileSync(path.join(vault, 'script'), errors.join('\n'));

it('makes a signing and a sealing secret that the app accepts in production', () => {
  expect(run()).toMatchObject({ code: 0 });
  const [RESET_SIGNING_SECRETS = '', MAIL_SEALING_SECRETS = ''] = made.map((name) =>
    readFileSync(secretFile(name), 'utf8').trim(),
  );
  expect(RESET_SIGNING_SECRETS).not.toBe(MAIL_SEALING_SECRETS);
  const production = { AZURE_FUNCTIONS_ENVIRONMENT: 'Production', SITE_PROTOCOL: 'https', LOGIN_URL: '' };
  const email = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.x' };
  const secrets = { RESET_SIGNING_SECRETS, MAIL_SEALING_SECRETS };
  const read = readConfig({ ...exampleSettings, ...production, ...email, ...secrets });
  expect(read).toMatchObject({ ok: true });
});

it('leaves them alone if they exist, however often it runs', () => {
  run();
  const values = made.map((name) => readFileSync(secretFile(name), 'utf8'));
  expect(run()).toMatchObject({ code: 0, output: expect.stringContaining('left as it is') });
  run();
  expect(made.map((name) => readFileSync(secretFile(name), 'utf8'))).toEqual(values);
  expect(writes()).toHaveLength(2);
});

it('waits for a role that has not taken effect yet', () => {
  answerFirst(forbidden, forbidden);
  expect(run()).toMatchObject({ code: 0 });
  expect(writes()).toHaveLength(2);
});

it.each([
  ['a role that never comes', Array.from({ length: 20 }, () => forbidden)],
  ['a vault that is not found', ['(VaultNotFound) The Vault was not found.']],
  ['an expired sign-in', ["AADSTS70043: The refresh token has expired. Run 'az login'."]],
  ['a time-out', ['HTTPSConnectionPool: Read timed out.']],
])('writes nothing after %s, and fails', (_what, errors) => {
  answerFirst(...errors);
  const { code, output } = run();
  expect(code).toBe(1);
  expect(output).toContain('nothing was written');
  expect(writes()).toEqual([]);
});

it('puts no value into an argument or the output, and leaves no file of it behind', () => {
  const { output } = run();
  for (const name of made) {
    const [, base64 = ''] = readFileSync(secretFile(name), 'utf8').trim().split(':');
    expect(base64.length).toBeGreaterThan(40);
    expect(JSON.stringify(calls())).not.toContain(base64);
    expect(output).not.toContain(base64);
  }
  for (const words of writes()) expect(existsSync(words[words.indexOf('--file') + 1] ?? '')).toBe(false);
});

it('asks for the id of a secret, never its value, in the subscription of azd', () => {
  run();
  for (const words of calls()) {
    const option = (name: string): string | undefined => words[words.indexOf(name) + 1];
    expect([option('--query'), option('--subscription')]).toEqual(['id', 'sub-of-azd']);
  }
});

it.each([
  [{ EMAIL_BACKEND: 'sendgrid' }, ['SENDGRID-API-KEY']],
  [{ EMAIL_BACKEND: 'smtp', EMAIL_HOST_USER: 'user' }, ['EMAIL-HOST-PASSWORD']],
  [{ EMAIL_BACKEND: 'smtp' }, []],
  [{ EMAIL_BACKEND: 'sendgrid,smtp', EMAIL_HOST_USER: 'user' }, ['SENDGRID-API-KEY', 'EMAIL-HOST-PASSWORD']],
  [{ ACCOUNT_DIRECTORY: 'http' }, ['SENDGRID-API-KEY', 'ACCOUNT-DIRECTORY-SECRETS']],
  [{ SITE_EVENTS_URL: 'https://x.org' }, ['SENDGRID-API-KEY', 'SITE-EVENTS-SECRETS']],
])('with %j names the missing secrets of others, and makes none up', (settings, missing) => {
  const { code, output } = run(settings);
  expect(code).toBe(0);
  expect([...output.matchAll(/^(\S+) is missing/gm)].map(([, name]) => name)).toEqual(missing);
  for (const name of missing) expect(existsSync(secretFile(name))).toBe(false);
});

it('with --missing only prints their names', () => {
  expect(run({}, '--missing')).toEqual({ code: 0, output: 'SENDGRID-API-KEY\n' });
  expect(writes()).toEqual([]);
});

it('makes the app read its references again', () => {
  run({ AZURE_FUNCTION_APP_NAME: 'func-x', AZURE_RESOURCE_GROUP: 'rg-x' });
  const rest = calls().find(([command]) => command === 'rest') ?? [];
  expect(rest.join(' ')).toContain(
    '/subscriptions/sub-of-azd/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x/config/configreferences/',
  );
});

it('says so if azd did not call it', () => {
  const { code, output } = run({ AZURE_KEY_VAULT_NAME: '' });
  expect(code).toBe(1);
  expect(output).toContain('AZURE_KEY_VAULT_NAME is not set');
});
