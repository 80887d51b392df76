// The HTTP side of the dev host: finds the endpoint for a request, checks Host and function key, and answers.
// It listens on 127.0.0.1 only and never logs a URL.
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';

export interface Answer {
  status: number;
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array | undefined;
}

/** A request that fits an endpoint. */
export interface HttpCall {
  request: IncomingMessage;
  url: URL;
  params: Record<string, string>;
  body: Buffer;
}

/** Answers the requests that fit its path, a route template such as `/dev/mailbox/{id}`, and its methods (default: GET and HEAD). */
export interface Endpoint {
  path: string;
  methods?: readonly string[];
  needsKey?: boolean;
  answer: (call: HttpCall) => Promise<Answer>;
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

/** Starts listening. `close` accepts nothing more and waits for the requests in flight. */
export async function startHttpServer(options: HttpServerOptions) {
  const routes = options.endpoints.map((endpoint) => ({ ...endpoint, match: compileRoute(endpoint.path) }));
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // A function's own failure is logged where it was called.
    const answer = await findAnswer(options, routes, request).catch((): Answer => ({ status: 500 }));
    if (response.destroyed) return;
    response.statusCode = answer.status;
    response.setHeaders(new Map(Object.entries(answer.headers ?? {})));
    if (!server.listening) response.setHeader('connection', 'close');
    response.end(answer.body);
    request.resume();
  };
  // Kestrel's limits: 32 KiB of headers, idle connections kept for 130 s.
  const server = createServer({ maxHeaderSize: 32 * 1024, keepAliveTimeout: 130_000 }, (request, response) => {
    void serve(request, response);
  });
  await once(server.listen(options.port, '127.0.0.1'), 'listening');
  return { port: (server.address() as AddressInfo).port, close: () => promisify(server.close.bind(server))() };
}

type Route = Endpoint & { match: ReturnType<typeof compileRoute> };

async function findAnswer(
  { functionKey, anyHost, maxBodyBytes = Infinity }: HttpServerOptions,
  routes: readonly Route[],
  request: IncomingMessage,
): Promise<Answer> {
  const host = request.headers.host ?? '';
  const target = (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '');
  if (!target.startsWith('/') || target.includes('%00') || !isHost(host)) return { status: 400 };
  // Refusing foreign names keeps DNS rebinding away from a developer's machine.
  if (!anyHost && !/^(?:localhost|127\.0\.0\.1|\[::1\])(?::\d+)?$/i.test(host)) return { status: 421 };

  const path = normalizePath(target.split('?')[0] ?? '');
  for (const { match, methods = ['GET', 'HEAD'], needsKey = false, answer } of routes) {
    const params = methods.includes(request.method ?? '') ? match(path) : undefined;
    if (!params) continue;
    const url = new URL(`http://${host}${target}`);
    const sentKey = request.headers['x-functions-key'] ?? url.searchParams.get('code');
    if (needsKey && (!functionKey || sentKey !== functionKey)) return { status: 401 };
    // The real host turns a body over its own limit into an empty 500, and takes one without Content-Length (chunked) for empty.
    const length = Number(request.headers['content-length'] ?? 0);
    if (length > maxBodyBytes) return { status: 500, headers: { connection: 'close' } };
    const body = length === 0 ? Buffer.alloc(0) : await buffer(request);
    return answer({ request, url, params, body });
  }
  return { status: 404 };
}

function isHost(host: string): boolean {
  return /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host) && URL.canParse(`http://${host}/`);
}

/**
 * Compiles a route template such as `accounts/{id}` or `files/{*rest}`. Case does not matter, and a path may end in a slash. The real
 * host takes the first function by name that fits; a router library looks for the most specific one and would hide a shadowed route.
 * @returns a matcher: the parameters of a decoded path (with its leading slash), or undefined if it does not fit.
 * @throws Error for constraints, optional or partial parameters: the dev host does not support them.
 */
export function compileRoute(template: string): (path: string) => Record<string, string> | undefined {
  const segments = template.split('/').filter(Boolean);
  const patterns = segments.map((segment) => {
    const [, star, name] = /^\{(\*?)(\w+)\}$/.exec(segment) ?? [];
    if (name !== undefined) return star ? `(?:/(?<${name}>.*))?` : `/(?<${name}>[^/]+)`;
    if (/[{}]/.test(segment)) throw new Error(`the route segment "${segment}" is not supported by the dev host`);
    return `/${segment.replace(/[.*+?^$()|[\]\\]/g, '\\$&')}`;
  });
  const expression = new RegExp(`^${patterns.join('')}/?$`, 'is');
  return (path) => {
    const found = expression.exec(path);
    if (!found) return undefined;
    return Object.fromEntries(Object.entries(found.groups ?? {}).filter(([, value]) => value));
  };
}

/** Decodes a path and removes its dot segments, as Kestrel does: `%2F` and malformed sequences stay as they are. */
function normalizePath(path: string): string {
  // Of a scheme that it does not know, URL removes the dot segments, encoded ones too, and converts no backslash.
  const { pathname } = new URL(`path://host${path.replaceAll('#', '%23')}`);
  return pathname.replace(/(?:%(?!2f)[0-9a-f]{2})+/gi, (sequence) => {
    try {
      return decodeURIComponent(sequence);
    } catch {
      return sequence;
    }
  });
}
