// The dev host's HTTP side: finds the function for a request, checks Host and function key, and answers.
// It listens on 127.0.0.1 only and never logs a URL.
import { timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { adminEndpoint, devEndpoint, type DevRoute, type Endpoint, functionEndpoint } from './endpoints';
import type { FunctionApp } from './functionApp';
import { readBody } from './httpBody';
import { errorText, type Log } from './log';
import { decodePath } from './routes';
import { emptyAnswer, type PlainResponse } from './rpcHttp';

/** What the HTTP server needs. */
export interface HttpServerOptions {
  app: FunctionApp;
  log: Log;
  port: number;
  routePrefix: string;
  functionKey: string;
  /** Host names besides localhost, 127.0.0.1 and [::1]; `*` allows any. */
  allowedHosts: readonly string[];
  maxBodyBytes: number;
  devRoutes: readonly DevRoute[];
  /** Runs a timer for `POST /admin/functions/<name>`; false if there is no such timer. */
  runTimer: (name: string) => Promise<boolean>;
}

/** A listening server. */
export interface HttpListener {
  port: number;
  /** Accepts nothing more and waits for the requests in flight. */
  close(): Promise<void>;
}

/**
 * Starts listening.
 * @throws Error with code EADDRINUSE when the port is taken; Error when a route cannot be understood.
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpListener> {
  const endpoints = [
    ...options.devRoutes.map(devEndpoint),
    adminEndpoint(options.runTimer),
    ...options.app.functions.flatMap((fn) => functionEndpoint(options.app, options.routePrefix, fn)),
  ];
  // Kestrel's limits: 32 KiB of headers, idle connections kept for 130 s.
  const server = createServer({ maxHeaderSize: 32 * 1024, keepAliveTimeout: 130_000 }, (request, response) => {
    void serve(options, endpoints, server, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(options.port, '127.0.0.1', resolve);
  });
  return {
    port: listeningPort(server.address()),
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
      }),
  };
}

function listeningPort(address: AddressInfo | string | null): number {
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return address.port;
}

async function serve(
  options: HttpServerOptions,
  endpoints: readonly Endpoint[],
  server: Server,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const answer = await answerSafely(options, endpoints, request);
  if (answer === undefined || response.destroyed) return;
  response.statusCode = answer.status;
  for (const [name, value] of Object.entries(answer.headers)) {
    if (!/^(?:connection|keep-alive|transfer-encoding|content-length)$/i.test(name)) response.setHeader(name, value);
  }
  if (!server.listening || answer.status === 413) response.setHeader('connection', 'close');
  response.end(answer.body);
  request.resume();
}

/** @returns undefined when the client went away before its request was complete. */
async function answerSafely(
  options: HttpServerOptions,
  endpoints: readonly Endpoint[],
  request: IncomingMessage,
): Promise<PlainResponse | undefined> {
  try {
    return await findAnswer(options, endpoints, request);
  } catch (error) {
    // A function's own failure is logged where it was called; the client learns nothing about either.
    options.log('debug', 'host', `A request failed: ${errorText(error)}`);
    return emptyAnswer(500);
  }
}

async function findAnswer(
  options: HttpServerOptions,
  endpoints: readonly Endpoint[],
  request: IncomingMessage,
): Promise<PlainResponse | undefined> {
  const host = request.headers.host ?? '';
  const target = (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '');
  if (!target.startsWith('/') || /%00/.test(target) || !isHost(host)) return emptyAnswer(400);
  if (!isAllowedHost(host, options.allowedHosts)) return emptyAnswer(421);

  const [rawPath = ''] = target.split('?');
  const path = decodePath(rawPath);
  for (const endpoint of endpoints) {
    const params = endpoint.methods.includes(request.method ?? '') ? endpoint.route.match(path) : undefined;
    if (!params) continue;
    if (endpoint.needsKey && !hasKey(request, target, options.functionKey)) return emptyAnswer(401);
    const read = await readBody(request, options.maxBodyBytes);
    if (read.outcome === 'aborted') return undefined;
    return read.outcome === 'tooLarge' ? emptyAnswer(413) : endpoint.answer(request, target, params, read.body);
  }
  return emptyAnswer(404);
}

function isHost(host: string): boolean {
  return /^(?:[\w.-]+|\[[\da-f:.]+\])(?::\d{1,5})?$/i.test(host) && URL.canParse(`http://${host}/`);
}

/** Refusing names of others keeps DNS rebinding away from a developer's machine. */
function isAllowedHost(host: string, allowedHosts: readonly string[]): boolean {
  const name = host.replace(/:\d+$/, '').toLowerCase();
  return ['localhost', '127.0.0.1', '[::1]', ...allowedHosts].some(
    (allowed) => allowed === '*' || allowed.toLowerCase() === name,
  );
}

function hasKey(request: IncomingMessage, target: string, functionKey: string): boolean {
  const sent = request.headers['x-functions-key'] ?? new URLSearchParams(target.split('?')[1]).get('code');
  if (typeof sent !== 'string') return false;
  const [left, right] = [Buffer.from(sent), Buffer.from(functionKey)];
  return left.length === right.length && timingSafeEqual(left, right);
}
