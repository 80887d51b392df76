// integrations/django in a real Django: its own tests, and the contract over HTTP on a threaded server with a database file.
// Needs a Python with Django, allauth and argon2 (Debian: python3-django, python3-django-allauth, python3-argon2).
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { addressHashOf } from '../../shared/address';
import type { PasswordChange } from '../../shared/directory/accountDirectory';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { hashPassword } from '../../shared/password/passwordHash';
import { accountDirectoryContract, type SeedAccount } from '../shared/directory/accountDirectory.contract';

const cwd = path.join(__dirname, '../../integrations/django');
const secret = `whsec_${Buffer.alloc(32, 5).toString('base64')}`;
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import django, allauth, argon2']).status === 0,
);
const describeDjango = python === undefined ? describe.skip : describe;

const stops: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(stops.map((stop) => stop())));

/** Serves the test site of integrations/django on a database of its own. */
async function startDjango(passwordFormat: 'encoded' | 'plain') {
  const directoryPath = mkdtempSync(path.join(tmpdir(), 'django-'));
  const env = {
    ...process.env,
    DJANGO_SETTINGS_MODULE: 'tests.settings',
    DATABASE: path.join(directoryPath, 'site.sqlite3'),
    SECRETS: secret,
    PASSWORD: passwordFormat,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const server = spawn(python ?? '', ['-m', 'tests.site'], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
  stops.push(async () => {
    server.kill();
    if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
    rmSync(directoryPath, { recursive: true });
  });
  const lines = createInterface({ input: server.stdout })[Symbol.asyncIterator]();
  const { value: port, done } = await lines.next();
  if (done === true) throw new Error(`Django did not start: ${log}`);
  const url = `http://127.0.0.1:${port}`;
  const post = async (call: string, body: unknown) => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}/test/${call}`, { method: 'POST', headers, body: JSON.stringify(body) });
    if (answer.status >= 500) throw new Error(`${call}: ${answer.status}\n${log}`);
    return answer;
  };
  return {
    passwordFormat,
    directory: createHttpDirectory(
      { url: `${url}/password-reset`, secrets: [secret], passwordFormat, timeoutMs: 20_000 },
      () => undefined,
    ),
    seed: async (accounts: readonly SeedAccount[]) => {
      await post('seed', accounts);
    },
    /** @returns the session's cookie, or undefined if the password is wrong */
    logIn: async (username: string, password: string) =>
      (await post('log-in', { username, password })).headers
        .getSetCookie()
        .find((each) => each.startsWith('sessionid='))
        ?.split(';')[0],
    me: async (cookie = '') => (await fetch(`${url}/test/me`, { headers: { cookie } })).text(),
  };
}

describeDjango('a Django site', () => {
  accountDirectoryContract('Django, with hashes', () => startDjango('encoded'));
  accountDirectoryContract('Django, with plain passwords', () => startDjango('plain'));

  it.each(['encoded', 'plain'] as const)(
    'after a redemption takes the new password, not the old, and open sessions are out (%s)',
    async (passwordFormat) => {
      const { directory, seed, logIn, me } = await startDjango(passwordFormat);
      const [old, now] = ['the old horse battery', 'the new horse battery'];
      const ada = { id: '1', email: 'ada@example.org', username: 'ada', isActive: true };
      await seed([{ ...ada, password: await hashPassword(old, 'pbkdf2_sha256') }]);
      await logIn('ada', old); // Django hashes the password anew if the cost differs from its own
      const account = await directory.get(addressHashOf(ada.email), '1');
      if (!account) throw new Error('no account');
      const session = await logIn('ada', old);
      expect(await me(session)).toBe('ada');
      const password = passwordFormat === 'plain' ? now : await hashPassword(now, 'argon2id');
      const change: PasswordChange = { ...account, password, resetKeyId: 'k', at: new Date() };
      expect(await directory.setPassword(account, change)).toEqual({ outcome: 'changed' });
      expect(await me(session)).toBe('');
      expect(await logIn('ada', old)).toBeUndefined();
      expect(await me(await logIn('ada', now))).toBe('ada');
    },
  );

  it('says that it cannot verify a hash when it has no such hasher', async () => {
    const { directory, seed } = await startDjango('encoded');
    await seed([{ id: '1', email: 'ada@example.org', username: 'ada', password: 'x', isActive: true }]);
    const account = await directory.get('', '1');
    if (!account) throw new Error('no account');
    const change: PasswordChange = { ...account, password: 'bcrypt9$x', resetKeyId: 'k', at: new Date() };
    await expect(directory.setPassword(account, change)).rejects.toMatchObject({ code: 'unsupported_hash' });
  });

  it.each([
    ['its own tests', ['--settings', 'tests.settings']],
    ['those with a custom user model', ['tests.custom_user', '--settings', 'tests.settings_custom']],
  ])('passes %s', (_, tests) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const args = ['-m', 'django', 'test', '--pythonpath', '.', ...tests];
    const { status, stderr } = spawnSync(python ?? '', args, { cwd, env, encoding: 'utf8' });
    expect(`${stderr}${status}`).toMatch(/Ran [1-9]\d* tests[^]*OK[^]*0$/);
  });
});
