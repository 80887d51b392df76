// A peer in front of a site with an account directory: records every call, holds it and its answer against
// docs/account-directory.openapi.json, and makes the faults that a test asks for.
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, type RequestListener, type ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { buffer } from 'node:stream/consumers';
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { generate } from 'selfsigned';
import document from '../../docs/account-directory.openapi.json';

export interface SiteCall {
  /** The path: `find`, `get`, `set-password` or `events`. */
  readonly call: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What happens to one call instead of being passed on. `pass` hands it to the site and gives the site's answer. */
export type Fault = (response: ServerResponse, pass: () => Promise<Response>) => unknown;

const json = { 'Content-Type': 'application/json' };
export const reply =
  (status: number, body = '{}', headers: Readonly<Record<string, string>> = json): Fault =>
  (response) =>
    response.writeHead(status, headers).end(body);
export const hang: Fault = () => undefined;

const passOn: Fault = async (response, pass) => {
  const answer = await pass();
  response.writeHead(answer.status, json).end(await answer.text());
};

const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true })).addSchema(document, 'api', false, false);
/** What is wrong with the value, by the schema at this place of the document. */
function problemsOf(value: unknown, ...place: string[]): string[] {
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`api#/${pointer}`);
  if (validate === undefined) return [`${place.join(' ')} is not documented`];
  return validate(value) === true ? [] : [`${place.join(' ')}: ${ajv.errorsText(validate.errors)}`];
}
const jsonSchema = ['content', 'application/json', 'schema'];

function undocumentedOf({ call, body }: SiteCall, status: number, answer: string): string[] {
  const operation = call === 'events' ? ['webhooks', 'siteEvent', 'post'] : ['paths', `/${call}`, 'post'];
  const isBodyless = call === 'events' || status === 404 || status === 409;
  const response =
    status === 401 ? ['components', 'responses', 'Refused'] : [...operation, 'responses', String(status)];
  return [
    ...problemsOf(JSON.parse(body), ...operation, 'requestBody', ...jsonSchema),
    ...(isBodyless ? [] : problemsOf(JSON.parse(answer), ...response, ...jsonSchema)),
  ];
}

const makeCertificate = async () => {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
  });
  return { key, cert };
};

/**
 * @param site the base URL of the site's calls; a site that takes no events answers 404 there, which becomes 204
 * @param scheme `http` for calls from the test's own process, which trusts no other authority than Node does
 */
export async function startDirectoryFront(site: string, secret: string, scheme: 'http' | 'https' = 'https') {
  const [trusted, untrusted] = await Promise.all([makeCertificate(), makeCertificate()]);
  const directory = mkdtempSync(path.join(tmpdir(), 'front-'));
  const caFile = path.join(directory, 'ca.pem');
  writeFileSync(caFile, trusted.cert);
  const calls: SiteCall[] = [];
  const undocumented: string[] = [];
  const rules: { readonly call: string | undefined; readonly fault: Fault; times: number }[] = [];
  const connections = new Set<unknown>();

  const listener: RequestListener = (request, response) => {
    connections.add(request.socket);
    void (async () => {
      const body = (await buffer(request)).toString();
      const call = (request.url ?? '').replace(/^\//, '');
      const signed = ['id', 'timestamp', 'signature'].map((name) => `webhook-${name}`);
      const headers = Object.fromEntries(signed.map((name) => [name, String(request.headers[name])]));
      const made = { call, headers, body };
      calls.push(made);
      const rule = rules.find((each) => (each.call ?? call) === call && each.times > 0);
      if (rule !== undefined) rule.times -= 1;
      await (rule?.fault ?? passOn)(response, async () => {
        const answer = await fetch(`${site}/${call}`, { method: 'POST', headers: { ...json, ...headers }, body });
        undocumented.push(...undocumentedOf(made, answer.status, await answer.clone().text()));
        return call === 'events' && answer.status === 404 ? new Response(null, { status: 204 }) : answer;
      });
    })();
  };
  const https = createServer(trusted, listener);
  const server = scheme === 'https' ? https : createHttpServer(listener);
  const listen = (port: number) => new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const useCertificate = (certificate: typeof trusted): void => {
    https.setSecureContext(certificate);
    https.setTicketKeys(randomBytes(48)); // else a resumed session would do without a certificate
    https.closeAllConnections();
  };
  await listen(0);
  const { port } = server.address() as AddressInfo;
  const url = `${scheme}://${scheme === 'https' ? 'localhost' : '127.0.0.1'}:${port}`;
  const down = (): void => {
    server.close().closeAllConnections();
  };
  return {
    url,
    calls,
    /** What the document does not say of the calls and of the site's answers. */
    undocumented,
    connections: () => connections.size,
    /** For the app, so that it calls the site through this peer. */
    settings: {
      ACCOUNT_DIRECTORY: 'http',
      ACCOUNT_DIRECTORY_URL: url,
      ACCOUNT_DIRECTORY_SECRETS: secret,
      SITE_EVENTS_URL: `${url}/events`,
      NODE_EXTRA_CA_CERTS: caFile,
    },
    /** The next calls of this name, or of any, end in the fault. */
    rule: (call: string | undefined, fault: Fault, times = Infinity) => void rules.push({ call, fault, times }),
    down,
    untrusted: () => useCertificate(untrusted),
    /** Ends every fault. */
    recover: async () => {
      rules.length = 0;
      useCertificate(trusted);
      if (!server.listening) await listen(port);
    },
    close: () => {
      if (server.listening) down();
      rmSync(directory, { recursive: true });
    },
  };
}

export type DirectoryFront = Awaited<ReturnType<typeof startDirectoryFront>>;
