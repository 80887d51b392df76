// `npm run outbox`, against Azurite and with the real sendMail: what an operator sees and replays is what the app left there.
import type { QueueClient } from '@azure/storage-queue';
import { run } from '../../cli/outbox/run';
import { readConfig } from '../../shared/config';
import { addressHashOf } from '../../shared/address';
import { checkKey, requestReset } from '../../shared/resetFlow';
import { sendMail, type SendMailFlow } from '../../shared/sendMail';
import { buildServices, type Services } from '../../shared/services';
import { createAccountsAdmin } from '../../shared/storage/accountsAdmin';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import { createOutboxAdmin } from '../../shared/storage/outboxAdmin';
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/outgoingMailStorageQueue';
import { replayPoison } from '../../shared/storage/replayPoison';
import { createScriptedEmail, type ScriptedEmail } from '../fakes/scriptedEmail';
import { exampleSettings, keyIn } from '../support/app';
import { emptyStorage } from '../support/storage';
import { runCli, workFolder, type CliResult } from './runCli';

const signal = AbortSignal.timeout(60_000);
const folder = workFolder();
const address = 'someuser@somewhere.com';
const start = new Date('2026-03-01T12:00:00Z');
const nextDay = new Date('2026-03-02T12:30:00Z');

describe('npm run outbox', () => {
  let connectionString: string;
  let services: Services;
  let email: ScriptedEmail;
  let flow: SendMailFlow;
  let now: Date;
  let queue: QueueClient;
  let poison: QueueClient;
  beforeEach(async () => {
    connectionString = emptyStorage();
    const settings = readConfig({ ...exampleSettings, AzureWebJobsStorage: connectionString });
    if (!settings.ok) throw new Error(settings.problems.join());
    now = start;
    services = await buildServices(
      settings.config,
      () => {},
      () => now,
    );
    email = createScriptedEmail();
    flow = { ...services, email };
    queue = services.storage.queue(outgoingMailQueueName);
    poison = services.storage.queue(poisonQueueName);
    await Promise.all([queue.createIfNotExists(), poison.createIfNotExists()]);
    const password = 'pbkdf2_sha256$1$salt$AAAAAAAAAAAAAAAAAAAA';
    const account = { id: '1', email: address, username: 'someuser', password, isActive: true };
    await createAccountsAdmin(services.storage.table('Accounts')).add(account, signal);
  });

  const outbox = (argv: string): Promise<CliResult> =>
    runCli(run, connectionString, argv.split(' '), { cwd: folder.path, now });
  /** Handles every message that can be seen, as the host would. */
  async function drain(from = flow): Promise<void> {
    for (;;) {
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
      if (receivedMessageItems.length === 0) return;
      for (const { messageText, messageId, popReceipt } of receivedMessageItems) {
        await sendMail(from, JSON.parse(Buffer.from(messageText, 'base64').toString('utf8')));
        await queue.deleteMessage(messageId, popReceipt);
      }
    }
  }
  /** A mail that no provider took in time: it is in the poison queue, and failed. */
  async function failedMail(): Promise<string> {
    const id = await requestReset(flow, address, {}, signal);
    email.script({ outcome: 'permanent', reason: 'sendgrid_400' });
    await drain();
    return id;
  }
  const delivery = async (id: string) =>
    (
      await createDeliveriesTable(services.storage.table('Deliveries')).findBySubject(addressHashOf(address), signal)
    ).find((each) => each.id === id);
  const replayParts = () => ({
    deliveries: services.storage.table('Deliveries'),
    outbox: createOutboxAdmin(services.storage.table('Deliveries'), poison),
    queue,
    poisonQueue: poison,
    clock: () => now,
  });
  const poisoned = async (): Promise<number> =>
    (await poison.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.length;

  it('says of an empty poison queue that it is empty, also when nobody ever made it', async () => {
    await poison.delete();
    expect(await outbox('list')).toMatchObject({ code: 0, out: 'The poison queue is empty.\n' });
    expect(await outbox('replay --all')).toMatchObject({ code: 0 });
  });

  it('lists each message with what became of its mail, and no address', async () => {
    const id = await failedMail();
    await poison.sendMessage(Buffer.from('not ours').toString('base64'));
    const list = await outbox('list');
    expect(list.out).toMatch(
      new RegExp(
        `${id}  \\S+Z  password reset  failed sendgrid_400 +1\n\\(unreadable\\) .* nothing is known about it\n`,
      ),
    );
    expect(list.error).toContain('2 messages in the poison queue.');
    expect(list.out).not.toContain('somewhere');
    expect((await outbox('list --json')).json()).toMatchObject({
      count: 2,
      messages: [{ id, delivery: { state: 'failed' } }, {}],
    });
    expect(await poisoned()).toBe(2);
  });

  it('counts what it cannot show: the queue service shows 32 messages', async () => {
    for (let index = 0; index < 34; index++) await poison.sendMessage(Buffer.from('x').toString('base64'));
    expect((await outbox('list')).error).toContain('34 messages in the poison queue; the queue shows the oldest 32.');
  });

  it('answers "did she get the mail?" by her address, newest first', async () => {
    const first = await failedMail();
    now = nextDay;
    const second = await requestReset(flow, address, {}, signal);
    await drain();
    const deliveries = createDeliveriesTable(services.storage.table('Deliveries'));
    await deliveries.noteProvider(addressHashOf(address), second, { state: 'bounced', at: nextDay }, signal);
    const found = await outbox('find SomeUser@Somewhere.com');
    expect(found.out.split('\n')).toEqual([
      expect.stringMatching(/^accepted +mail +id +what became of it$/),
      `2026-03-02T12:30:00Z  password reset  ${second}  accepted by scripted; 2026-03-02T12:30:00Z: the recipient's server refused it: does the mailbox exist?`,
      `2026-03-01T12:00:00Z  password reset  ${first}  given up (sendgrid_400); once the cause is gone: npm run outbox -- replay ${first}`,
      '',
    ]);
    expect((await outbox('find nobody@somewhere.com')).code).toBe(1);
    expect((await outbox('find nonsense')).code).toBe(2);
  });

  it('shows one mail by its id', async () => {
    const id = await failedMail();
    expect((await outbox(`show ${id}`)).out).toMatch(
      /state +given up \(sendgrid_400\)[^]*in the poison queue +since 20/,
    );
    expect((await outbox(`show ${id} --json`)).json()).toMatchObject({ id, state: 'failed', kind: 'passwordReset' });
    expect((await outbox(`show ${'x'.repeat(22)}`)).code).toBe(1);
    expect((await outbox('show x')).code).toBe(2);
  });

  it.each(['-', '--', '-a'])('takes an id that begins with %s', async (begin) => {
    const id = begin.padEnd(22, 'x');
    expect((await outbox(`show ${id}`)).error).toContain('Nothing is known about this mail');
    expect((await outbox(`replay ${id} --json`)).json()).toEqual({ results: [], missing: [id] });
  });

  it('replays a mail once, with 24 hours from now and a link that works', async () => {
    const id = await failedMail();
    now = nextDay; // far later than the mail itself would be tried
    expect(await outbox(`replay ${id}`)).toMatchObject({
      code: 0,
      out: expect.stringContaining('is on its way again') as string,
    });
    expect(await delivery(id)).toMatchObject({ state: 'waiting', attempt: 1, acceptedAt: nextDay });
    await drain();
    expect(email.tried.map((mail) => mail.id)).toEqual([id, id]);
    expect(await delivery(id)).toMatchObject({ state: 'accepted', attempt: 1 });
    expect(await checkKey(flow, keyIn(email.tried[1]?.text ?? ''), signal)).toMatchObject({ outcome: 'live' });
    expect(await poisoned()).toBe(0);
    expect((await outbox(`replay ${id}`)).code).toBe(1);
  });

  it('sends each mail once when two operators replay all at once', async () => {
    const ids = [await failedMail(), await failedMail(), await failedMail()];
    await Promise.all([outbox('replay --all'), outbox('replay --all')]);
    await drain();
    expect(
      email.tried
        .slice(3)
        .map((mail) => mail.id)
        .sort(),
    ).toEqual([...ids].sort());
    expect(await poisoned()).toBe(0);
  });

  it.each([
    ['after the row was written', 'queue'],
    ['after the copy was sent', 'poisonQueue'],
  ] as const)('sends a mail once when the replay is killed %s, and said again', async (_when, dies) => {
    const id = await failedMail();
    const dead = () => Promise.reject(new Error('killed'));
    const broken =
      dies === 'queue' ? clientWith(queue, { sendMessage: dead }) : clientWith(poison, { deleteMessage: dead });
    await expect(replayPoison({ ...replayParts(), [dies]: broken }, 'all', false, signal)).rejects.toThrow();
    if (dies === 'poisonQueue') await drain(); // the copy is sent before the operator comes back
    expect(await poisoned()).toBe(1);
    expect((await outbox('replay --all')).out).toContain(
      dies === 'queue' ? 'is on its way again' : 'was sent meanwhile',
    );
    await drain();
    expect(email.tried.slice(1).map((mail) => mail.id)).toEqual([id]);
    expect(await poisoned()).toBe(0);
  });

  it('kills a copy that is still on its way by sending a newer one', async () => {
    const id = await failedMail();
    const keeping = clientWith(poison, { deleteMessage: () => Promise.reject(new Error('killed')) });
    await expect(replayPoison({ ...replayParts(), poisonQueue: keeping }, 'all', false, signal)).rejects.toThrow();
    await outbox('replay --all');
    await drain(); // two copies
    expect(email.tried.slice(1).map((mail) => mail.id)).toEqual([id]);
  });

  it('leaves a mail alone that a worker holds at this moment', async () => {
    const id = await failedMail();
    const row = await delivery(id);
    const table = services.storage.table('Deliveries');
    const lease = { state: 'sending', leaseUntil: new Date(now.getTime() + 1000) };
    await table.merge(addressHashOf(address), id, lease, row?.etag ?? '', signal);
    expect((await outbox('replay --all')).out).toContain('is being sent at this moment');
    expect(await poisoned()).toBe(1);
  });

  it('leaves what it knows nothing about where it is, unless it is forced', async () => {
    const id = await requestReset(flow, address, {}, signal);
    const { receivedMessageItems } = await queue.receiveMessages();
    await poison.sendMessage(receivedMessageItems[0]?.messageText ?? ''); // as the host does after ten crashes
    await queue.clearMessages();
    await poison.sendMessage(Buffer.from('not ours').toString('base64'));
    const left = await outbox('replay --all');
    expect(left).toMatchObject({ code: 1, error: 'Some messages were left alone.\n' });
    expect(await poisoned()).toBe(2);
    expect((await outbox(`replay ${id} --force`)).out).toContain('was sent back as it is');
    await drain();
    expect(email.tried.map((mail) => mail.id)).toEqual([id]);
    expect(await poisoned()).toBe(1);
  });

  it('replays by id only what was named, and gives the rest back at once', async () => {
    const [first, second] = [await failedMail(), await failedMail()];
    const result = await outbox(`replay ${second} ${'x'.repeat(22)} --json`);
    expect(result).toMatchObject({ code: 1 });
    expect(result.json()).toEqual({ results: [{ id: second, outcome: 'replayed' }], missing: ['x'.repeat(22)] });
    expect((await outbox('list --json')).json()).toMatchObject({ messages: [{ id: first }] });
    expect((await outbox('replay')).code).toBe(2);
  });
});

/** A client of which some methods are other ones. */
function clientWith(client: QueueClient, methods: Partial<QueueClient>): QueueClient {
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
