// SECURITY.md promises nothing without the test that shows it.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './emittedEvents';

const text = readFileSync(path.join(root, 'SECURITY.md'), 'utf8');
const guarantees = text.slice(text.indexOf('## Guarantees'), text.indexOf('## Out of scope'));
const rows = [...guarantees.matchAll(/^\| ([A-Z][^|]+) \| (`[^|]+`) \|$/gm)].map(([, promise = '', tests = '']) => ({
  promise,
  tests: [...tests.matchAll(/`([^`]+)`/g)].map(([, file = '']) => file),
}));

it('has guarantees', () => {
  expect(rows.length).toBeGreaterThan(10);
  // Every row of the table was understood.
  expect(guarantees.split('\n').filter((line) => line.startsWith('| ')).length).toBe(rows.length + 1);
});

it.each(rows)('shows by a test: $promise', ({ tests }) => {
  expect(tests.length).toBeGreaterThan(0);
  for (const file of tests) {
    expect({ file, exists: existsSync(path.join(root, file)) }).toEqual({ file, exists: true });
    expect(file).toMatch(/^(?:test\/.+\.test\.ts|bench\/timing\.ts)$/);
  }
});

it('says how to report, who is trusted, and what is out of scope', () => {
  const sections = [...text.matchAll(/^## (.+)$/gm)].map(([, section]) => section);
  expect(sections).toEqual([
    'Reporting',
    'What is protected',
    'Who is trusted with what',
    'Guarantees, and the tests that show them',
    'Out of scope',
  ]);
});
