// Stands between the app and Azurite and counts the calls: how many storage calls does one request cost?
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface CountingProxy {
  readonly port: number;
  /** `METHOD path`, without query, since the last call of this function. */
  take(): string[];
  close(): void;
}

/** Forwards everything to a port of this machine. Storage signatures do not cover the port, so the calls stay valid. */
export async function startCountingProxy(targetPort: number): Promise<CountingProxy> {
  let calls: string[] = [];
  const server = createServer((incoming, outgoing) => {
    const { method = '', url = '', headers } = incoming;
    calls.push(`${method} ${url.replace(/\?.*$/, '')}`);
    const call = request({ host: '127.0.0.1', port: targetPort, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    call.once('error', () => outgoing.destroy());
    incoming.pipe(call);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    take() {
      const taken = calls;
      calls = [];
      return taken;
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
