// Mails as they leave: a full queue, two instances, CPU, and HTTP beside it in the same process.
import { setTimeout as sleep } from 'node:timers/promises';
import { hashPassword } from '../shared/password/passwordHash';
import { addAccounts, addressOf, clientAddress, createClient, inParallel, queueFloorMails, queueMails } from './load';
import { configOf, cpuMs, inSetting, preparedStorage, type AppName } from './setting';
import { against, figure, median, quantile, type Figure } from './statistics';

interface Drained {
  /** Mails a second between the first and the last to arrive: starting is not in it. */
  readonly perSecond: number;
  readonly doubles: number;
  /** CPU while they left, in cores. */
  readonly cores: { readonly azurite: number; readonly instances: number };
}

/** Fills the queue of a new Azurite, starts so many instances on it, and waits until it is empty. */
function drain(app: AppName, count: number, instances: number, providerMs = 0): Promise<Drained> {
  return inSetting(
    1,
    async ({ storages: [storage = ''], azurite, sink, start }) => {
      const prepared = await preparedStorage(storage);
      await addAccounts(prepared, 0, count);
      if (app === 'app') await queueMails(prepared, configOf(storage), 0, count);
      else await queueFloorMails(prepared, 0, count);
      const hosts = await Promise.all(Array.from({ length: instances }, () => start(app, storage, { queues: true })));
      const usage = () => [cpuMs(azurite.pid), hosts.reduce((sum, { pid }) => sum + cpuMs(pid), 0)] as const;
      await sink.waitFor(1);
      const [before, startedAt] = [usage(), performance.now()];
      await sink.waitFor(count);
      const [after, elapsedMs] = [usage(), performance.now() - startedAt];
      await sleep(1000); // a double would be a late one
      const { mails } = sink;
      const [first, last] = [mails[0]?.at ?? 0, mails[count - 1]?.at ?? 0];
      return {
        perSecond: ((count - 1) * 1000) / (last - first),
        doubles: app === 'app' ? mails.length - new Set(mails.map(({ id }) => id)).size : 0,
        cores: { azurite: (after[0] - before[0]) / elapsedMs, instances: (after[1] - before[1]) / elapsedMs },
      };
    },
    providerMs,
  );
}

const drained = (name: string, { value, floor }: Record<'value' | 'floor', Drained>, atLeast: number): Figure[] => [
  against(`${name}, mails a second`, '/s', value.perSecond, floor.perSecond, { atLeast }),
  against(`${name}, CPU of the instances`, 'cores', value.cores.instances, floor.cores.instances),
  against(`${name}, CPU of Azurite`, 'cores', value.cores.azurite, floor.cores.azurite),
  figure(`${name}, doubles`, '', value.doubles, { atMost: 0 }),
];

/** A full queue drained by the app and by the floor. */
export const measureQueue = async (count: number): Promise<Figure[]> =>
  drained(`queue of ${count}`, { value: await drain('app', count, 1), floor: await drain('floor', count, 1) }, 0.8);

/**
 * A queue drained by two instances and by one, with a provider that takes 300 ms for a mail, as the real one does. Then what an instance
 * has in flight is its limit, as in Azure. With a provider that answers at once it is the CPU, and one instance with its Azurite takes
 * nearly both cores of the machine of the last table.
 */
export const measureTwo = async (): Promise<Figure[]> =>
  drained(
    'two instances against one',
    { value: await drain('app', 600, 2, 300), floor: await drain('app', 600, 1, 300) },
    1.5,
  );

/** From the request to the mail at the provider, on a quiet host: mostly the queue's polling. */
export function measureJourney(): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [storage = ''], sink, start }) => {
    const count = 40;
    await addAccounts(await preparedStorage(storage), 0, count);
    const host = await start('app', storage, { queues: true });
    const client = createClient(host.url);
    const times: number[] = [];
    for (let index = 0; index < count; index++) {
      const startedAt = performance.now();
      await client.post('/api/password-reset/request', { email: addressOf(index) }, clientAddress(index));
      await sink.waitFor(index + 1);
      times.push((sink.mails[index]?.at ?? NaN) - startedAt);
      await sleep(50);
    }
    client.close();
    return [
      figure('request → mail accepted, p50', 'ms', median(times)),
      figure('request → mail accepted, p95', 'ms', quantile(times, 0.95)),
    ];
  });
}

