// What Azurite cannot show: access by a token and by a shared access signature. (Account keys: contracts.test.ts.)
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createPutMessage } from '../../../shared/storage/putMessage';

const seen: { url: string | undefined; headers: IncomingHttpHeaders }[] = [];
let refusal: string | undefined;
const server = createServer((request, response) => {
  seen.push({ url: request.url, headers: request.headers });
  response.writeHead(refusal === undefined ? 201 : 403, refusal === undefined ? {} : { 'x-ms-error-code': refusal });
  response.end();
});
beforeAll(() => new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve)));
afterAll(() => server.close());
beforeEach(() => {
  seen.length = 0;
  refusal = undefined;
});

const endpoint = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
const noCredential = () => Promise.reject(new Error('no credential is asked for'));
const signal = new AbortController().signal;

it('sends a token of the identity, and asks for another one five minutes before it expires', async () => {
  const lives = [60 * 60_000, 4 * 60_000, 60 * 60_000];
  let asked = 0;
  const getToken = (scope: string | string[]) =>
    Promise.resolve({ token: `${String(scope)} ${asked}`, expiresOnTimestamp: Date.now() + (lives[asked++] ?? 0) });
  const settings = { kind: 'identity', queueServiceUri: `${endpoint()}/`, tableServiceUri: '', managedIdentity: true };
  const put = await createPutMessage({ ...settings, kind: 'identity' }, () => Promise.resolve({ getToken }));
  for (let time = 0; time < 2; time++) await put('outgoing-mail', 'eA==', 0, signal);
  expect(asked).toBe(1);
  expect(seen[0]?.headers['authorization']).toBe('Bearer https://storage.azure.com/.default 0');
  expect(seen[0]?.url).toBe('/outgoing-mail/messages?messagettl=-1&visibilitytimeout=0');
  jest.useFakeTimers({ now: Date.now() + 56 * 60_000, doNotFake: ['setTimeout', 'setImmediate', 'nextTick'] });
  for (let time = 0; time < 2; time++) await put('outgoing-mail', 'eA==', 0, signal);
  jest.useRealTimers();
  expect(asked).toBe(3);
});

it('sends a shared access signature in the query, and no other proof', async () => {
  const connectionString = `QueueEndpoint=${endpoint()}/;SharedAccessSignature=?sv=1&sig=a%2Bb%3D`;
  const put = await createPutMessage({ kind: 'connectionString', connectionString }, noCredential);
  await put('outgoing-mail', 'eA==', 5, signal);
  expect(seen[0]?.url).toBe('/outgoing-mail/messages?messagettl=-1&visibilitytimeout=5&sv=1&sig=a%2Bb%3D');
  expect(seen[0]?.headers).not.toHaveProperty('authorization');
});

it("throws what the SDKs would: the service's status and code", async () => {
  const connectionString = `QueueEndpoint=${endpoint()};AccountName=a;AccountKey=${'A'.repeat(86)}==`;
  const put = await createPutMessage({ kind: 'connectionString', connectionString }, noCredential);
  refusal = 'AuthenticationFailed';
  const refused = { name: 'RestError', statusCode: 403, code: 'AuthenticationFailed' };
  await expect(put('outgoing-mail', 'eA==', 0, signal)).rejects.toMatchObject(refused);
});
