// What Azurite cannot show: access by a token and by a shared access signature. (Account keys: contracts.test.ts.)
import { createHttpHeaders, type HttpClient, type PipelineRequest } from '@azure/core-rest-pipeline';
import { createPutMessage } from '../../../shared/storage/storageHttp';

const seen: PipelineRequest[] = [];
let refusal: string | undefined;
const httpClient: HttpClient = {
  sendRequest: (request) => {
    seen.push(request);
    const headers = createHttpHeaders(refusal === undefined ? {} : { 'x-ms-error-code': refusal });
    return Promise.resolve({ request, status: refusal === undefined ? 201 : 403, headers });
  },
};
beforeEach(() => {
  seen.length = 0;
  refusal = undefined;
});

const signal = new AbortController().signal;
const endpoint = 'https://account.queue.core.windows.net';

it('sends a token of the identity', async () => {
  const scopes: unknown[] = [];
  const getToken = (scope: string | string[]) => {
    scopes.push(scope);
    return Promise.resolve({ token: 'token', expiresOnTimestamp: Date.now() + 3_600_000 });
  };
  const settings = { kind: 'identity', queueServiceUri: `${endpoint}/`, tableServiceUri: '' } as const;
  const put = createPutMessage({ ...settings, managedIdentity: true }, { getToken }, httpClient);
  for (let time = 0; time < 2; time++) await put('outgoing-mail', 'eA==', 0, signal);
  expect(scopes.flat()).toEqual(['https://storage.azure.com/.default']);
  expect(seen[1]?.headers.get('authorization')).toBe('Bearer token');
  expect(seen[1]?.url).toBe(`${endpoint}/outgoing-mail/messages?messagettl=-1&visibilitytimeout=0`);
});

it('sends a shared access signature in the query, and no other proof', async () => {
  const connectionString = `QueueEndpoint=${endpoint}/;SharedAccessSignature=?sv=1&sig=a%2Bb%3D`;
  const put = createPutMessage({ kind: 'connectionString', connectionString }, undefined, httpClient);
  await put('outgoing-mail', 'eA==', 5, signal);
  expect(seen[0]?.url).toBe(`${endpoint}/outgoing-mail/messages?messagettl=-1&visibilitytimeout=5&sv=1&sig=a%2Bb%3D`);
  expect(seen[0]?.headers.has('authorization')).toBe(false);
});

it('makes the endpoint of the account, and throws what the SDKs would: the status and code of the service', async () => {
  const connectionString = `AccountName=account;AccountKey=${'A'.repeat(86)}==`;
  const put = createPutMessage({ kind: 'connectionString', connectionString }, undefined, httpClient);
  refusal = 'AuthenticationFailed';
  const refused = { name: 'RestError', statusCode: 403, code: 'AuthenticationFailed' };
  await expect(put('outgoing-mail', 'eA==', 0, signal)).rejects.toMatchObject(refused);
  expect(seen[0]?.url).toContain(`${endpoint}/outgoing-mail/`);
  expect(seen[0]?.headers.get('authorization')).toMatch(/^SharedKey account:[\w+/]{43}=$/);
});
