// The mail provider of the benchmarks: accepts what SendGrid's API accepts, and keeps what is asked of it afterwards.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A mail that arrived. */
export interface SunkMail {
  /** The app's mail id; undefined for the floor's. */
  readonly id: string | undefined;
  readonly to: string;
  /** The reset key in it. */
  readonly key: string | undefined;
  /** `performance.now()` */
  readonly at: number;
}

export interface Sink {
  readonly url: string;
  readonly mails: SunkMail[];
  /** Waits until so many mails have arrived in all. @throws Error after a minute without any */
  waitFor(count: number): Promise<void>;
  close(): void;
}

export async function startSink(): Promise<Sink> {
  const mails: SunkMail[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.once('end', () => {
      const text = Buffer.concat(chunks).toString();
      const [id, to = '', key] = [/"mail_id":"([\w-]+)"/, /"to":\[\{"email":"([^"]+)"/, /\/key\/([\w.-]+)\//].map(
        (part) => part.exec(text)?.[1],
      );
      mails.push({ id, to, key, at: performance.now() });
      response.writeHead(202).end();
    });
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    mails,
    async waitFor(count) {
      let [seen, idleSince] = [mails.length, performance.now()];
      while (mails.length < count) {
        await sleep(25);
        if (mails.length > seen) [seen, idleSince] = [mails.length, performance.now()];
        if (performance.now() - idleSince > 60_000) throw new Error(`only ${seen} of ${count} mails arrived`);
      }
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
