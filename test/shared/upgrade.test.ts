// What the first version (commit f975c3c) left in queue and tables works with this one, and what this one sends is read by that one:
// both run side by side during a deployment. The fixtures were recorded with that version's own code, secret A and a fixed clock.
import * as z from 'zod';
import { enqueueMail } from '../../shared/mailRequest';
import { openMessage } from '../../shared/outbox/outgoingMail';
import { redeemKey, resendReset, issueLinks, checkKey } from '../../shared/resetFlow';
import { readDeliveryRow } from '../../shared/storage/deliveriesTable';
import type { MemoryTableStore } from '../fakes/memoryTableStore';
import recorded from '../fixtures/v1/recorded.json';
import { createTestFlow, goodPassword, keyIn, start, type TestFlow } from '../support/flow';

const email = 'SomeUser@Somewhere.com';

/** Puts recorded rows into a table. */
function restore(table: MemoryTableStore, ...rows: readonly { partitionKey: string; rowKey: string }[]): void {
  for (const { partitionKey, rowKey, ...columns } of rows) {
    const values = Object.entries(columns).map(([name, value]: [string, unknown]) => {
      const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(value);
      return [name, isDate ? new Date(value) : value];
    });
    table.edit(partitionKey, rowKey, Object.fromEntries(values) as Record<string, unknown>);
  }
}

/** The state in which the first version left the site after one request. */
function upgraded(account: typeof recorded.account = recorded.account): TestFlow {
  const t = createTestFlow();
  restore(t.tables.accounts, account);
  restore(t.tables.resetKeys, recorded.resetKey);
  restore(t.tables.limits, ...recorded.limits);
  return t;
}

describe('the first version’s', () => {
  it('key is live, and redeemed once', async () => {
    const t = upgraded();
    await expect(checkKey(t.deps, recorded.key)).resolves.toMatchObject({ outcome: 'live', username: 'someuser' });
    await expect(redeemKey(t.deps, recorded.key, goodPassword)).resolves.toMatchObject({ outcome: 'changed' });
    expect(t.tables.accounts.rows()[0]).toMatchObject({ generation: 1, lastResetKeyId: recorded.resetKey.rowKey });
  });

  it('redeemed account has used that key, and gets a new one', async () => {
    const t = upgraded(recorded.redeemedAccount);
    await expect(checkKey(t.deps, recorded.key)).resolves.toEqual({ outcome: 'used_key' });
    await expect(redeemKey(t.deps, recorded.key, goodPassword)).resolves.toEqual({ outcome: 'used_key' });
    await expect(resendReset(t.deps, recorded.key, {})).resolves.toEqual({ outcome: 'accepted' });
    await t.deliverAll();
    await expect(checkKey(t.deps, keyIn(t.email.accepted[0]))).resolves.toMatchObject({ outcome: 'live' });
  });

  it.each([
    ['resetAddress', recorded.account, 'password-reset'],
    ['resetAccount', recorded.account, 'password-reset'],
    ['linkIssued', recorded.account, 'link-issued'],
    ['passwordChanged', recorded.redeemedAccount, 'password-changed'],
  ] as const)('message %s is delivered', async (kind, account, category) => {
    const t = upgraded(account);
    await t.handle(recorded.messages[kind]);
    expect(t.email.accepted).toMatchObject([{ to: email, locale: 'de', category }]);
  });

  it('limits go on being charged', async () => {
    const t = upgraded();
    for (let nth = 0; nth < 3; nth++) await t.mailsFor(email, { client: '203.0.113.7' });
    expect(t.email.accepted).toHaveLength(2); // one of three was charged by the first version
    expect(t.tables.limits.rows().map(({ kind, tokens }) => ({ kind, tokens }))).toEqual(
      expect.arrayContaining([
        { kind: 'address', tokens: 0 },
        { kind: 'ip', tokens: 56 },
      ]),
    );
  });

  it('deliveries are read in every state', async () => {
    const { deps, tables } = createTestFlow();
    for (const [state, row] of Object.entries(recorded.deliveries)) {
      restore(tables.deliveries, row);
      const [stored] = tables.deliveries.rows();
      expect(stored && readDeliveryRow(stored)).toMatchObject({ state, acceptedAt: start, unsureTries: 0 });
      const { rowKey: id, partitionKey: addressHash } = row;
      const { outcome } = await deps.deliveries.claim({
        ...{ addressHash, id, kind: 'passwordReset', attempt: 1, acceptedAt: start, claimId: 'x' },
        now: new Date(start.getTime() + 60_000),
      });
      expect([state, outcome]).toEqual([state, ['sending', 'waiting'].includes(state) ? 'claimed' : 'done']);
      tables.deliveries.drop(addressHash, id);
    }
    restore(tables.deliveries, recorded.alert);
    await expect(deps.deliveries.alerts()).resolves.toMatchObject([{ kind: 'mail', reason: 'sendgrid_400' }]);
  });
});

describe('the first version reads', () => {
  /** What is sealed in a message. */
  const insideOf = (message: unknown): Record<string, unknown> => {
    const opened = openMessage(createTestFlow().deps.settings, message);
    return z.record(z.string(), z.unknown()).parse(opened.outcome === 'opened' ? opened.inside : undefined);
  };
  /** That version's schemas are strict: a field more or less, and the message goes to the poison queue. */
  const fieldsOf = (message: unknown) =>
    Object.keys(insideOf(message))
      .filter((name) => !['client', 'locale', 'charged'].includes(name)) // optional
      .sort();

  it('every message that this version sends, but site events, which it leaves to others', async () => {
    const t = upgraded();
    const requester = { client: '203.0.113.7', locale: 'fr' };
    await t.request(email, requester);
    await resendReset(t.deps, recorded.key, requester);
    await issueLinks(t.deps, email);
    await redeemKey(t.deps, recorded.key, goodPassword);
    const kinds = ['resetAddress', 'resetAccount', 'linkIssued', 'passwordChanged'] as const;
    expect(t.queue.sent.map(({ envelope }) => insideOf(envelope)['kind'])).toEqual(kinds);
    kinds.forEach((kind, nth) => {
      const envelope = t.queue.sent[nth]?.envelope;
      expect(envelope).toMatchObject({ v: 1, kid: 'a', attempt: 0, id: expect.stringMatching(/^[\w-]{22}$/) });
      expect(envelope?.sealed).toHaveLength(recorded.messages[kind].sealed.length);
      expect(fieldsOf(envelope)).toEqual(fieldsOf(recorded.messages[kind]));
    });
    const event = { kind: 'siteEvent', addressHash: 'A'.repeat(22), acceptedAt: start, type: 'x', data: {} } as const;
    await enqueueMail(t.deps, 'B'.repeat(22), event);
    expect(t.queue.sent.at(-1)?.envelope.v).toBe(2); // put back by the first version: a newer one
  });

  it('a delivery row that this version writes', async () => {
    const t = upgraded();
    await t.mailsFor(email);
    expect(t.tables.deliveries.rows()).toMatchObject([
      { kind: 'passwordReset', state: 'accepted', attempt: 0, charged: true, acceptedAt: start, updatedAt: start },
    ]);
    const columns = new Set(Object.keys(t.tables.deliveries.rows()[0] ?? {}));
    for (const column of Object.keys(recorded.deliveries.accepted)) expect(columns).toContain(column);
  });
});
