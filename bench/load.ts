// The load: HTTP clients, the mail provider, and accounts, keys and queued mails written straight into the storage.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Pool } from 'undici';
import { addressHashOf } from '../shared/address';
import { newId, withDeadline } from '../shared/clock';
import type { Config } from '../shared/config';
import { enqueueMail } from '../shared/mailRequest';
import { issueResetKey, resetKeyIdOf } from '../shared/resetKey';
import { createAccountsTable } from '../shared/storage/accountsTable';
import { createOutgoingMailQueue } from '../shared/storage/outgoingMailQueue';
import { createResetKeysTable } from '../shared/resetLinks';
import type { StorageClients } from '../shared/storage/storage';

/** Kept-alive connections to one host. */
export interface TimedClient {
  /**
   * @param client the address that the request seems to come from
   * @returns the answer, and the time until its last byte
   */
  post(path: string, body: unknown, client?: string): Promise<{ status: number; body: string; ms: number }>;
  close(): void;
}

export function createClient(baseUrl: string, connections = 1): TimedClient {
  const pool = new Pool(baseUrl, { connections });
  return {
    async post(path, body, client = '203.0.113.7') {
      const headers = { 'Content-Type': 'application/json', 'X-Forwarded-For': client };
      const startedAt = performance.now();
      const answer = await pool.request({ path, method: 'POST', headers, body: JSON.stringify(body) });
      const text = await answer.body.text();
      return { status: answer.statusCode, body: text, ms: performance.now() - startedAt };
    },
    close: () => void pool.close(),
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

/** A mail that arrived. */
interface SunkMail {
  /** The app's mail id; undefined for the floor's. */
  readonly id: string | undefined;
  /** The reset key in it. */
  readonly key: string | undefined;
  /** `performance.now()` */
  readonly at: number;
}

/** The mail provider: accepts what SendGrid's API accepts. */
export interface Sink {
  readonly url: string;
  readonly mails: SunkMail[];
  /** Waits until so many mails have arrived in all. @throws Error after three minutes without any */
  waitFor(count: number): Promise<void>;
  close(): void;
}

/** @param answerMs how long it takes to accept a mail */
export async function startSink(answerMs: number): Promise<Sink> {
  const mails: SunkMail[] = [];
  const server = createServer((call, response) => {
    const chunks: Buffer[] = [];
    call.on('data', (chunk: Buffer) => chunks.push(chunk));
    call.once('end', () => {
      const text = Buffer.concat(chunks).toString();
      const [id, key] = [/"mail_id":"([\w-]+)"/, /\/key\/([\w.-]+)\//].map((part) => part.exec(text)?.[1]);
      mails.push({ id, key, at: performance.now() });
      const accept = (): unknown => response.writeHead(202).end();
      if (answerMs === 0) accept();
      else setTimeout(accept, answerMs);
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
        if (performance.now() - idleSince > 180_000) throw new Error(`only ${seen} of ${count} mails arrived`);
      }
    },
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** A key that works, and where its row is. */
export interface SampleKey {
  readonly key: string;
  readonly sub: string;
  readonly resetKeyId: string;
}

const atOnce = 32;
export const addressOf = (index: number): string => `user${String(index).padStart(6, '0')}@somewhere.com`;

/** An account row as a site would write it. */
export async function addAccount(storage: StorageClients, email: string, isActive = true): Promise<void> {
  const columns = { email, username: 'someuser', password: 'pbkdf2_sha256$1$salt$AAAA', isActive, generation: 0 };
  await storage.table('Accounts').insert(addressHashOf(email), '1', columns);
}

/** Adds the accounts of the addresses from one index to before another. */
export async function addAccounts(storage: StorageClients, from: number, to: number): Promise<void> {
  await inParallel(to - from, atOnce, (index) => addAccount(storage, addressOf(from + index)));
}

/** Makes a live key for each account from one index to before another. */
export function addKeys(storage: StorageClients, config: Config, from: number, to: number): Promise<SampleKey[]> {
  const accounts = createAccountsTable(storage.table('Accounts'), () => undefined);
  const keys = createResetKeysTable(storage.table('ResetKeys'));
  const add = async (index: number): Promise<SampleKey> => {
    const [account] = await accounts.findByAddress(addressOf(from + index));
    if (account === undefined) throw new Error('the account was not written');
    const { addressHash, id: accountId, credentialVersion } = account;
    const { key, claims } = issueResetKey(config, addressHash, new Date());
    const resetKeyId = resetKeyIdOf(claims);
    await keys.bind({ addressHash, resetKeyId, accountId, credentialVersion, expiresAt: claims.expiresAt });
    return { key, sub: addressHash, resetKeyId };
  };
  // Without the time-outs of an invocation: among 100,000 rows each query of Azurite takes long.
  return withDeadline(new AbortController().signal, () => inParallel(to - from, atOnce, add));
}

/** Queues a mail for each address from one index to before another, as the app does. */
export async function queueMails(storage: StorageClients, settings: Config, from: number, to: number): Promise<void> {
  const queue = createOutgoingMailQueue(storage.putMessage);
  await inParallel(to - from, atOnce, async (index) => {
    const email = addressOf(from + index);
    const acceptedAt = new Date();
    const { key } = issueResetKey(settings, addressHashOf(email), acceptedAt);
    const client = clientAddress(from + index);
    await enqueueMail({ settings, queue }, newId(), { kind: 'resetAddress', email, key, acceptedAt, client });
  });
}

/** The same for the floor: messages of the same size that name the account's partition. */
export async function queueFloorMails(storage: StorageClients, from: number, to: number): Promise<void> {
  const queue = await storage.queue('outgoing-mail');
  await inParallel(to - from, atOnce, async (index) => {
    const message = { sub: addressHashOf(addressOf(from + index)), padding: 'x'.repeat(1300) };
    await queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
  });
}
