// `npm run test:timing`: can the time of an answer to POST request tell a known address from an unknown one? Pairs of requests in
// random order, one for an unknown address and one for an address with an account (active, inactive, or over its limit); the area
// under the curve must lie in the band. Three runs, each with the queue at rest and with the mails being sent by the same host.
// Writes bench/results/timing.json; exits 1 when one figure is outside.
import { randomInt } from 'node:crypto';
import type { StorageClients } from '../shared/storage/storage';
import { addAccount, createClient, inParallel, type TimedClient } from './load';
import { buildApps, preparedStorage, settingsOf, startBench, startStorage, writeResults } from './setting';
import { areaUnderCurve, median, rounded } from './statistics';

const runs = 3;
const pairs = 300;
const warmUps = 50;
const band = { low: 0.42, high: 0.58 };

const kinds = ['known', 'inactive', 'limited'] as const;
type Kind = (typeof kinds)[number];
/** All addresses have the same length: what was typed may not differ either. */
const addressOf = (kind: Kind | 'unknown' | 'warming', index: number): string =>
  `${kind.padEnd(10, '-')}${String(index).padStart(4, '0')}@somewhere.com`;
/** One account for all its requests: its fourth mail is over the limit. */
const addressAsked = (kind: Kind, index: number): string => addressOf(kind, kind === 'limited' ? 0 : index);

async function seed(storage: StorageClients): Promise<void> {
  await inParallel(pairs, 20, (index) => addAccount(storage, addressOf('known', index)));
  await inParallel(pairs, 20, (index) => addAccount(storage, addressOf('inactive', index), false));
  await addAccount(storage, addressOf('limited', 0));
}

/** @returns undefined for a 503: then the machine is too busy for Azurite to answer in time, and the pair is left out */
async function ask(client: TimedClient, email: string): Promise<number | undefined> {
  const { status, ms, body } = await client.post('/api/password-reset/request', { email });
  if (status === 503) return undefined;
  if (status !== 202) throw new Error(`request answered ${status}: ${body}`);
  return ms;
}

async function measureKind(client: TimedClient, kind: Kind) {
  const times = { account: [] as number[], unknown: [] as number[] };
  for (let index = 0; index < pairs; index++) {
    const emails = { account: addressAsked(kind, index), unknown: addressOf('unknown', index) };
    const taken: Partial<Record<keyof typeof times, number | undefined>> = {};
    const order = randomInt(2) === 0 ? (['account', 'unknown'] as const) : (['unknown', 'account'] as const);
    for (const which of order) taken[which] = await ask(client, emails[which]);
    if (taken.account === undefined || taken.unknown === undefined) continue;
    times.account.push(taken.account);
    times.unknown.push(taken.unknown);
  }
  if (times.account.length < pairs * 0.95) throw new Error('The machine is too busy to measure anything.');
  const auc = rounded(areaUnderCurve(times.account, times.unknown));
  return {
    pairs: times.account.length,
    auc,
    accountMs: rounded(median(times.account)),
    unknownMs: rounded(median(times.unknown)),
    inBand: auc >= band.low && auc <= band.high,
  };
}

async function measureRun(connectionString: string, queues: boolean) {
  await seed(await preparedStorage(connectionString));
  const env = settingsOf(connectionString, { LIMIT_PER_IP: 'off' });
  const host = await startBench('app', env, { queues });
  const client = createClient(host.url);
  try {
    for (let index = 0; index < warmUps; index++) await ask(client, addressOf('warming', index));
    const results = {} as Record<Kind, Awaited<ReturnType<typeof measureKind>>>;
    for (const kind of kinds) results[kind] = await measureKind(client, kind);
    return results;
  } finally {
    client.close();
    await host.stop();
  }
}

async function main(): Promise<void> {
  await buildApps();
  const storage = await startStorage(runs * 2);
  try {
    const results: { queue: 'at rest' | 'busy'; run: number; kind: Kind; auc: number; inBand: boolean }[] = [];
    for (const [index, connectionString] of storage.connectionStrings.entries()) {
      const busy = index % 2 === 1;
      const run = Math.floor(index / 2) + 1;
      const measured = await measureRun(connectionString, busy);
      for (const kind of kinds) {
        const queue = busy ? 'busy' : 'at rest';
        results.push({ run, queue, kind, ...measured[kind] });
        const { auc, accountMs, unknownMs, inBand } = measured[kind];
        console.log(
          `run ${run}, queue ${queue}: ${kind} ${accountMs} ms, unknown ${unknownMs} ms, AUC ${auc}${inBand ? '' : ' OUT OF BAND'}`,
        );
      }
      await writeResults('timing', { pairs, band, results }); // after each run: a long one may be cut short
    }
    process.exitCode = results.every(({ inBand }) => inBand) ? 0 : 1;
  } finally {
    await storage.close();
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
