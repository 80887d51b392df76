// One keep-alive connection that posts JSON and tells how long the answer took.
import { Agent, request } from 'node:http';

/** An answer with the time from the first byte sent to the last byte received. */
export interface TimedAnswer {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

/** A client of one host. */
export interface TimedClient {
  post(path: string, body: unknown): Promise<TimedAnswer>;
  close(): void;
}

export function createClient(baseUrl: string): TimedClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  return {
    post: (path, body) =>
      new Promise((resolve, reject) => {
        const text = JSON.stringify(body);
        const headers = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) };
        const startedAt = performance.now();
        const call = request(`${baseUrl}${path}`, { method: 'POST', agent, headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('error', reject);
          response.once('end', () => {
            const ms = performance.now() - startedAt;
            resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString(), ms });
          });
        });
        call.once('error', reject);
        call.end(text);
      }),
    close: () => {
      agent.destroy();
    },
  };
}
