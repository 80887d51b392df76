// integrations/django in a real Django, a threaded server with a database file: its own tests, the contract over HTTP, and the story on the
// running app. Needs a Python with Django, allauth and argon2 (Debian: python3-django, python3-django-allauth, python3-argon2).
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { accountDirectoryContract, type SeedAccount } from '../shared/directory/accountDirectory.contract';
import { siteSecret } from '../support/directorySite';
import { directoryStory } from '../support/directoryStory';

const djangoApp = path.join(__dirname, '../../integrations/django');
/** Without one the suites are skipped. */
const python = ['python3', '/usr/bin/python3'].find(
  (each) => spawnSync(each, ['-c', 'import django, allauth, argon2']).status === 0,
);
const describeDjango = python === undefined ? describe.skip : describe;

/** Serves the site on a database of its own. */
async function startDjango(passwordFormat: 'encoded' | 'plain') {
  const directoryPath = mkdtempSync(path.join(tmpdir(), 'django-'));
  const env = {
    ...process.env,
    DJANGO_SETTINGS_MODULE: 'tests.settings',
    DATABASE: path.join(directoryPath, 'site.sqlite3'),
    SECRETS: siteSecret,
    PASSWORD: passwordFormat,
    PYTHONDONTWRITEBYTECODE: '1',
  };
  const server = spawn(python ?? '', ['-m', 'tests.site'], { cwd: djangoApp, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let log = '';
  server.stderr.on('data', (chunk: Buffer) => (log += chunk.toString()));
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
  const calls = `${url}/password-reset`;
  return {
    url: calls,
    passwordFormat,
    directory: createHttpDirectory(
      { url: calls, secrets: [siteSecret], passwordFormat, timeoutMs: 20_000 },
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
    /** @returns who is logged in, or an empty text */
    me: async (cookie = '') => (await fetch(`${url}/test/me`, { headers: { cookie } })).text(),
    close: async () => {
      server.kill();
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit');
      rmSync(directoryPath, { recursive: true });
    },
  };
}

const closers: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closers.map((close) => close())));
const open = async (passwordFormat: 'encoded' | 'plain') => {
  const site = await startDjango(passwordFormat);
  closers.push(site.close);
  return site;
};

describeDjango('a Django site', () => {
  accountDirectoryContract('Django, with hashes', () => open('encoded'));
  accountDirectoryContract('Django, with plain passwords', () => open('plain'));
  directoryStory('Django', startDjango);

  it.each([
    ['its own tests', ['--settings', 'tests.settings']],
    ['those with a custom user model', ['tests.custom_user', '--settings', 'tests.settings_custom']],
  ])('passes %s', (_, tests) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const args = ['-m', 'django', 'test', '--pythonpath', '.', ...tests];
    const { status, stderr } = spawnSync(python ?? '', args, { cwd: djangoApp, env, encoding: 'utf8' });
    expect(`${stderr}${status}`).toMatch(/Ran [1-9]\d* tests[^]*OK[^]*0$/);
  });
});
