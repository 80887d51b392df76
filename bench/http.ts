// Kept-alive connections that post JSON and tell how long each answer took.
import { Agent, request } from 'node:http';

/** An answer with the time from the first byte sent to the last byte received. */
export interface TimedAnswer {
  readonly status: number;
  readonly body: string;
  readonly ms: number;
}

/** A client of one host. */
export interface TimedClient {
  /** @param client the address that the request seems to come from */
  post(path: string, body: unknown, client?: string): Promise<TimedAnswer>;
  close(): void;
}

export function createClient(baseUrl: string, connections = 1): TimedClient {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  return {
    post: (path, body, client = '203.0.113.7') =>
      new Promise((resolve, reject) => {
        const text = JSON.stringify(body);
        const headers = {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(text),
          'X-Forwarded-For': client,
        };
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

/** Another client for each index, so that no limit per client is reached. */
export const clientAddress = (index: number): string =>
  `10.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;

/** Calls with each index below `count`, so many at a time. */
export async function inParallel<T>(count: number, atOnce: number, call: (index: number) => Promise<T>): Promise<T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < count; index = next++) results[index] = await call(index);
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}
