// local.settings.json, as the command lines and `npm start` read it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addMissingSettings, readSettingsFile, unknownSettings } from '../../cli/support/settingsFile';

const directory = mkdtempSync(path.join(os.tmpdir(), 'settings-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function read(text: string): Record<string, string> {
  const file = path.join(directory, 'local.settings.json');
  writeFileSync(file, text);
  return readSettingsFile(file);
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
])('broken JSON is an error with file and line, never a value: %s', (_what, text, place) => {
  expect(() => read(text)).toThrow(place);
  expect(() => read(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
});

test('a wrong value is named, never shown; an encrypted file is refused', () => {
  const text = '{"Values":{"SECRET":["hunter2"]}}';
  expect(() => read(text)).toThrow('SECRET');
  expect(() => read(text)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
  expect(() => read('{"IsEncrypted":true,"Values":{}}')).toThrow('encrypted');
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
