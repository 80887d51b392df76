// `npm run outbox`, on Azurite and with the real worker: what an operator sees and replays is what the app left there.
import type { QueueClient } from '@azure/storage-queue';
import { run } from '../../cli/outbox/run';
import { replayPoison } from '../../cli/storage/poisonQueue';
import { addressHashOf } from '../../shared/address';
import { readConfig } from '../../shared/config';
import type { DeliveryChange } from '../../shared/outbox/deliveries';
import { requestReset } from '../../shared/resetFlow';
import { buildServices, type Services } from '../../shared/services';
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/storage';
import { createScriptedEmail, type ScriptedEmail } from '../fakes/scriptedEmail';
import { addAccount, exampleSettings } from '../support/app';
import { createTestOutbox, start } from '../support/flow';
import { emptyStorage } from '../support/storage';
import { runCli, workFolder, type CliResult } from './runCli';

const folder = workFolder();
const address = 'someuser@somewhere.com';
const addressHash = addressHashOf(address);
const nextDay = new Date('2026-03-02T12:30:00Z');

let services: Services;
let email: ScriptedEmail;
let now: Date;
let queue: QueueClient;
let poison: QueueClient;
beforeEach(async () => {
  const AzureWebJobsStorage = emptyStorage();
  const settings = readConfig({ ...exampleSettings, LIMIT_PER_ADDRESS: 'off', AzureWebJobsStorage });
  if (!settings.ok) throw new Error(settings.problems.join());
  now = start;
  email = createScriptedEmail();
  const clock = (): Date => now;
  services = { ...buildServices(settings.config, () => {}, clock), email };
  await services.storage.createMissing();
  queue = await services.storage.queue(outgoingMailQueueName);
  poison = await services.storage.queue(poisonQueueName);
  await addAccount(services, { email: address, username: 'someuser' });
});

const outbox = (argv: string, env: Record<string, string> = {}): Promise<CliResult> =>
  runCli(run, argv.split(' '), { cwd: folder.path, now, storage: services.storage, env });
const request = (): Promise<string> => requestReset(services, address, {});
/** Handles every message that can be seen, as the host would. */
async function drain(): Promise<void> {
  const { handle } = createTestOutbox(services);
  for (;;) {
    const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: 32 });
    if (receivedMessageItems.length === 0) return;
    for (const { messageText, messageId, popReceipt } of receivedMessageItems) {
      await handle(JSON.parse(Buffer.from(messageText, 'base64').toString('utf8')));
      await queue.deleteMessage(messageId, popReceipt);
    }
  }
}
/** A mail that no provider accepted for a day: it is in the poison queue, and failed. */
async function failedMail(): Promise<string> {
  now = start;
  const id = await request();
  await recordMail(id, { state: 'waiting', reason: 'sendgrid_503', now });
  now = nextDay;
  await drain();
  return id;
}
async function claimMail(id: string) {
  const claim = { addressHash, id, kind: 'passwordReset', attempt: 0, acceptedAt: now, claimId: 'c', now } as const;
  const claimed = await services.deliveries.claim(claim);
  if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
  return claimed.delivery;
}
const recordMail = async (id: string, change: DeliveryChange): Promise<unknown> =>
  services.deliveries.record(await claimMail(id), change);
const delivery = async (id: string) =>
  (await services.deliveries.findByAddressHash(addressHash)).find((each) => each.id === id);
const replayDeps = () => {
  const deliveries = services.storage.table('Deliveries');
  return { deliveries, hasAccount: undefined, queue, poisonQueue: poison, clock: () => now };
};
const poisoned = async (): Promise<number> =>
  (await poison.peekMessages({ numberOfMessages: 32 })).peekedMessageItems.length;
const sent = (): string[] => email.tried.map(({ id }) => id).sort();

it('says that the poison queue is empty, also if it does not exist', async () => {
  await poison.delete();
  expect(await outbox('list')).toMatchObject({ code: 0, out: 'The poison queue is empty.\n' });
  expect(await outbox('replay --all')).toMatchObject({ code: 0 });
});

