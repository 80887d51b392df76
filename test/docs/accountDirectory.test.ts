// Holds the traffic between the HTTP directory and the Node reference site against docs/account-directory.openapi.json.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import document from '../../docs/account-directory.openapi.json';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { createSiteEventSender } from '../../shared/directory/signedCall';
import { hashPassword } from '../../shared/password/passwordHash';
import { siteSecret, startDirectorySite } from '../support/directorySite';

interface Exchange {
  readonly path: string;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly request: unknown;
  readonly status: number;
  readonly answer: unknown;
}

const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true })).addSchema(document, 'api', false, false);
const pointer = (...parts: string[]) =>
  `api#/${parts.map((part) => encodeURIComponent(part.replaceAll('/', '~1'))).join('/')}`;

function expectValid(value: unknown, ...parts: string[]): void {
  const validate = ajv.compile({ $ref: pointer(...parts) });
  expect([parts, validate(value), validate.errors]).toEqual([parts, true, null]);
}

/** Starts the reference site behind a recorder. */
async function record(passwordFormat: 'encoded' | 'plain') {
  const exchanges: Exchange[] = [];
  const real = await startDirectorySite(passwordFormat);
  const server = createServer((incoming, outgoing) => {
    void (async () => {
      const { url: path = '', headers } = incoming;
      const body = (await buffer(incoming)).toString();
      const signature = Object.entries(headers).filter(([name]) => name.startsWith('webhook-'));
      const sent = Object.fromEntries(signature.map(([name, value]) => [name, String(value)] as const));
      const answer = await fetch(real.url + path, { method: 'POST', headers: sent, body });
      const text = await answer.text();
      exchanges.push({ path, headers, request: JSON.parse(body), status: answer.status, answer: JSON.parse(text) });
      outgoing.writeHead(answer.status, { 'Content-Type': 'application/json' }).end(text);
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const directory = (secrets: string[]) => createHttpDirectory({ url, secrets, passwordFormat }, () => undefined);
  const password = await hashPassword('the old horse battery', 'argon2id');
  await real.seed([{ id: '1', email: 'ada@example.org', username: 'ada', password, isActive: true }]);
  const account = await directory([siteSecret]).get('', '1');
  if (!account) throw new Error('no account');
  const close = () => {
    server.close().closeAllConnections();
    real.site.close();
  };
  return { exchanges, url, directory: directory([siteSecret]), account, stranger: directory([otherSecret]), close };
}
const otherSecret = `whsec_${Buffer.alloc(32, 3).toString('base64')}`;

it('documents every call of the directory, and every answer of the reference site', async () => {
  const encoded = await record('encoded');
  const { directory, account } = encoded;
  const at = new Date();
  const change = { ...account, password: await hashPassword('the new horse battery', 'argon2id'), resetKeyId: 'k', at };
  await directory.findByAddress('ada@example.org');
  await directory.findByAddress('nobody@example.org');
  await directory.get('', '2');
  await directory.setPassword(account, change);
  await directory.get('', '1');
  await directory.setPassword(account, { ...change, resetKeyId: 'other' });
  await directory.setPassword({ ...account, id: '2' }, change);
  await expect(directory.setPassword(account, { ...change, password: 'x' })).rejects.toThrow('unsupported_hash');
  await expect(encoded.stranger.get('', '1')).rejects.toThrow('bad_signature');
  await expect(encoded.stranger.findByAddress('ada@example.org')).rejects.toThrow('bad_signature');
  await expect(encoded.stranger.setPassword(account, change)).rejects.toThrow('bad_signature');
  const plain = await record('plain');
  await plain.directory.setPassword(plain.account, { ...plain.account, password: 'short', resetKeyId: 'k', at });
  const exchanges = [...encoded.exchanges, ...plain.exchanges];
  [encoded, plain].forEach(({ close }) => close());

  for (const { path, headers, request, status, answer } of exchanges) {
    expectValid(request, 'paths', path, 'post', 'requestBody', 'content', 'application/json', 'schema');
    for (const [part, { name }] of Object.entries(document.components.parameters)) {
      expectValid(headers[name], 'components', 'parameters', part, 'schema');
    }
    const at401 = ['components', 'responses', 'Refused'];
    const response = status === 401 ? at401 : ['paths', path, 'post', 'responses', String(status)];
    const isBodyless = status === 404 || status === 409;
    if (!isBodyless) expectValid(answer, ...response, 'content', 'application/json', 'schema');
  }
  const seen = new Set(exchanges.map(({ path, status }) => `${path} ${status}`));
  const documented = Object.entries(document.paths).flatMap(([path, { post }]) =>
    Object.keys(post.responses).map((status) => `${path} ${status}`),
  );
  expect([...seen].sort()).toEqual(documented.sort());
});

it('documents the site events', async () => {
  const { url, exchanges, close } = await record('encoded');
  const data = { accountId: '1', at: new Date().toISOString() };
  const settings = { url: `${url}/events`, secrets: [siteSecret] };
  await createSiteEventSender(settings)({ id: 'event1', type: 'password.changed', data });
  close();
  const [event] = exchanges.filter(({ path }) => path === '/events');
  expect(event?.status).toBe(200);
  expectValid(event?.request, 'components', 'schemas', 'SiteEvent');
});
