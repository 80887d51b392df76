// Queue functions under the dev host, against a real Azurite.
import { QueueServiceClient, type QueueClient } from '@azure/storage-queue';
import { type Azurite, startAzurite } from '../../dev/azurite';
import type { HostProcess } from '../../dev/host/hostProcess';
import { eventually, seen, type SeenEvent, startFixtureApp } from './fixtures/fixtureApp';

let azurite: Azurite;
const hosts: HostProcess[] = [];
let queueNumber = 0;

beforeAll(async () => {
  azurite = await startAzurite();
});
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.stop()));
});
afterAll(() => azurite.close());

interface Fixture {
  host: HostProcess;
  queue: QueueClient;
  poison: QueueClient;
  send(message: unknown): Promise<unknown>;
}

/** A host whose queue function reads a queue of its own. */
async function startWithQueue(options: Parameters<typeof startFixtureApp>[0] = {}): Promise<Fixture> {
  queueNumber += 1;
  const name = `work-${queueNumber}`;
  const env = { AzureWebJobsStorage: azurite.connectionString, WORK_QUEUE: name };
  const host = await startFixtureApp({ ...options, env });
  hosts.push(host);
  const service = QueueServiceClient.fromConnectionString(azurite.connectionString, { retryOptions: { maxTries: 1 } });
  const queue = service.getQueueClient(name);
  await eventually(() => queue.exists());
  return {
    host,
    queue,
    poison: service.getQueueClient(`${name}-poison`),
    send: (message) => queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64')),
  };
}

const done = ({ host }: Fixture): unknown[] =>
  seen(host).flatMap((event) => (event.done === undefined ? [] : [event.done]));
const calls = ({ host }: Pick<Fixture, 'host'>): SeenEvent[] => seen(host).filter((event) => event.metadata);
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

test('a message whose function fails is tried again until it succeeds', async () => {
  const fixture = await startWithQueue();
  await fixture.send({ fail: 2 });
  await eventually(() => done(fixture).length === 1);
  expect(calls(fixture)).toHaveLength(3);
  await eventually(async () => (await countOf(fixture.queue)) === 0);
  expect(await poisonTexts(fixture)).toEqual([]);
});

test('a message that failed maxDequeueCount times is moved to the poison queue as it was', async () => {
  const fixture = await startWithQueue();
  await fixture.send({ fail: 99 });
  const [text = ''] = await eventually(async () => {
    const texts = await poisonTexts(fixture);
    return texts.length > 0 && texts;
  });
  expect(Buffer.from(text, 'base64').toString()).toBe('{"fail":99}');
  await eventually(async () => (await countOf(fixture.queue)) === 0);
  expect(calls(fixture)).toHaveLength(3);
});

test('a message that is not base64 is poisoned without calling the function, and others go on', async () => {
  const fixture = await startWithQueue();
  await fixture.queue.sendMessage('{"not":"base64"}');
  await fixture.send({ good: true });
  await eventually(async () => (await poisonTexts(fixture))[0] === '{"not":"base64"}');
  await eventually(() => done(fixture).length === 1);
  expect(calls(fixture)).toHaveLength(1);
});

test('a message stays hidden while its function runs longer than the hold', async () => {
  const fixture = await startWithQueue({ queueHoldSeconds: 1 });
  await fixture.send({ ms: 2500 });
  await eventually(() => done(fixture).length === 1);
  await eventually(async () => (await countOf(fixture.queue)) === 0);
  expect(calls(fixture)).toHaveLength(1);
});

test('messages run side by side, batch upon batch, each of them once', async () => {
  const fixture = await startWithQueue();
  for (let number = 0; number < 20; number += 1) await fixture.send({ ms: 50, number });
  await eventually(() => done(fixture).length === 20);
  expect(new Set(done(fixture).map((message) => JSON.stringify(message))).size).toBe(20);
  await eventually(async () => (await countOf(fixture.queue)) === 0);
});

test('SIGTERM lets the function in flight finish and removes its message', async () => {
  const fixture = await startWithQueue();
  await fixture.send({ ms: 700 });
  await eventually(() => calls(fixture).length === 1);
  expect(await fixture.host.stop()).toBe(0);
  expect(done(fixture)).toHaveLength(1);
  expect(await countOf(fixture.queue)).toBe(0);
});

test('after kill -9 another host gets the message when the hold runs out', async () => {
  const first = await startWithQueue({ queueHoldSeconds: 2 });
  await first.send({ ms: 60_000, fail: 0 });
  await eventually(() => calls(first).length === 1);
  await first.host.stop('SIGKILL');
  const env = { AzureWebJobsStorage: azurite.connectionString, WORK_QUEUE: first.queue.name };
  const second = await startFixtureApp({ env, queueHoldSeconds: 2 });
  hosts.push(second);
  const event = await eventually(() => calls({ host: second })[0]);
  expect(event).toMatchObject({ metadata: { dequeueCount: 2 } });
  second.signal('SIGKILL');
});

test('an outage of the storage is logged once, HTTP goes on, and messages are read again afterwards', async () => {
  const own = await startAzurite();
  const env = { AzureWebJobsStorage: own.connectionString, WORK_QUEUE: 'work' };
  const host = await startFixtureApp({ env });
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
