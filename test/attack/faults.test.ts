// What a call answers while storage fails, waits, or holds nonsense.
import { addressHashOf } from '../../shared/address';
import { issueResetKey } from '../../shared/resetKey';
import { startFaultProxy, type FaultProxy } from '../fakes/faultProxy';
import { newId } from '../../shared/clock';
import { seal } from '../../shared/outbox/outgoingMail';
import { eventually } from '../support/app';
import { exampleConfig } from '../support/pages';
import { startTarget, type Target } from '../support/attack';
import { messagesOf } from '../support/invariants';
import { emptyStorage } from '../support/storage';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const forever = new Promise<never>(() => {});

describe('the HTTP calls, with nobody at the queue,', () => {
  let proxy: FaultProxy;
  let target: Target;
  beforeAll(async () => {
    proxy = await startFaultProxy(emptyStorage());
    target = await startTarget({ connectionString: proxy.connectionString, queues: false });
  });
  afterEach(() => proxy.clearRules());
  afterAll(async () => {
    await target.checkAndStop();
    await proxy.close();
  });
  const since = (count: number) => proxy.calls.slice(count);

  it('[E3] [E6] make one storage call for a request and no other, the same one whoever the address belongs to', async () => {
    const known = await target.victim();
    for (const email of [known, 'nobody@somewhere.com']) {
      const before = proxy.calls.length;
      await expect(target.request(email)).resolves.toMatchObject({ status: 202 });
      expect(since(before)).toEqual([
        expect.objectContaining({
          service: 'queue',
          method: 'POST',
          path: expect.stringMatching(/\/outgoing-mail\/messages$/),
        }),
      ]);
    }
  });

  it('[E1] [HO2] have the message in the queue when the answer is out, of one size for everybody', async () => {
    await (await target.app.storage.queue('outgoing-mail')).clearMessages();
    const known = await target.victim();
    for (const email of [
      known,
      'nobody@somewhere.com',
      'somebody-with-quite-a-long-name@a.rather.long.domain.example.org',
    ])
      await target.request(email);
    const messages = await messagesOf(target.app.storage, 'outgoing-mail');
    expect(messages).toHaveLength(3);
    expect(new Set(messages.map(({ length }) => length)).size).toBe(1);
    expect(messages.join('')).not.toMatch(/somewhere|somebody/);
  });

  it.each([{ status: 503 }, { hold: forever }, { status: 403, code: 'AuthenticationFailed' }] as const)(
    '[O3] [O5] [TM2] answer 503 with Retry-After while the queue fails (%#), and work again afterwards',
    async (fault) => {
      void proxy.rule({ service: 'queue', fault });
      const result = await target.request('nobody@somewhere.com');
      expect(result).toMatchObject({ status: 503, json: { code: 'unavailable' } });
      expect(Number(result.headers.get('retry-after'))).toBeGreaterThan(0);
      proxy.clearRules();
      await expect(target.request('nobody@somewhere.com')).resolves.toMatchObject({ status: 202 });
      const line = /"event":"storageUnavailable".*"code":"AuthenticationFailed".*clock/;
      if ('code' in fault) await target.app.logged(line);
    },
  );
});

it('[Q1] [Q2] puts what nobody can read into the poison queue at once, while the others flow', async () => {
  const target = await startTarget();
  const [secret] = exampleConfig.signingSecrets;
  const countOf = async (name: 'outgoing-mail' | 'outgoing-mail-poison') =>
    (await (await target.app.storage.queue(name)).getProperties()).approximateMessagesCount;
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
  const queue = await target.app.storage.queue('outgoing-mail');
  for (const text of junk) await queue.sendMessage(text);
  await target.keyFor(await target.victim());
  await eventually(async () => ((await countOf('outgoing-mail-poison')) === junk.length ? true : undefined));
  await eventually(async () => ((await countOf('outgoing-mail')) === 0 ? true : undefined));
  expect(target.app.host.output()).not.toContain('"event":"taskFailed"');
  await target.checkAndStop();
});

it('[ST3] a missing table is 503 and an event, never an empty one in silence; only seedSite makes tables', async () => {
  const fresh = await startTarget({ makeTables: false, queues: false });
  const { key } = issueResetKey(exampleConfig, addressHashOf('nobody@somewhere.com'), new Date());
  await expect(fresh.check(key)).resolves.toMatchObject({ status: 503 });
  await fresh.app.logged(/"event":"(?:siteRowRefused|storageUnavailable)".*"TableNotFound"/);
  await fresh.app.host.runTimer('seedSite');
  await expect(fresh.check(key)).resolves.toMatchObject({ status: 400 });
  await fresh.checkAndStop();
});
