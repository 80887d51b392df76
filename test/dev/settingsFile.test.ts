// local.settings.json, and bindings that name a setting.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { addMissingSettings, readSettingsFile, resolveConnection, resolveSettings } from '../../dev/host/settingsFile';

const directory = mkdtempSync(path.join(os.tmpdir(), 'settings-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function read(content: unknown): Record<string, string> {
  const file = path.join(directory, 'local.settings.json');
  writeFileSync(file, JSON.stringify(content));
  return readSettingsFile(file);
}

test('values become strings', () => {
  expect(read({ IsEncrypted: false, Values: { A: 'text', B: 1, C: true } })).toEqual({ A: 'text', B: '1', C: 'true' });
});

test('an encrypted file is refused', () => {
  expect(() => read({ IsEncrypted: true, Values: {} })).toThrow('encrypted');
});

test('a wrong value is named, never shown', () => {
  const content = { Values: { SECRET: ['hunter2'] } };
  expect(() => read(content)).toThrow('SECRET');
  expect(() => read(content)).toThrow(expect.objectContaining({ message: expect.not.stringContaining('hunter2') }));
});

test('a variable already set wins, even an empty one', () => {
  const environment = { SET: 'environment', EMPTY: '' };
  addMissingSettings(environment, { SET: 'file', EMPTY: 'file', NEW: 'file' });
  expect(environment).toEqual({ SET: 'environment', EMPTY: '', NEW: 'file' });
});

test('%NAME% in a binding is that setting; a missing one is an error', () => {
  expect(resolveSettings('a-%ONE%-%TWO%', { ONE: '1', TWO: '2' })).toBe('a-1-2');
  expect(() => resolveSettings('%ONE%', {})).toThrow('ONE');
});

test('a connection is looked for with the prefix AzureWebJobs first', () => {
  expect(resolveConnection('Storage', { AzureWebJobsStorage: 'prefixed', Storage: 'plain' })).toBe('prefixed');
  expect(resolveConnection('Mine', { Mine: 'plain' })).toBe('plain');
  expect(() => resolveConnection('Mine', {})).toThrow('Mine');
});
