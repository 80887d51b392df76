import { openOutgoingMail } from '../../shared/outgoingMail';
import { requestReset } from '../../shared/resetFlow';
import { verifyResetKey } from '../../shared/resetKey';
import type { MemoryTableStore } from '../fakes/memoryTableStore';
import { createTestFlow, secretA, start, within, type TestTables } from '../support/flow';

const tablesOf = (tables: TestTables): MemoryTableStore[] => Object.values(tables) as MemoryTableStore[];
const callsOf = (tables: TestTables): string[] => tablesOf(tables).flatMap(({ calls }) => calls);

describe('requestReset', () => {
  it('[E1] makes one storage call, a message of one size and no look at the tables, whoever the address belongs to', async () => {
    const { flow, queue, tables, addAccount, request } = createTestFlow();
    addAccount({ email: 'live@somewhere.com' });
    addAccount({ email: 'inactive@somewhere.com', isActive: false });
    addAccount({ email: 'nopassword@somewhere.com', password: '!' });
    for (const who of ['live', 'inactive', 'nopassword', 'unknown', 'a-much-longer-unknown-address-than-the-others']) {
      await request(`${who}@somewhere.com`, { client: '203.0.113.7' });
    }
    expect(queue.sent).toHaveLength(5);
    expect(new Set(queue.sent.map(({ envelope }) => JSON.stringify(envelope).length)).size).toBe(1);
    expect(new Set(queue.sent.map(({ delaySeconds }) => delaySeconds))).toEqual(new Set([0]));
    expect(callsOf(tables)).toEqual([]);
    expect(flow.settings.siteId).toBe('1');
  });

  it('seals the address as typed, a good key for it, and who asked', async () => {
    const { flow, queue, request } = createTestFlow();
    const id = await request('SomeUser@Somewhere.com', { client: '203.0.113.7', locale: 'de' });
    const opened = openOutgoingMail([secretA], queue.sent[0]?.envelope);
    if (opened.outcome !== 'opened' || opened.content.kind !== 'resetAddress') throw new Error('not opened');
    expect(opened.envelope.id).toBe(id);
    expect(opened.content).toMatchObject({
      email: 'SomeUser@Somewhere.com',
      client: '203.0.113.7',
      locale: 'de',
      acceptedAt: start,
    });
    expect(verifyResetKey(flow.settings, opened.content.key, start)).toMatchObject({
      outcome: 'valid',
      claims: { sub: 'cM-Cuc5Ca17_SqXTIlSZcQ', expiresAt: new Date(start.getTime() + 3_600_000) },
    });
  });

  it('[O3] says that the queue is down, and keeps nothing', async () => {
    const { flow, queue } = createTestFlow();
    queue.failNext();
    await expect(requestReset(flow, 'a@b.example', {}, within())).rejects.toMatchObject({
      name: 'StorageUnavailable',
      part: 'queue',
    });
    expect(queue.sent).toEqual([]);
  });

  it('[O1] does not need any table', async () => {
    const { tables, request } = createTestFlow();
    for (const table of tablesOf(tables)) table.intercept('get', () => Promise.reject(new Error('down')), 99);
    await expect(request('a@b.example')).resolves.toMatch(/^[\w-]{22}$/);
  });
});