it('lists each message with what became of its mail, and no address', async () => {
  const id = await failedMail();
  await poison.sendMessage(Buffer.from('not ours').toString('base64'));
  const list = await outbox('list');
  const rows = `${id}  \\S+Z  password reset  failed too_late +1\n\\(unreadable\\) .* no record\n`;
  expect(list.out).toMatch(new RegExp(rows));
  expect(list.error).toContain('2 messages in the poison queue.');
  expect(list.out).not.toContain('somewhere');
  const json = (await outbox('list --json')).json();
  expect(json).toMatchObject({ count: 2, messages: [{ id, delivery: { state: 'failed' } }, {}] });
  expect(JSON.stringify(json)).not.toContain(addressHash);
});

it('shows a mail by its id, and finds it by its address, in every state', async () => {
  const failed = await failedMail();
  expect((await outbox(`show ${failed}`)).out).toMatch(/given up \(too_late\)[^]*in the poison queue +since/);
  await recordMail('u'.repeat(22), { state: 'unsure', reason: 'timeout', now });
  await recordMail('r'.repeat(22), { state: 'failed', reason: 'smtp_550', now });
  await recordMail('b'.repeat(22), { state: 'accepted', backend: 'sendgrid', now });
  await services.deliveries.noteProvider(addressHash, 'b'.repeat(22), { state: 'blocked', at: now });
  for (const id of ['s'.repeat(22), 't'.repeat(22)]) {
    await services.deliveries.suppress(await claimMail(id), 'address_limit', now);
  }
  const found = await outbox(`find ${address}`);
  expect(found.out).toMatch(/u{22} +unsure \(timeout\)/);
  expect(found.out).toMatch(/r{22} +refused for good \(smtp_550\)/);
  expect(found.out).toMatch(/b{22} .*blocked by/);
  expect(found.out).toMatch(/2 mails not sent/);
  expect((await outbox('find nobody@somewhere.com')).code).toBe(1);
  expect((await outbox(`show ${'x'.repeat(22)}`)).code).toBe(1);
  expect((await outbox('show x')).code).toBe(2);
});

it('replays a mail that was given up: it is sent once, with a new day', async () => {
  const id = await failedMail();
  expect((await outbox(`replay ${id}`)).out).toContain('on its way again');
  expect(await delivery(id)).toMatchObject({ state: 'waiting', reason: 'replayed', acceptedAt: nextDay });
  const [copy] = (await queue.peekMessages()).peekedMessageItems;
  expect(copy?.expiresOn.getUTCFullYear()).toBe(9999); // never
  await drain();
  expect([sent(), await poisoned()]).toEqual([[id], 0]);
  expect(await delivery(id)).toMatchObject({ state: 'accepted', attempt: 1 });
  expect((await outbox(`replay ${id}`)).code).toBe(1);
});

it('sends each mail once if two operators replay all at once', async () => {
  const ids = [await failedMail(), await failedMail(), await failedMail()];
  await Promise.all([outbox('replay --all'), outbox('replay --all')]);
  await drain();
  expect([sent(), await poisoned()]).toEqual([ids.sort(), 0]);
});

it.each([
  ['after the row was written', 'queue', 'on its way again'],
  ['after the copy was sent', 'poisonQueue', 'was sent in the meantime'],
] as const)('sends a mail once if the replay is killed %s, and repeated', async (_when, dies, said) => {
  const id = await failedMail();
  const killed = () => Promise.reject(new Error('killed'));
  const broken =
    dies === 'queue' ? clientWith(queue, { sendMessage: killed }) : clientWith(poison, { deleteMessage: killed });
  await expect(replayPoison({ ...replayDeps(), [dies]: broken }, 'all', false)).rejects.toThrow();
  if (dies === 'poisonQueue') await drain(); // the copy is sent before the operator comes back
  expect(await poisoned()).toBe(1);
  expect((await outbox('replay --all')).out).toContain(said);
  await drain();
  expect([sent(), await poisoned()]).toEqual([[id], 0]);
});

