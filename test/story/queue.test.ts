// The queue as it really is: junk, duplicates, other encodings, other versions, other secrets, all at once.
import { seal } from '../../shared/outbox/outgoingMail';
import { newId } from '../../shared/clock';
import { sampleSigningSecret } from '../../shared/config';
import { addAccount, eventually, someuser, startApp, type App } from '../support/app';
import { emptyStorage } from '../support/storage';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secret = { kid: 'dev', secret: Buffer.from(sampleSigningSecret, 'base64') };

async function poisonTexts(app: App): Promise<string[]> {
  const queue = await app.storage.queue('outgoing-mail-poison');
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.map(({ messageText }) => messageText);
}

const queued = async (app: App): Promise<number> =>
  (await (await app.storage.queue('outgoing-mail')).getProperties()).approximateMessagesCount ?? 0;

describe('the queue', () => {
  it('[Q1] [Q2] puts what nobody can read into the poison queue at once, while the others flow', async () => {
    const app = await startApp({ env: { LIMIT_PER_ADDRESS: 'off', LIMIT_PER_IP: 'off' }, timers: false });
    await addAccount(app, someuser);
    const queue = await app.storage.queue('outgoing-mail');
    const good = { v: 1, id: newId(), attempt: 0, kid: 'dev' };
    const junk = [
      base64('not json'),
      base64('null'),
      base64('{}'),
      base64('[]'),
      base64('"text"'),
      base64(JSON.stringify({ ...good, id: undefined, sealed: 'x' })),
      base64(JSON.stringify({ ...good, sealed: seal(secret, { v: 1, id: newId() }, '{}') })), // another id's seal
      base64(JSON.stringify({ ...good, sealed: seal(secret, { v: 1, id: good.id }, '{"kind":"other"}') })),
      base64(JSON.stringify({ ...good, sealed: 'x'.repeat(40_000) })),
      base64(base64(JSON.stringify(good))), // encoded twice
      JSON.stringify({ ...good, sealed: 'raw JSON, not base64' }),
      '!!! no base64 at all',
    ];
    for (const text of junk) await queue.sendMessage(text);
    await app.post('password-reset/request', { email: someuser.email });
    await app.mailsWithin(1);
    const poisoned = await eventually(async () => {
      const texts = await poisonTexts(app);
      return texts.length === junk.length ? texts : undefined;
    });
    expect(poisoned).toHaveLength(junk.length);
    await eventually(async () => ((await queued(app)) === 0 ? true : undefined));
    expect(app.host.output()).not.toContain('"event":"taskFailed"');
    await app.stop();
  });

  it('[Q4] sends one mail for a message that was enqueued twice', async () => {
    const connectionString = emptyStorage();
    const front = await startApp({ connectionString, queues: false, timers: false });
    await addAccount(front, someuser);
    await front.post('password-reset/request', { email: someuser.email });
    const queue = await front.storage.queue('outgoing-mail');
    const { peekedMessageItems } = await queue.peekMessages();
    for (let copies = 0; copies < 5; copies++) await queue.sendMessage(peekedMessageItems[0]?.messageText ?? '');
    const workers = await Promise.all(
      [0, 1].map(() => startApp({ connectionString, timers: false, queueHoldSeconds: 2 })),
    );
    // A copy that finds the lease of the other worker comes back after it; that is tested with a clock.
    await eventually(() => {
      const handled = workers.flatMap(({ host }) => host.output().match(/"outcome":"(?:done|accepted|busy)"/g) ?? []);
      return handled.length >= 6 ? true : undefined;
    });
    expect(workers.flatMap((worker) => worker.mails())).toHaveLength(1);
    await Promise.all([front, ...workers].map((one) => one.stop()));
  });
});
