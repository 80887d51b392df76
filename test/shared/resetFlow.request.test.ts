// What a request and the resend button of a dead link put into the queue, and what a caller can tell from it.
import { issueResetKey, verifyResetKey } from '../../shared/resetKey';
import { requestReset, resendReset } from '../../shared/resetFlow';
import { createTestFlow, keyIn, secretB, start } from '../support/flow';

const email = 'someuser@somewhere.com';
const addressHash = 'cM-Cuc5Ca17_SqXTIlSZcQ';

describe('requestReset', () => {
  it('[E1] [O1] makes one storage call, a message of one size and no look at the tables, whoever has the address', async () => {
    const t = createTestFlow();
    t.addAccount({ email: 'live@somewhere.com' });
    t.addAccount({ email: 'inactive@somewhere.com', isActive: false });
    t.addAccount({ email: 'nopassword@somewhere.com', password: '!' });
    for (const who of ['live', 'inactive', 'nopassword', 'unknown', 'a-much-longer-unknown-address-than-the-others']) {
      await t.request(`${who}@somewhere.com`, { client: '203.0.113.7' });
    }
    expect(t.queue.sent).toHaveLength(5);
    const shapes = t.queue.sent.map(({ envelope, delaySeconds }) => [JSON.stringify(envelope).length, delaySeconds]);
    expect(new Set(shapes.map(String)).size).toBe(1);
    expect(t.newCalls()).toEqual([]);
  });

  it('seals the address as typed, a good key for it, and who asked', async () => {
    const t = createTestFlow();
    const id = await t.request('SomeUser@Somewhere.com', { client: '203.0.113.7', locale: 'de' });
    expect(t.queue.sent[0]?.envelope.id).toBe(id);
    const request = t.queued();
    if (request?.kind !== 'resetAddress') throw new Error('not a request for an address');
    expect(request).toMatchObject({ email: 'SomeUser@Somewhere.com', client: '203.0.113.7', locale: 'de' });
    expect(request.acceptedAt).toEqual(start);
    expect(verifyResetKey(t.deps.settings, request.key, start)).toMatchObject({
      outcome: 'valid',
      claims: { addressHash, expiresAt: new Date(start.getTime() + 3_600_000) },
    });
    expect(t.events).toEqual([{ event: 'requestReset', mailId: id }]);
  });

  it('[O3] throws if the queue is down, and keeps nothing', async () => {
    const { deps, queue, events } = createTestFlow();
    queue.failNext();
    await expect(requestReset(deps, email, {})).rejects.toMatchObject({ name: 'StorageUnavailable', part: 'queue' });
    expect([queue.sent, events]).toEqual([[], []]);
  });
});

describe('resendReset', () => {
  async function mailedKey() {
    const t = createTestFlow();
    t.addAccount({ email, id: '7' });
    const key = keyIn((await t.mailsFor(email))[0]);
    t.newCalls();
    return { ...t, key, before: t.queue.sent.length };
  }

  it('queues a mail to the account of the key, in the language and from the client that pressed the button', async () => {
    const t = await mailedKey();
    t.clock.advance(61 * 60);
    const requester = { client: '203.0.113.7', locale: 'fr' };
    await expect(resendReset(t.deps, t.key, requester)).resolves.toEqual({ outcome: 'accepted' });
    const acceptedAt = t.clock.now();
    expect(t.queued()).toEqual({ kind: 'resetAccount', addressHash, accountId: '7', acceptedAt, ...requester });
    await t.deliverAll();
    expect(t.email.accepted.slice(1)).toMatchObject([{ to: email, locale: 'fr' }]);
    expect(keyIn(t.email.accepted[1])).not.toBe(t.key);
  });

  it('makes a new mail every time, within the limits of the address', async () => {
    const t = await mailedKey();
    for (let times = 0; times < 5; times++) await resendReset(t.deps, t.key, {});
    expect(new Set(t.queue.sent.slice(t.before).map(({ envelope }) => envelope.id)).size).toBe(5);
    await t.deliverAll();
    expect(t.email.accepted).toHaveLength(3); // the first one and two more
  });

  it('answers the same for a key that is bound to nothing, and queues nothing', async () => {
    const { deps, queue } = createTestFlow();
    const { key } = issueResetKey(deps.settings, 'AAAAAAAAAAAAAAAAAAAAAA', start);
    await expect(resendReset(deps, key, {})).resolves.toEqual({ outcome: 'accepted' });
    expect(queue.sent).toEqual([]);
  });

  it('sends nothing for an account that was disabled since, whoever else has its address', async () => {
    const t = await mailedKey();
    t.addAccount({ email, id: '8' });
    t.tables.accounts.edit(addressHash, '7', { isActive: false });
    await resendReset(t.deps, t.key, {});
    await t.deliverAll();
    expect(t.email.accepted).toHaveLength(1);
  });

  it('touches no storage for a key that was not signed here', async () => {
    const t = await mailedKey();
    const foreign = issueResetKey({ ...t.deps.settings, signingSecrets: [secretB] }, addressHash, start).key;
    for (const bad of ['', 'x', foreign, `${t.key.slice(0, -1)}!`, `${t.key}.x`]) {
      await expect(resendReset(t.deps, bad, {})).resolves.toEqual({ outcome: 'invalid_key' });
    }
    expect(t.newCalls()).toEqual([]);
    expect(t.queue.sent).toHaveLength(t.before);
  });
});