it('leaves a message that another operator has taken over meanwhile', async () => {
  const id = await failedMail();
  const takenOver: QueueClient['deleteMessage'] = async (messageId, popReceipt) => {
    await poison.updateMessage(messageId, popReceipt, undefined, 0);
    return poison.deleteMessage(messageId, popReceipt);
  };
  await replayPoison({ ...replayDeps(), poisonQueue: clientWith(poison, { deleteMessage: takenOver }) }, 'all', false);
  await drain();
  expect([sent(), await poisoned()]).toEqual([[id], 1]);
});

it('supersedes a copy that is still in the queue', async () => {
  const id = await failedMail();
  const keeping = clientWith(poison, { deleteMessage: () => Promise.reject(new Error('killed')) });
  await expect(replayPoison({ ...replayDeps(), poisonQueue: keeping }, 'all', false)).rejects.toThrow();
  await outbox('replay --all');
  await drain(); // two copies
  expect(sent()).toEqual([id]);
});

it.each([
  [{ state: 'sending', leaseUntil: new Date(nextDay.getTime() + 1000) }, 'is being sent right now'],
  [{ state: 'unsure', reason: 'timeout' }, 'may have been sent'],
])('leaves a mail alone that is %j', async (columns, said) => {
  const id = await failedMail();
  await services.storage.table('Deliveries').merge(addressHash, id, columns, '*');
  expect((await outbox('replay --all')).out).toContain(said);
  expect([sent(), await poisoned()]).toEqual([[], 1]);
});

it("says that a mail's account was moved, unless the site keeps the accounts", async () => {
  const id = await failedMail();
  await services.storage.table('Accounts').remove(addressHash, '1', '*');
  const left = await outbox(`replay ${id}`);
  expect([left.code, left.out]).toEqual([1, expect.stringContaining('no account has its address any more')]);
  expect(await poisoned()).toBe(1);
  const env = { ACCOUNT_DIRECTORY: 'http', ACCOUNT_DIRECTORY_URL: 'http://127.0.0.1:1' };
  const secret = `whsec_${Buffer.alloc(32, 1).toString('base64')}`;
  expect((await outbox(`replay ${id}`, { ...env, ACCOUNT_DIRECTORY_SECRETS: secret })).code).toBe(0);
});

it('leaves messages without a record where they are, unless forced', async () => {
  const id = await request();
  const { receivedMessageItems } = await queue.receiveMessages();
  await poison.sendMessage(receivedMessageItems[0]?.messageText ?? ''); // as the host does after ten crashes
  await queue.clearMessages();
  await poison.sendMessage(Buffer.from('not ours').toString('base64'));
  expect(await outbox('replay --all')).toMatchObject({ code: 1, error: 'Some messages were left alone.\n' });
  expect(await poisoned()).toBe(2);
  expect((await outbox(`replay ${id} --force`)).out).toContain('sent back as it is');
  await drain();
  expect([sent(), await poisoned()]).toEqual([[id], 1]);
});

it('replays by id only what was named, and releases the rest at once', async () => {
  const [first, second] = [await failedMail(), await failedMail()];
  const result = await outbox(`replay ${second} ${'x'.repeat(22)} --json`);
  expect(result).toMatchObject({ code: 1 });
  expect(result.json()).toEqual({ results: [{ id: second, outcome: 'replayed' }], missing: ['x'.repeat(22)] });
  expect((await outbox('list --json')).json()).toMatchObject({ messages: [{ id: first }] });
  expect((await outbox('replay')).code).toBe(2);
});

/** A client some of whose methods are replaced. */
function clientWith(client: QueueClient, methods: Partial<QueueClient>): QueueClient {
  return new Proxy(client, {
    get: (target, name) => {
      const value: unknown = Reflect.get(methods, name) ?? Reflect.get(target, name);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
