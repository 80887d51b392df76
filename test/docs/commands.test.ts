// Whoever follows the documents finds every command: npm scripts, the subcommands of our command lines, settings and files.
import { execFile } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { settingNames } from '../../shared/config';
import { documentedEvents } from './eventsTable';
import { root } from './emittedEvents';

const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const documents = ['README.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/README.md']
  .concat(readdirSync(path.join(root, 'docs')).map((name) => `docs/${name}`))
  .filter((name) => name.endsWith('.md') && existsSync(path.join(root, name)))
  .map((name) => [name, read(name)] as const);
const scripts = (JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts;
const parameters = read('infra/main.parameters.json');

/** `npm run NAME -- COMMAND`: [NAME, COMMAND] of every mention. */
const mentions = (text: string): [string, string | undefined][] =>
  [...text.matchAll(/\bnpm run ([\w:-]+)(?: -- ([a-z][\w-]*))?/g)].map(([, name = '', command]) => [name, command]);

describe.each(documents)('%s', (_name, text) => {
  it('mentions only npm scripts that exist', () => {
    const missing = mentions(text).filter(([name]) => scripts[name] === undefined);
    expect([...new Set(missing.map(([name]) => name))]).toEqual([]);
  });

  it('mentions only files that exist', () => {
    const files = [...text.matchAll(/`((?:shared|functions|infra|docs|bench|dev|test|cli)\/[\w./-]+\.\w+)`/g)];
    const missing = files.map(([, file = '']) => file).filter((file) => !existsSync(path.join(root, file)));
    expect(missing).toEqual([]);
  });

  it('sets only azd variables that something reads', () => {
    for (const [, name = ''] of text.matchAll(/azd env set (\w+)/g)) expect(parameters).toContain(`\${${name}`);
  });
});

it('every subcommand in the documents is a command of its command line', async () => {
  const used = new Map<string, Set<string>>();
  for (const [, text] of documents) {
    for (const [name, command] of mentions(text)) {
      if (command === undefined || !existsSync(path.join(root, `cli/${name}.ts`))) continue;
      used.set(name, (used.get(name) ?? new Set()).add(command));
    }
  }
  expect([...used.keys()]).toEqual(expect.arrayContaining(['accounts', 'outbox']));
  for (const [name, commands] of used) {
    const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', `cli/${name}.ts`, '--help'], {
      cwd: root,
    });
    const known = [...stdout.matchAll(/^ {2}([a-z][\w-]*)/gm)].map(([, command]) => command);
    for (const command of commands) expect(known).toContain(command);
  }
}, 60_000);

describe('docs/operations.md', () => {
  const text = read('docs/operations.md');

  it('refers only to sections that it has', () => {
    const sections = [...text.matchAll(/^## (.+)$/gm)].map(([, section = '']) => section);
    const alarms = text.slice(text.indexOf('## Alarms'), text.indexOf('## Cost'));
    const referred = [...alarms.matchAll(/\| \*([^*]+)\* \|$/gm)].map(([, section = '']) => section);
    expect(referred.length).toBeGreaterThan(6);
    for (const section of referred) expect(sections).toContain(section);
  });

  it('has every alert of the infrastructure, and no other', () => {
    const bicep = read('infra/modules/alerts.bicep');
    const made = [...bicep.matchAll(/^ {4}name: '(\w+)'$/gm)].map(([, name = '']) => name);
    const told = [...text.matchAll(/^\| `([\w-]+)` \| \d+ min/gm)].map(([, name = '']) => name);
    expect(made.length).toBeGreaterThan(5);
    expect(told.sort()).toEqual([...made, 'password-reset-unavailable'].sort());
  });

  it('names only settings and events that exist', () => {
    const events = documentedEvents();
    const known = new Set([...settingNames, ...events.keys()]);
    for (const [, name = ''] of text.matchAll(/`([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)`/g)) {
      expect(known.has(name) || parameters.includes(`\${${name}`)).toBe(true);
    }
    for (const [, name = ''] of text.matchAll(/\bevents? `(\w+)`/g)) expect([...events.keys()]).toContain(name);
  });

  it('adds up', () => {
    const sum = (header: string): number[] => {
      const table = text.slice(text.indexOf(header)).split('\n\n')[0] ?? '';
      return [...table.matchAll(/\| (\d+(?:\.\d+)?) \|$/gm)].map(([, amount]) => Number(amount));
    };
    const perThousand = sum('| per 1,000 resets');
    expect(perThousand.length).toBeGreaterThan(4);
    expect(perThousand.reduce((total, amount) => total + amount, 0)).toBeCloseTo(1.3, 1);
    expect(text).toContain('**1.30**');
  });
});
