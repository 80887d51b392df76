// A loopback HTTP proxy in front of Azurite's queue and table services that counts calls and, by rule, answers with an error,
// waits, hangs or resets the connection.
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export type StorageService = 'queue' | 'table';

/** One call as it came in; `path` is decoded and without the query. */
export interface StorageCall {
  readonly service: StorageService;
  readonly method: string;
  readonly path: string;
}

/** What happens to a call instead of (or before) being passed on. */
export type Fault =
  /** An answer of Azure Storage with this status and error code. */
  | { readonly status: number; readonly code?: string }
  /** Passed on after so many ms. */
  | { readonly delayMs: number }
  /** Passed on, and the connection is reset before the answer: the write has happened, its reply is lost. */
  | 'loseReply'
  | 'reset'
  | 'hang';

export interface FaultRule {
  readonly service?: StorageService;
  readonly method?: string;
  readonly path?: RegExp;
  /** How often; default for ever. */
  readonly times?: number;
  readonly fault: Fault;
}

export interface FaultProxy {
  readonly ports: { readonly blob: number; readonly queue: number; readonly table: number };
  /** Every call so far. */
  readonly calls: StorageCall[];
  /** Adds a rule; the first that fits a call is used. */
  rule(rule: FaultRule): void;
  /** Removes all rules; calls that hang are passed on no more. */
  mend(): void;
  close(): Promise<void>;
}

/** @param targets Azurite's ports */
export async function startFaultProxy(targets: { blob: number; queue: number; table: number }): Promise<FaultProxy> {
  const calls: StorageCall[] = [];
  let rules: { readonly rule: FaultRule; left: number }[] = [];
  const agent = new Agent({ keepAlive: true });

  const faultFor = (call: StorageCall): Fault | undefined => {
    const found = rules.find(
      ({ rule: { service, method, path }, left }) =>
        left > 0 &&
        (service ?? call.service) === call.service &&
        (method ?? call.method) === call.method &&
        (path === undefined || path.test(call.path)),
    );
    if (found === undefined) return undefined;
    found.left -= 1;
    return found.rule.fault;
  };

  function pass(port: number, request: IncomingMessage, response: ServerResponse, loseReply: boolean): void {
    const { method, url: path, headers } = request;
    const onward = httpRequest({ host: '127.0.0.1', port, method, path, headers, agent }, (answer) => {
      if (loseReply) {
        answer.resume().on('end', () => request.socket.resetAndDestroy());
        return;
      }
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => request.socket.destroy());
    request.pipe(onward);
  }

  async function listen(service: StorageService): Promise<{ port: number; close: () => Promise<void> }> {
    const server = createServer((request, response) => {
      const call = { service, method: request.method ?? '', path: decodeURIComponent((request.url ?? '').split('?')[0] ?? '') };
      calls.push(call);
      const fault = faultFor(call);
      if (fault === undefined) return pass(targets[service], request, response, false);
      if (fault === 'hang') return;
      if (fault === 'reset') return void request.socket.resetAndDestroy();
      if (fault === 'loseReply') return pass(targets[service], request, response, true);
      if ('delayMs' in fault) return void setTimeout(() => pass(targets[service], request, response, false), fault.delayMs);
      const { status, code = 'ServerBusy' } = fault;
      const body = JSON.stringify({ 'odata.error': { code, message: { lang: 'en-US', value: code } } });
      request.resume();
      response.writeHead(status, { 'Content-Type': 'application/json', 'x-ms-error-code': code }).end(body);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return {
      port: (server.address() as AddressInfo).port,
      close: () =>
        new Promise((resolve) => {
          server.close(() => resolve());
          server.closeAllConnections();
        }),
    };
  }

  const [queue, table] = [await listen('queue'), await listen('table')];
  return {
    ports: { blob: targets.blob, queue: queue.port, table: table.port },
    calls,
    rule: (rule) => void rules.push({ rule, left: rule.times ?? Infinity }),
    mend: () => {
      rules = [];
    },
    close: async () => {
      await Promise.all([queue.close(), table.close()]);
      agent.destroy();
    },
  };
}
