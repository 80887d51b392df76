// host.json as the dev host reads it.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { readHostJson } from '../../dev/host/hostJson';

const directory = mkdtempSync(path.join(os.tmpdir(), 'host-json-'));
afterAll(() => {
  rmSync(directory, { recursive: true });
});

function read(content: unknown): ReturnType<typeof readHostJson> {
  const file = path.join(directory, 'host.json');
  writeFileSync(file, JSON.stringify(content));
  return readHostJson(file);
}

test('without settings the real host’s defaults hold', () => {
  const { routePrefix, queues } = read({ version: '2.0' });
  expect(routePrefix).toBe('api');
  expect(queues).toMatchObject({
    batchSize: 16,
    maxDequeueCount: 5,
    visibilityTimeoutMs: 0,
    maxPollingIntervalMs: 60_000,
    messageEncoding: 'base64',
  });
});

test('the project’s own host.json can be read', () => {
  expect(readHostJson(path.join(__dirname, '../../host.json'))).toEqual({
    routePrefix: '',
    queues: {
      batchSize: 16,
      newBatchThreshold: 8,
      maxDequeueCount: 10,
      visibilityTimeoutMs: 60_000,
      maxPollingIntervalMs: 2000,
      messageEncoding: 'base64',
    },
  });
});

test.each([
  ['00:00:30', 30_000],
  ['01:02:03', 3_723_000],
  ['1.00:00:00', 86_400_000],
  ['00:00:00.250', 250],
])('the time span %s is %d ms', (visibilityTimeout, ms) => {
  expect(read({ version: '2.0', extensions: { queues: { visibilityTimeout } } }).queues.visibilityTimeoutMs).toBe(ms);
});

test.each([
  [{ version: '1.0' }, 'version'],
  [{ version: '2.0', extensions: { queues: { batchSize: 33 } } }, 'batchSize'],
  [{ version: '2.0', extensions: { queues: { maxPollingInterval: 'soon' } } }, 'maxPollingInterval'],
  [{ version: '2.0', extensions: { queues: { messageEncoding: 'rot13' } } }, 'messageEncoding'],
])('%j is refused, naming %s', (content, name) => {
  expect(() => read(content)).toThrow(name);
});
