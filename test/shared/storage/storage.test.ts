import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { TableClient } from '@azure/data-tables';
import { withDeadline } from '../../../shared/clock';
import { StorageUnavailable } from '../../../shared/errors';
import { codeOf, createStorageClients, createTableStore, storageCall } from '../../../shared/storage/storage';

// The pauses between tries take no time.
jest.mock('node:timers/promises', () => ({ setTimeout: () => Promise.resolve() }));

const restError = (statusCode?: number, code?: string): Error =>
  Object.assign(new Error('said by the service'), { name: 'RestError', statusCode, code });

/** Makes a call whose tries end one after the other as given. */
async function callWith(...tries: readonly (Error | 'done' | 'hangs')[]) {
  let made = 0;
  const call = (signal: AbortSignal): Promise<string> => {
    const outcome = tries[Math.min(made++, tries.length - 1)];
    if (outcome === 'done') return Promise.resolve('done');
    if (outcome !== 'hangs') return Promise.reject(outcome ?? new Error('no try is left'));
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
  };
  const result = await storageCall('tables', call, (error) => codeOf(error) === 'Expected').catch(
    (error: unknown) => error,
  );
  return { made, result };
}

describe('a storage call', () => {
  /** Every time-out that was set, in ms; each passes as soon as a call waits for it. */
  let timeouts: number[];
  beforeEach(() => {
    timeouts = [];
    const original = setTimeout;
    jest.spyOn(globalThis, 'setTimeout').mockImplementation((run, ms = 0) => {
      timeouts.push(ms);
      return original(run, 1);
    });
  });
  afterEach(() => jest.restoreAllMocks());

  it.each([
    ['500', 500],
    ['429', 429],
    ['connection', undefined],
  ])('is tried three times if the answer is %s', async (code, status) => {
    const { made, result } = await callWith(restError(status));
    expect(made).toBe(3);
    expect(result).toMatchObject({ name: 'StorageUnavailable', part: 'tables', code });
    await expect(callWith(restError(status), restError(status), 'done')).resolves.toMatchObject({ result: 'done' });
  });

  it.each([
    [403, 'AuthenticationFailed'],
    [404, 'TableNotFound'],
  ])('is tried once if the answer is %d', async (status, code) => {
    const { made, result } = await callWith(restError(status, code));
    expect(made).toBe(1);
    expect(result).toMatchObject({ name: 'StorageUnavailable', code });
  });

  it('throws what its caller expects as it is, without another try', async () => {
    const expected = restError(503, 'Expected');
    await expect(callWith(expected)).resolves.toEqual({ made: 1, result: expected });
  });

  it('D13 is cut after 1.5 s per try and tried again, so that one that hangs fits into the 4 s of an answer', async () => {
    const { made, result } = await callWith('hangs', 'done');
    expect([made, result]).toEqual([2, 'done']);
    expect(timeouts).toEqual([1500, 1500]);
    await expect(callWith('hangs')).resolves.toMatchObject({ made: 3, result: { code: 'timeout' } });
  });

  it('has 10 s per try under a command line, which signs in with its first call', async () => {
    const { signal } = new AbortController();
    await withDeadline(signal, () => callWith('hangs', 'done'));
    expect(timeouts).toEqual([10_000, 10_000]);
  });

  it('ends with the deadline of its invocation', async () => {
    const whole = new AbortController();
    const called = withDeadline(whole.signal, () => callWith(restError(503)));
    whole.abort();
    await expect(called).resolves.toMatchObject({ made: 1, result: { name: 'StorageUnavailable' } });
  });

  it('has all its time for itself: the SDK is loaded before it begins', async () => {
    let before: number[] | undefined;
    const store = createTableStore(() => {
      before = [...timeouts];
      return Promise.resolve(new TableClient('http://127.0.0.1:1/none', 'Accounts', { allowInsecureConnection: true }));
    });
    await expect(store.get('partition', 'row')).rejects.toThrow(StorageUnavailable);
    expect(before).toEqual([]);
    expect(timeouts).not.toEqual([]);
  });
});

it('the code of an error is the service’s, also where the tables SDK leaves it in the body', () => {
  const inBody = Object.assign(restError(404), { details: { odataError: { code: 'TableNotFound' } } });
  expect(codeOf(inBody)).toBe('TableNotFound');
  expect(codeOf(new Error('TableNotFound'))).toBeUndefined();
});

it('only storageCall retries: the SDKs make one call each', async () => {
  let calls = 0;
  const server = createServer((request, response) => {
    calls += 1;
    request.resume();
    response.writeHead(503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/name`;
  const connectionString = `DefaultEndpointsProtocol=http;AccountName=name;AccountKey=a2V5;QueueEndpoint=${url};TableEndpoint=${url};EndpointSuffix=core.windows.net`;
  const storage = createStorageClients({ kind: 'connectionString', connectionString });
  try {
    await expect((await storage.queue('any')).getProperties()).rejects.toMatchObject({ statusCode: 503 });
    expect(calls).toBe(1);
    await expect(storage.table('Accounts').get('partition', 'row')).rejects.toMatchObject({ code: '503' });
    expect(calls).toBe(1 + 3);
  } finally {
    server.close().closeAllConnections();
  }
});
