// SendGrid's v3 Mail Send on loopback, answering what a test scripts: a status, headers, a delay, a hang, a trickle, a reset.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

/** One request as it came in; `body` is the parsed JSON. */
export interface SendGridRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test reads whatever the SDK sent
  readonly body: any;
  readonly at: Date;
}

export type SendGridAnswer =
  | {
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
      readonly delayMs?: number;
    }
  /** Reads the request, then never answers. */
  | 'hang'
  /** Sends the status line one byte at a time, forever. */
  | 'trickle'
  /** Answers 202 at once, then sends a body one byte at a time. */
  | 'trickleBody'
  /** Reads the request, then resets the connection. */
  | 'reset';

export type ScriptedSendGrid = Awaited<ReturnType<typeof startScriptedSendGrid>>;

const TRICKLE_MS = 20;

function trickle(socket: Socket, text: string): void {
  let next = 0;
  const timer = setInterval(() => socket.write(text[next++ % text.length] ?? ''), TRICKLE_MS);
  socket.on('error', () => {}).once('close', () => clearInterval(timer));
}

function answer(how: SendGridAnswer, request: IncomingMessage, response: ServerResponse): void {
  const { socket } = request;
  if (how === 'hang') return;
  if (how === 'reset') {
    socket.resetAndDestroy();
  } else if (how === 'trickle') {
    trickle(socket, 'HTTP/1.1 202 Accepted                                                     ');
  } else if (how === 'trickleBody') {
    response.writeHead(202, { 'Content-Length': '100000' });
    response.flushHeaders();
    trickle(socket, 'x');
  } else {
    setTimeout(() => {
      response.writeHead(how.status, { 'Content-Type': 'application/json', ...how.headers }).end(how.body ?? '');
    }, how.delayMs ?? 0);
  }
}

export async function startScriptedSendGrid() {
  const requests: SendGridRequest[] = [];
  const scripted: SendGridAnswer[] = [];
  let connections = 0;
  const server = createServer((request, response) => {
    const at = new Date();
    const chunks: Buffer[] = [];
    request.on('error', () => {});
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const { method = '', url: path = '', headers } = request;
      requests.push({ method, path, headers, body: JSON.parse(Buffer.concat(chunks).toString() || 'null'), at });
      answer(scripted.shift() ?? { status: 202 }, request, response);
    });
  });
  server.unref().on('connection', (socket) => {
    socket.unref(); // a failed test closes nothing, and must not keep the run from ending
    connections += 1;
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    /** Base URL, for `SENDGRID_API_URL`. */
    url: `http://127.0.0.1:${port}/`,
    requests,
    connections: () => connections,
    /** Answers for the next requests, in order; afterwards (and before) every request gets 202. */
    script: (...answers: readonly SendGridAnswer[]): void => void scripted.push(...answers),
    close: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
