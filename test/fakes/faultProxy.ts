// An HTTP proxy on loopback in front of Azurite's queue and table services: counts calls and makes faults by rule.
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A storage call as it passed. `path` is without the query's signature and time-out. */
export interface ProxiedCall {
  readonly service: 'queue' | 'table';
  readonly method: string;
  readonly path: string;
}

/** What happens to a matching call. `hold` waits for the promise, then lets the call through. */
export type Fault =
  | { readonly status: number; readonly code?: string }
  | { readonly delayMs: number }
  | { readonly hold: Promise<unknown> }
  | 'reset'
  /** The call reaches the service, its answer is lost. */
  | 'loseReply';

export interface FaultRule {
  readonly service?: 'queue' | 'table';
  readonly method?: string;
  readonly path?: RegExp;
  /** How often it applies; default: always. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface FaultProxy {
  /** The storage behind the proxy. */
  readonly connectionString: string;
  readonly calls: ProxiedCall[];
  /** Adds a rule; the first that matches applies. @returns a promise that is settled when it applied first */
  rule(rule: FaultRule): Promise<void>;
  clearRules(): void;
  close(): Promise<void>;
}

/** Puts a proxy in front of the storage of a connection string. */
export async function startFaultProxy(connectionString: string): Promise<FaultProxy> {
  const calls: ProxiedCall[] = [];
  let rules: { rule: FaultRule; left: number; applied: () => void }[] = [];
  const servers = await Promise.all(
    (['queue', 'table'] as const).map(async (service) => {
      const name = service === 'queue' ? 'QueueEndpoint' : 'TableEndpoint';
      const target = new URL(new RegExp(`${name}=([^;]+)`).exec(connectionString)?.[1] ?? '');
      const server = createServer((incoming, outgoing) => {
        const call = { service, method: incoming.method ?? '', path: (incoming.url ?? '').split('?')[0] ?? '' };
        calls.push(call);
        const found = rules.find(({ rule, left }) => left > 0 && matches(rule, call));
        if (found) {
          found.left -= 1;
          found.applied();
        }
        void serve(service, incoming, outgoing, Number(target.port), found?.rule.fault);
      });
      server.unref().on('connection', (socket) => socket.unref()); // a failed test closes nothing
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { server, name, endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}` };
    }),
  );
  return {
    connectionString: servers.reduce(
      (text, { name, endpoint }) => text.replace(new RegExp(`${name}=[^;]+`), `${name}=${endpoint}`),
      connectionString,
    ),
    calls,
    rule: (rule) =>
      new Promise((resolve) => {
        rules.push({ rule, left: rule.times ?? Infinity, applied: resolve });
      }),
    clearRules: () => {
      rules = [];
    },
    close: async () => {
      for (const { server } of servers) {
        server.closeAllConnections();
        await new Promise((resolve) => server.close(resolve));
      }
    },
  };
}

const matches = ({ service, method, path }: FaultRule, call: ProxiedCall): boolean =>
  (service === undefined || service === call.service) &&
  (method === undefined || method === call.method) &&
  (path === undefined || path.test(call.path));

const tableError = (code: string): [string, string] => [
  'application/json',
  JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: code } } }),
];
const queueError = (code: string): [string, string] => [
  'application/xml',
  `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${code}</Message></Error>`,
];

async function serve(
  service: 'queue' | 'table',
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  fault: Fault | undefined,
): Promise<void> {
  incoming.on('error', () => {});
  if (fault === 'reset') return void incoming.socket.destroy();
  if (typeof fault === 'object') {
    if ('status' in fault) {
      incoming.resume();
      const code = fault.code ?? 'ServerBusy';
      const [type, text] = service === 'table' ? tableError(code) : queueError(code);
      outgoing.writeHead(fault.status, { 'x-ms-error-code': code, 'content-type': type });
      return void outgoing.end(text);
    }
    if ('delayMs' in fault) await new Promise((resolve) => setTimeout(resolve, fault.delayMs).unref());
    else await fault.hold;
  }
  // The host header is part of what a request is signed with only by path: Azurite takes any.
  const { method, url: path, headers } = incoming;
  const forwarded = httpRequest({ host: '127.0.0.1', port, method, path, headers }, (answer) => {
    if (fault === 'loseReply') return void answer.resume().on('end', () => incoming.socket.destroy());
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
    answer.pipe(outgoing);
  });
  forwarded.on('error', () => incoming.socket.destroy());
  incoming.pipe(forwarded);
}
