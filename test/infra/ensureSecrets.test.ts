// The hook that makes the signing secret: once, never again, and not when the vault does not say for certain that there is none.
import { execFile } from 'node:child_process';
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

interface Run {
  readonly code: number;
  readonly output: string;
}

function run(env: Record<string, string> = {}): Promise<Run> {
  return new Promise((resolve) => {
    const variables = {
      PATH: `${path.join(vault, 'bin')}${path.delimiter}${process.env['PATH'] ?? ''}`,
      FAKE_VAULT: vault,
      AZURE_KEY_VAULT_NAME: 'kv-test',
      ENSURE_SECRETS_RETRY_MS: '1',
      ...env,
    };
    execFile(process.execPath, [hook], { env: variables }, (error, stdout, stderr) => {
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, output: `${stdout}${stderr}` });
    });
  });
}

const calls = (): string[][] =>
  readFileSync(path.join(vault, 'calls'), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as string[]);
const writes = (): string[][] => calls().filter((words) => words[2] === 'set');
const secretFile = (name: string): string => path.join(vault, `secret-${name}`);
const answerFirst = (...errors: string[]): void => writeFileSync(path.join(vault, 'script'), errors.join('\n'));

it('makes a signing secret that the app accepts in production', async () => {
  await expect(run()).resolves.toMatchObject({ code: 0 });
  const value = readFileSync(secretFile('RESET-SIGNING-SECRETS'), 'utf8').trim();
  const production = { AZURE_FUNCTIONS_ENVIRONMENT: 'Production', SITE_PROTOCOL: 'https', LOGIN_URL: '' };
  const email = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.x' };
  const read = readConfig({ ...exampleSettings, ...production, ...email, RESET_SIGNING_SECRETS: value });
  expect(read).toMatchObject({ ok: true });
});

it('leaves it alone when it is there, however often it runs', async () => {
  await run();
  const value = readFileSync(secretFile('RESET-SIGNING-SECRETS'), 'utf8');
  await expect(run()).resolves.toMatchObject({ code: 0, output: expect.stringContaining('stays as it is') });
  await run();
  expect(readFileSync(secretFile('RESET-SIGNING-SECRETS'), 'utf8')).toBe(value);
  expect(writes()).toHaveLength(1);
});

it('waits for a role that has not taken effect yet', async () => {
  answerFirst(forbidden, forbidden);
  await expect(run()).resolves.toMatchObject({ code: 0 });
  expect(writes()).toHaveLength(1);
});

it.each([
  ['a role that never comes', Array.from({ length: 20 }, () => forbidden)],
  ['a vault that is not found', ['(VaultNotFound) The Vault was not found.']],
  ['an expired sign-in', ["AADSTS70043: The refresh token has expired. Run 'az login'."]],
  ['a time-out', ['HTTPSConnectionPool: Read timed out.']],
])('writes nothing after %s, and fails', async (_what, errors) => {
  answerFirst(...errors);
  const { code, output } = await run();
  expect(code).toBe(1);
  expect(output).toContain('nothing was written');
  expect(writes()).toEqual([]);
});

it('puts the value into no argument and no output, and leaves no file of it behind', async () => {
  const { output } = await run();
  const value = readFileSync(secretFile('RESET-SIGNING-SECRETS'), 'utf8').trim();
  const [, base64 = ''] = value.split(':');
  expect(base64.length).toBeGreaterThan(40);
  expect(JSON.stringify(calls())).not.toContain(base64);
  expect(output).not.toContain(base64);
  const [words = []] = writes();
  expect(existsSync(words[words.indexOf('--file') + 1] ?? '')).toBe(false);
});

it('never asks for the value of a secret', async () => {
  await run();
  for (const words of calls().filter(([command]) => command === 'keyvault')) {
    expect(words.slice(words.indexOf('--query'), words.indexOf('--query') + 2)).toEqual(['--query', 'id']);
  }
});

it.each([
  ['sendgrid', ['SENDGRID-API-KEY']],
  ['smtp', ['EMAIL-HOST-PASSWORD']],
  ['sendgrid,smtp', ['SENDGRID-API-KEY', 'EMAIL-HOST-PASSWORD']],
])(
  'with EMAIL_BACKEND=%s tells which provider secrets are missing, and makes none up',
  async (EMAIL_BACKEND, missing) => {
    const { code, output } = await run({ EMAIL_BACKEND });
    expect(code).toBe(0);
    for (const name of ['SENDGRID-API-KEY', 'EMAIL-HOST-PASSWORD']) {
      expect(output.includes(`${name} is missing`)).toBe(missing.includes(name));
      expect(existsSync(secretFile(name))).toBe(false);
    }
  },
);

it('makes the app read its references anew', async () => {
  await run({ AZURE_FUNCTION_APP_NAME: 'func-x', AZURE_RESOURCE_GROUP: 'rg-x' });
  const rest = calls().find(([command]) => command === 'rest') ?? [];
  expect(rest.join(' ')).toContain(
    '/resourceGroups/rg-x/providers/Microsoft.Web/sites/func-x/config/configreferences/',
  );
});

it('says so when azd did not call it', async () => {
  const { code, output } = await run({ AZURE_KEY_VAULT_NAME: '' });
  expect(code).toBe(1);
  expect(output).toContain('AZURE_KEY_VAULT_NAME is not set');
});
