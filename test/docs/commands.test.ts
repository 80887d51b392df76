// The commands, files, settings and events that the documents name exist.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { appEvents } from '../../docs/generate';
import { settingNames } from '../../shared/config';

const root = path.join(__dirname, '../..');
const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/README.md']
  .concat(readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`))
  .filter((name) => name.endsWith('.md'))
  .map((name) => [name, read(name)] as const);
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
const azdVariables = [...read('infra/main.bicepparam').matchAll(/readEnvironmentVariable\('(\w+)'/g)].map(
  ([, name = '']) => name,
);
const alerts = read('docs/kql/alertUrgent.kql') + read('docs/kql/alertAttention.kql');

/** `npm run NAME -- COMMAND`: [NAME, COMMAND] of every mention. */
const mentions = (text: string): [string, string | undefined][] =>
  [...text.matchAll(/\bnpm run ([\w:-]+)(?: -- ([a-z][\w-]*))?/g)].map(([, name = '', command]) => [name, command]);

it.each(documents)('%s names only scripts, files and azd variables that exist', (_name, text) => {
  expect(mentions(text).filter(([name]) => scripts[name] === undefined)).toEqual([]);
  const files = [...text.matchAll(/`((?:shared|functions|infra|docs|bench|dev|test|cli)\/[\w./-]+\.\w+)`/g)];
  expect(files.filter(([, file = '']) => !existsSync(path.join(root, file)))).toEqual([]);
  const set = [...text.matchAll(/azd env set (\w+)/g)].map(([, name = '']) => name);
  expect(set.filter((name) => !azdVariables.includes(name))).toEqual([]);
});

it('every subcommand in the documents is a command of its command line', async () => {
  const used = documents
    .flatMap(([, text]) => mentions(text))
    .filter(([name, command]) => command !== undefined && scripts[name]?.startsWith('tsx cli/main.ts') === true);
  expect(used).not.toEqual([]);
  for (const name of new Set(used.map(([script]) => script))) {
    const args = ['--import', 'tsx', 'cli/main.ts', name, '--help'];
    const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root });
    const known = [...stdout.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, command]) => command);
    const commands = used.filter(([script]) => script === name).map(([, command]) => command);
    expect(known).toEqual(expect.arrayContaining([...new Set(commands)]));
  }
}, 60_000);

it('docs/operations.md names only settings, events and alerts that exist', () => {
  const text = read('docs/operations.md');
  const named = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name);
  const settings = named(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g);
  expect(settings.filter((name) => !settingNames.includes(name) && !azdVariables.includes(name))).toEqual([]);
  const events = new Set(appEvents().map(({ name }) => name));
  expect(named(/\bevents? `(\w+)`/g).filter((name) => !events.has(name))).toEqual([]);
  const listed = named(/^\| `(\w+)` \| (?:urgent|attention) /gm);
  expect(listed.length).toBeGreaterThan(5);
  expect(listed.filter((name) => !alerts.includes(`"${name}"`))).toEqual([]);
});
