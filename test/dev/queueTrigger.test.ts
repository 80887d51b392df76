// Azurite as a child process, and queue functions under the dev host against it.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import { portAnswers, startAzurite } from '../../dev/azurite';
import type { HostProcess } from '../../dev/host/hostProcess';
import { eventually } from '../support/app';
import { emptyStorage } from '../support/storage';
import { seen, type SeenEvent, startFixtureApp } from './fixtures/fixtureApp';

const hosts: HostProcess[] = [];
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});

type Fixture = Awaited<ReturnType<typeof startWithQueue>>;

/** A host whose queue function reads a queue of its own. */
async function startWithQueue(options: Parameters<typeof startFixtureApp>[0] = {}) {
  const AzureWebJobsStorage = emptyStorage();
  const host = await startFixtureApp({ ...options, env: { AzureWebJobsStorage } });
  hosts.push(host);
  const service = QueueServiceClient.fromConnectionString(AzureWebJobsStorage, { retryOptions: { maxTries: 1 } });
  const queue = service.getQueueClient('work');
  await eventually(() => queue.exists());
  return {
    host,
    queue,
    poison: service.getQueueClient('work-poison'),
    send: (message: unknown) => queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64')),
  };
}

const done = ({ host }: Fixture): unknown[] =>
  seen(host).flatMap((event) => (event.done === undefined ? [] : [event.done]));
const calls = ({ host }: Fixture): SeenEvent[] => seen(host).filter((event) => event.metadata);
const countOf = async (queue: QueueClient): Promise<number> =>
  (await queue.getProperties()).approximateMessagesCount ?? 0;
const poisonTexts = async ({ poison }: Fixture): Promise<string[]> =>
  (await poison.exists())
    ? (await poison.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.map((item) => item.messageText)
    : [];

test('a message reaches the function as the object its JSON tells, and is gone afterwards', async () => {
  const fixture = await startWithQueue();
  const message = { text: 'grüße <&>', list: [1] };
  await fixture.send(message);
  await eventually(() => done(fixture).length === 1);
  expect(done(fixture)).toEqual([message]);
  expect(calls(fixture)[0]).toMatchObject({
    metadata: { id: expect.stringMatching(/^[0-9a-f-]{36}$/), dequeueCount: 1, queueTrigger: message },
  });
  await eventually(async () => (await countOf(fixture.queue)) === 0);
});

test('a message that fails is tried again, and moved to the poison queue as it was after maxDequeueCount times', async () => {
  const fixture = await startWithQueue();
  await fixture.send({ fail: 99 });
  await fixture.send({ fail: 2 });
  await eventually(() => done(fixture).length === 1);
  const [text = ''] = await eventually(async () => {
    const texts = await poisonTexts(fixture);
    return texts.length > 0 && texts;
  });
  expect(Buffer.from(text, 'base64').toString()).toBe('{"fail":99}');
  await eventually(async () => (await countOf(fixture.queue)) === 0);
  expect(calls(fixture)).toHaveLength(6);
  expect(done(fixture)).toEqual([{ fail: 2 }]);
});

test('a message stays hidden while its function runs longer than the hold', async () => {
  const fixture = await startWithQueue({ queueHoldSeconds: 1 });
  await fixture.send({ ms: 2500 });
  await eventually(() => done(fixture).length === 1);
  await eventually(async () => (await countOf(fixture.queue)) === 0);
  expect(calls(fixture)).toHaveLength(1);
});

test('an outage of the storage is logged once, HTTP goes on, and messages are read again afterwards', async () => {
  const own = await startAzurite();
  const host = await startFixtureApp({ env: { AzureWebJobsStorage: own.connectionString } });
  hosts.push(host);
  const connect = (): QueueClient =>
    QueueServiceClient.fromConnectionString(own.connectionString).getQueueClient('work');
  await eventually(() => connect().exists());

  await own.close('SIGKILL');
  await eventually(() => host.output().includes('cannot be read'));
  expect((await fetch(`${host.url}/api/order/x`)).status).toBe(200);

  // The new one has forgotten the queue: the host makes it again.
  const again = await startAzurite({ ports: own.ports });
  await eventually(() => host.output().includes('can be read again'));
  await connect().sendMessage(Buffer.from('{"after":"outage"}').toString('base64'));
  await eventually(() => seen(host).some((event) => JSON.stringify(event.done) === '{"after":"outage"}'));
  expect(host.output().match(/cannot be read/g)).toHaveLength(1);
  expect(await host.stop()).toBe(0);
  await again.close();
});

describe('Azurite', () => {
  test('with a location its data is there again after a restart on the same ports', async () => {
    const location = mkdtempSync(path.join(os.tmpdir(), 'azurite-'));
    const first = await startAzurite({ location });
    const queue = QueueServiceClient.fromConnectionString(first.connectionString).getQueueClient('some-queue');
    await queue.create();
    await queue.sendMessage('kept');
    await first.close();
    const second = await startAzurite({ location, ports: first.ports });
    expect(second.ports).toEqual(first.ports);
    expect((await queue.peekMessages()).peekedMessageItems.map((item) => item.messageText)).toEqual(['kept']);
    await second.close();
    rmSync(location, { recursive: true });
  });

  test('a taken port is an error that shows Azurite’s words', async () => {
    const first = await startAzurite();
    await expect(startAzurite({ ports: first.ports })).rejects.toThrow(/did not start:[^]*EADDRINUSE/);
    await first.close();
  });

  test('it ends when its parent is killed', async () => {
    const script = `require(${JSON.stringify(path.join(__dirname, '../../dev/azurite.ts'))}).startAzurite().then((a) => console.log(a.ports.queue))`;
    const parent = spawn(process.execPath, ['--import', 'tsx', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] });
    const port = await new Promise<number>((resolve) => {
      parent.stdout.once('data', (data: Buffer) => {
        resolve(Number(data.toString()));
      });
    });
    expect(await portAnswers(port)).toBe(true);
    parent.kill('SIGKILL');
    await eventually(async () => !(await portAnswers(port)));
  });
});
