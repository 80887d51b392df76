// An HTTP proxy on loopback in front of Azurite's queue and table services, and of a scripted mail provider: records calls and makes
// faults by rule.
import { once } from 'node:events';
import { createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as later } from 'node:timers/promises';

type Service = 'queue' | 'table' | 'provider';

/** A call as it passed. `path` is without the query's signature and time-out. */
export interface ProxiedCall {
  readonly service: Service;
  readonly method: string;
  readonly path: string;
}

export type Fault =
  | { readonly status: number; readonly code?: string }
  /** Lets the call through so much later, also if the client has gone. */
  | { readonly delayMs: number }
  /** Waits for the promise, then lets the call through. */
  | { readonly hold: Promise<unknown> }
  | 'reset'
  /** The call reaches the service, its answer is lost. */
  | 'loseReply'
  /** The call reaches the service, its answer comes so much later; with `Infinity`, never. */
  | { readonly replyDelayMs: number };

export interface FaultRule {
  readonly service?: Service;
  readonly method?: string;
  readonly path?: RegExp;
  /** How many matching calls pass before it applies; default: none. */
  readonly skip?: number | undefined;
  /** How often it applies; default: always. */
  readonly times?: number;
  readonly fault: Fault;
  readonly onApply?: () => void;
}

export type FaultProxy = Awaited<ReturnType<typeof startFaultProxy>>;

/** Puts a proxy in front of the storage of a connection string, and of a provider. */
export async function startFaultProxy(connectionString: string, provider?: string) {
  const calls: ProxiedCall[] = [];
  let rules: { rule: FaultRule; skip: number; left: number; applied: () => void }[] = [];
  const apply = (call: ProxiedCall): { fault: Fault; applied: () => void } | undefined => {
    const found = rules.find(({ rule, left }) => left > 0 && matches(rule, call));
    if (found === undefined) return undefined;
    if (found.skip-- > 0) return undefined;
    found.left -= 1;
    found.rule.onApply?.();
    return { fault: found.rule.fault, applied: found.applied };
  };
  const start = async (service: Service, target: URL) => {
    const server = createServer((incoming, outgoing) => {
      const call = { service, method: incoming.method ?? '', path: (incoming.url ?? '').split('?')[0] ?? '' };
      calls.push(call);
      void serve(service, incoming, outgoing, Number(target.port), apply(call));
    });
    server.unref().on('connection', (socket) => socket.unref()); // a failed test closes nothing
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${target.pathname}` };
  };
  const endpoint = (name: string): URL => new URL(new RegExp(`${name}=([^;]+)`).exec(connectionString)?.[1] ?? '');
  const queue = await start('queue', endpoint('QueueEndpoint'));
  const table = await start('table', endpoint('TableEndpoint'));
  const mail = provider === undefined ? undefined : await start('provider', new URL(provider));
  return {
    connectionString: connectionString
      .replace(/QueueEndpoint=[^;]+/, `QueueEndpoint=${queue.url}`)
      .replace(/TableEndpoint=[^;]+/, `TableEndpoint=${table.url}`),
    providerUrl: mail?.url ?? '',
    calls,
    /**
     * Adds a rule; the first that matches applies.
     * @returns a promise that is settled when it applied first: for a fault of the reply, when the service has done its part
     */
    rule: (rule: FaultRule): Promise<void> =>
      new Promise((resolve) => {
        rules.push({ rule, skip: rule.skip ?? 0, left: rule.times ?? Infinity, applied: resolve });
      }),
    clearRules: (): void => {
      rules = [];
    },
    close: async (): Promise<void> => {
      for (const { server } of [queue, table, ...(mail ? [mail] : [])]) {
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

const providerError = (code: string): [string, string] => [
  'application/json',
  JSON.stringify({ errors: [{ message: code }] }),
];
const errorOf = { table: tableError, queue: queueError, provider: providerError };

async function serve(
  service: Service,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  port: number,
  { fault, applied }: { readonly fault?: Fault; readonly applied: () => void } = { applied: () => {} },
): Promise<void> {
  const cut = (): void => void incoming.socket.destroy();
  // Read first, so that a call that is held outlives its client.
  const body = await buffer(incoming).catch(() => undefined);
  if (body === undefined) return;
  const replyDelayMs = typeof fault === 'object' && 'replyDelayMs' in fault ? fault.replyDelayMs : 0;
  const isReplyFault = fault === 'loseReply' || replyDelayMs > 0;
  if (!isReplyFault) applied();
  if (fault === 'reset') return cut();
  if (typeof fault === 'object') {
    if ('status' in fault) {
      const code = fault.code ?? 'ServerBusy';
      const [type, text] = errorOf[service](code);
      outgoing.writeHead(fault.status, { 'x-ms-error-code': code, 'content-type': type });
      return void outgoing.end(text);
    }
    if ('delayMs' in fault) await later(fault.delayMs, undefined, { ref: false });
    if ('hold' in fault) await fault.hold;
  }
  const answer = await forward(incoming, body, port).catch(() => undefined);
  if (isReplyFault) applied();
  if (answer === undefined || fault === 'loseReply') return cut();
  if (replyDelayMs === Infinity) return;
  if (replyDelayMs > 0) await later(replyDelayMs, undefined, { ref: false });
  outgoing.writeHead(answer.status, answer.headers).end(answer.body);
}

/** The host header is part of what a request is signed with only by path: Azurite takes any. */
async function forward({ method, url: path, headers }: IncomingMessage, body: Buffer, port: number) {
  const request = httpRequest({ host: '127.0.0.1', port, method, path, headers }).on('error', () => {});
  request.end(body);
  const [answer] = (await once(request, 'response')) as [IncomingMessage];
  return { status: answer.statusCode ?? 502, headers: answer.headers, body: await buffer(answer) };
}
