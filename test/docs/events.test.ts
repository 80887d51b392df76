// docs/events.md says exactly what the code emits, and every query uses only what is in it.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { emittedEvents, root } from './emittedEvents';
import { documentedEvents } from './eventsTable';

const documented = documentedEvents();
const emitted = emittedEvents();

describe('docs/events.md', () => {
  it('has every event of the code, and no other', () => {
    expect([...documented.keys()].sort()).toEqual([...emitted.keys()].sort());
  });

  it.each([...emitted])('tells the fields and the levels of %s', (name, { fields, levels, moreLevels }) => {
    const row = documented.get(name);
    expect([...(row?.fields ?? [])].sort()).toEqual(
      [...fields].filter((field) => field !== 'event' && field !== 'level').sort(),
    );
    for (const level of levels) expect(row?.levels).toContain(level);
    if (!moreLevels) expect(row?.levels).toHaveLength(levels.size);
    for (const level of row?.levels ?? []) expect(['info', 'warn', 'error']).toContain(level);
    expect(row?.when.length).toBeGreaterThan(20);
  });

  it('has no event or field that could hold personal data', () => {
    const names = [...documented].flatMap(([, { fields }]) => fields);
    for (const name of names)
      expect(name).not.toMatch(/^(?:key|link|links|url|path|email|address|to_?address|password|ip)$/i);
  });
});

const folder = path.join(root, 'docs/kql');
const queries = readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), 'utf8')] as const);
const columns = /\be(?:\.(\w+)|\["(\w+)"\])/g;

describe('the query', () => {
  it.each(queries)('%s says in its first line what it is for', (_file, text) => {
    expect(text).toMatch(/^\/\/ .{30,}/);
  });

  it.each(queries)('%s uses only events and fields of docs/events.md', (file, text) => {
    const code = text.replace(/\/\/.*$/gm, '');
    const strings = [...code.matchAll(/"([^"]*)"/g)].map(([, string = '']) => string);
    const events = strings.filter((string) => documented.has(string));
    const fields = [...code.matchAll(columns)].map(([, dotted, quoted]) => dotted ?? quoted ?? '');
    if (file !== 'alertLinkInLog.kql') {
      expect(fields).toContain('event');
      if (file !== 'oneMail.kql') expect(events).not.toEqual([]);
    }
    const known = new Set(
      (events.length === 0 ? [...documented.keys()] : events).flatMap((event) => documented.get(event)?.fields ?? []),
    );
    for (const field of fields) if (field !== 'event' && field !== 'level') expect([...known]).toContain(field);
    // What is compared with `event` must be one.
    for (const [, list = ''] of code.matchAll(/\bevent\)? (?:==|in) (\([^)]*\)|"\w+")/g)) {
      for (const [, name = ''] of list.matchAll(/"(\w+)"/g)) expect([...documented.keys()]).toContain(name);
    }
  });

  it.each(queries)('%s has balanced brackets', (_file, text) => {
    const code = text.replace(/\/\/.*$/gm, '').replace(/"(?:[^"\\]|\\.)*"/g, '""');
    for (const [open, close] of [
      ['(', ')'],
      ['[', ']'],
      ['{', '}'],
    ] as const) {
      expect(code.split(open).length).toBe(code.split(close).length);
    }
  });
});

describe('the workbook', () => {
  interface Item {
    readonly name: string;
    readonly content: { readonly query?: string };
  }
  const workbook = JSON.parse(readFileSync(path.join(root, 'infra/workbook.json'), 'utf8')) as { items: Item[] };

  it('asks exactly the queries of docs/kql', () => {
    const asked = workbook.items.filter(({ content }) => content.query !== undefined);
    expect(asked.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['funnel', 'failures', 'queueAge', 'latency']),
    );
    for (const { name, content } of asked) {
      expect(content.query).toBe(readFileSync(path.join(folder, `${name}.kql`), 'utf8').trimEnd());
    }
  });
});
