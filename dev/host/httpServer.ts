// The HTTP side of the dev host: finds the endpoint for a request, checks Host and function key, and answers.
// It listens on 127.0.0.1 only and never logs a URL.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { promisify } from 'node:util';
import { compileRoute, normalizePath } from './routes';

export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
}

/** A page of the dev host itself. `path` is a route template: `/dev/mailbox/{id}`. */
export interface DevRoute {
  path: string;
  handle: (url: URL, params: Record<string, string>) => Promise<Answer> | Answer;
}

/** Answers the requests that fit its route and methods. */
export interface Endpoint {
  match: ReturnType<typeof compileRoute>;
  methods: readonly string[];
  needsKey: boolean;
  answer(request: IncomingMessage, target: string, params: Record<string, string>, body: Buffer): Promise<Answer>;
}

export interface HttpServerOptions {
  /** The first that fits answers. */
  endpoints: readonly Endpoint[];
  port: number;
  functionKey?: string | undefined;
  /** Answers whatever name the client calls the host by, not only localhost, 127.0.0.1 and [::1]. */
  anyHost?: boolean;
  maxBodyBytes?: number;
}

/** A listening server. */
export interface HttpListener {
  port: number;
  /** Accepts nothing more and waits for the requests in flight. */
  close(): Promise<unknown>;
}

/** The real host's way to run a function by hand. Here it answers when the run is over, and 500 if it failed. */
export function adminEndpoint(runTimer: (name: string) => Promise<boolean>): Endpoint {
  return {
    match: compileRoute('admin/functions/{name}'),
    methods: ['POST'],
    needsKey: true,
    answer: async (_request, _target, { name = '' }) => ({ status: (await runTimer(name)) ? 202 : 404 }),
  };
}

export function devEndpoint({ path, handle }: DevRoute): Endpoint {
  return {
    match: compileRoute(path),
    methods: ['GET', 'HEAD'],
    needsKey: false,
    answer: async ({ headers: { host = 'localhost' } }, target, params) =>
      handle(new URL(`http://${host}${target}`), params),
  };
}

/**
 * Starts listening.
 * @throws Error with code EADDRINUSE when the port is taken.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpListener> {
  // Kestrel's limits: 32 KiB of headers, idle connections kept for 130 s.
  const server = createServer({ maxHeaderSize: 32 * 1024, keepAliveTimeout: 130_000 }, (request, response) => {
    void serve(options, request, response, () => !server.listening);
  });
  await once(server.listen(options.port, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => promisify(server.close.bind(server))() };
}

async function serve(
  options: HttpServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
  isClosing: () => boolean,
): Promise<void> {
  // A function's own failure is logged where it was called.
  const answer = await findAnswer(options, request).catch((): Answer => ({ status: 500 }));
  if (answer === undefined || response.destroyed) return;
  response.statusCode = answer.status;
  response.setHeaders(new Map(Object.entries(answer.headers ?? {})));
  if (isClosing()) response.setHeader('connection', 'close');
  response.end(answer.body);
  request.resume();
}

/** @returns undefined when the client went away before its request was complete. */
async function findAnswer(options: HttpServerOptions, request: IncomingMessage): Promise<Answer | undefined> {
  const host = request.headers.host ?? '';
  const target = (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '');
  if (!target.startsWith('/') || target.includes('%00') || !isHost(host)) return { status: 400 };
  // Refusing foreign names keeps DNS rebinding away from a developer's machine.
  if (!options.anyHost && !/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(host)) return { status: 421 };

  const path = normalizePath(target.split('?')[0] ?? '');
  for (const endpoint of options.endpoints) {
    const params = endpoint.methods.includes(request.method ?? '') ? endpoint.match(path) : undefined;
    if (!params) continue;
    if (endpoint.needsKey && !hasKey(request, target, options.functionKey)) return { status: 401 };
    // The real host turns a body over its own limit into an empty 500.
    if (Number(request.headers['content-length'] ?? 0) > (options.maxBodyBytes ?? Infinity)) {
      return { status: 500, headers: { connection: 'close' } };
    }
    const body = await readBody(request);
    return body && endpoint.answer(request, target, params, body);
  }
  return { status: 404 };
}

/** The real host hands over a body by its Content-Length only: a chunked one counts as empty. @returns undefined if it breaks off */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  if (Number(request.headers['content-length'] ?? 0) === 0) return Buffer.alloc(0);
  try {
    for await (const chunk of request) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

function isHost(host: string): boolean {
  return /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host) && URL.canParse(`http://${host}/`);
}

function hasKey(request: IncomingMessage, target: string, functionKey = ''): boolean {
  const sent = request.headers['x-functions-key'] ?? new URLSearchParams(target.split('?')[1]).get('code');
  return functionKey !== '' && sent === functionKey;
}