/** Answers to requests that come at 50 a second, while the same process sends their mails. */
export function measureTail(): Promise<Figure[]> {
  return inSetting(1, async ({ storages: [storage = ''], sink, start }) => {
    const [perSecond, seconds, warmSeconds] = [50, 15, 3];
    const count = perSecond * (seconds + warmSeconds);
    await addAccounts(await preparedStorage(storage), 0, count);
    const client = createClient((await start('app', storage, { queues: true })).url, 30);
    const times: number[] = [];
    const request = async (index: number): Promise<void> => {
      const body = { email: addressOf(index) };
      const { ms, status } = await client.post('/api/password-reset/request', body, clientAddress(index));
      if (status !== 202) throw new Error(`request answered ${status}`);
      if (index >= warmSeconds * perSecond) times.push(ms);
    };
    const calls: Promise<void>[] = [];
    const startedAt = performance.now();
    for (let index = 0; index < count; index++) {
      await sleep(Math.max(0, startedAt + (index * 1000) / perSecond - performance.now()));
      calls.push(request(index));
    }
    await Promise.all(calls);
    const sent = sink.mails.length / (seconds + warmSeconds);
    client.close();
    const [p50, p95] = [median(times), quantile(times, 0.95)];
    return [
      figure('request beside 50 mails/s, mails sent meanwhile', '/s', sent),
      figure('request beside 50 mails/s, p50', 'ms', p50),
      against('request beside 50 mails/s, p95 against p50', 'ms', p95, p50, { atMost: 3 }),
    ];
  });
}

/** CPU of the app's process without what an empty app's process takes for the same calls and messages. */
export function measureCpu(): Promise<Figure[]> {
  return inSetting(2, async ({ storages: [appStorage = '', emptyStorage = ''], sink, start }) => {
    const [warm, count, atOnce] = [500, 400, 10]; // V8 optimizes during the first hundreds of calls
    const storage = await preparedStorage(appStorage);
    await addAccounts(storage, 0, warm + 2 * count);
    const app = await start('app', appStorage, { queues: true });
    const client = createClient(app.url, atOnce);
    const request = (index: number) =>
      client.post('/api/password-reset/request', { email: addressOf(index) }, clientAddress(index));
    const spent = async (pid: number, work: () => Promise<unknown>): Promise<number> => {
      const before = cpuMs(pid);
      await work();
      await sleep(300); // the last messages are recorded and deleted
      return (cpuMs(pid) - before) / count;
    };
    const redeem = async (key: string | undefined): Promise<void> => {
      const body = { key, newPassword: 'correct horse battery staple' };
      const { status } = await client.post('/api/password-reset/redeem', body, clientAddress(sink.mails.length));
      if (status !== 200) throw new Error(`redeem answered ${status}`);
    };
    const mailed = async (from: number, howMany: number): Promise<void> => {
      const before = sink.mails.length;
      await inParallel(howMany, atOnce, (index) => request(from + index));
      await sink.waitFor(before + howMany);
    };
    await mailed(0, warm);
    await inParallel(50, 4, (index) => redeem(sink.mails[index]?.key));
    await sink.waitFor(warm + 50);
    const perMail = await spent(app.pid, () => mailed(warm, count));
    const perReset = await spent(app.pid, async () => {
      const before = sink.mails.length;
      await mailed(warm + count, count);
      await inParallel(count, 4, (index) => redeem(sink.mails[before + index]?.key));
      await sink.waitFor(before + 2 * count);
    });
    client.close();

    const empty = await start('empty', emptyStorage, { queues: true });
    const bare = createClient(empty.url, atOnce);
    const queue = await (await preparedStorage(emptyStorage)).queue('outgoing-mail');
    const work = async (): Promise<void> => {
      await inParallel(count, atOnce, async (index) => {
        await bare.post('/empty', { email: addressOf(index) });
        await queue.sendMessage(Buffer.from(JSON.stringify({ padding: 'x'.repeat(1300) })).toString('base64'));
      });
      while (((await queue.getProperties()).approximateMessagesCount ?? 0) > 0) await sleep(100);
    };
    await work();
    const perCall = await spent(empty.pid, work);
    bare.close();

    await hashPassword('correct horse battery staple', 'argon2id');
    const before = process.cpuUsage();
    for (let index = 0; index < 50; index++) await hashPassword('correct horse battery staple', 'argon2id');
    const { user, system } = process.cpuUsage(before);
    const perHash = (user + system) / 50_000;
    const perResetAlone = perReset - 2 * perCall;
    return [
      figure('CPU of the host per call and message (empty app)', 'ms', perCall),
      figure('CPU of Argon2id, 19 MiB, t=2', 'ms', perHash),
      figure('CPU per request and mail, app alone', 'ms', perMail - perCall, { atMost: 4 }),
      figure('CPU per completed reset without Argon2id, app alone', 'ms', perResetAlone - perHash),
      figure('CPU per completed reset, app alone', 'ms', perResetAlone, { atMost: 35 }),
    ];
  });
}
