// What the story and the outbox are promised by their stores and their queue. Run in memory and over
// Azurite. The accounts have a contract of their own beside the other directories.
import { createHash } from 'node:crypto';
import { addressHashOf } from '../../../shared/address';
import { newId } from '../../../shared/clock';
import type { AccountDirectory } from '../../../shared/directory/accountDirectory';
import type { AppEvent } from '../../../shared/events';
import { createLimitsTable, type Limits } from '../../../shared/limits';
import type { OutgoingMailQueue } from '../../../shared/outbox/outgoingMail';
import { type ClaimRequest, type Deliveries, type Delivery } from '../../../shared/outbox/deliveries';
import { type BoundKey, createResetKeysTable, type ResetKeyStore } from '../../../shared/resetLinks';
import { createAccountsTable } from '../../../shared/storage/accountsTable';
import { createDeliveriesTable } from '../../../shared/storage/deliveriesTable';
import { createSiteTable } from '../../../shared/storage/siteTable';
import type { TableName, TableStore } from '../../../shared/storage/storage';
import { codalab, oldPassword, start } from '../../support/flow';

export type MakeTable = (name: TableName) => Promise<TableStore>;

export function storesContract(name: string, make: MakeTable): void {
  describe(`the stores (${name})`, () => {
    accountsContract(make);
    resetKeysContract(make);
    deliveriesContract(make);
    limitsContract(make);
    siteRowsContract(make);
  });
}

const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);

function accountsContract(make: MakeTable): void {
  describe('accounts', () => {
    let table: TableStore;
    let accounts: AccountDirectory;
    let events: AppEvent[];
    let alerts: string[][];
    let email: string;
    beforeAll(async () => {
      table = await make('Accounts');
    });
    beforeEach(() => {
      events = [];
      alerts = [];
      accounts = createAccountsTable(
        table,
        (event) => events.push(event),
        async (...alert) => void alerts.push(alert),
      );
      email = `${newId().toLowerCase()}@somewhere.com`;
    });
    const complete = { username: 'someuser', password: oldPassword, isActive: true, generation: 0 };
    const insert = (id: string, columns = {}) =>
      table.insert(addressHashOf(email), id, { email, ...complete, ...columns });
    const find = () => accounts.findByAddress(email);

    it('are found with everything that the story needs, or less if Django or an operator left it out', async () => {
      const columns = { locale: 'de', lastResetKeyId: 'x', passwordChangedAt: start, createdAt: after(-1) };
      await insert("o'brien", { ...columns, generation: 3 });
      await table.insert(addressHashOf(email), 'partly', { email, username: 'someuser' });
      const base = { addressHash: addressHashOf(email), id: "o'brien", email, username: 'someuser', canReset: true };
      const opaque = { credentialVersion: expect.any(String), revision: expect.any(String) };
      expect(await find()).toEqual([{ ...base, ...columns, ...opaque }, expect.objectContaining({ canReset: false })]);
      await table.merge(addressHashOf(email), 'partly', { password: oldPassword }, '*');
      expect((await find())[1]).toMatchObject({ canReset: true, locale: undefined, createdAt: undefined });
    });

    it.each([
      ['an address of another partition', { email: 'other@somewhere.com' }, 'address_of_another_partition'],
      ['no address', { email: 'nobody' }, 'bad_address'],
      ['no username', { username: '' }, 'bad_column_username'],
      ['text as isActive', { isActive: 'true' }, 'bad_column_isActive'],
      ['a negative generation', { generation: -1 }, 'bad_column_generation'],
    ])('D10 skip a row with %s; operators are told, without its address', async (_what, columns, reason) => {
      await insert('good');
      await insert('1', columns);
      expect((await find()).map(({ id }) => id)).toEqual(['good']);
      const addressHash = addressHashOf(email);
      expect(events).toEqual([{ event: 'accountRowSkipped', level: 'error', addressHash, reason }]);
      expect(alerts).toEqual([[addressHash, reason]]);
    });

    it('[T2] have an id of at most 256 characters that fits into a sealed message', async () => {
      for (const id of ['x'.repeat(257), '\u{6f22}'.repeat(256), 'x'.repeat(256)]) await insert(id);
      expect((await find()).map(({ id }) => id)).toEqual(['x'.repeat(256)]);
      expect(events).toMatchObject([{ reason: 'bad_id' }, { reason: 'bad_id' }]);
    });

    it('[K14] get a new password by one write that leaves the other columns alone, though one was edited meanwhile', async () => {
      await insert('1', { remark: 'kept' });
      const [account] = await find();
      if (account === undefined) throw new Error('there is no account');
      await table.merge(addressHashOf(email), '1', { username: 'renamed', locale: 'fr' }, '*');
      const { credentialVersion } = account;
      const change = { credentialVersion, password: 'new', resetKeyId: 'key', at: start };
      await expect(accounts.setPassword(account, change)).resolves.toEqual({ outcome: 'changed' });
      expect(await table.get(addressHashOf(email), '1')).toMatchObject({
        ...{ password: 'new', generation: 1, lastResetKeyId: 'key', passwordChangedAt: start },
        ...{ email, username: 'renamed', locale: 'fr', remark: 'kept' },
      });
    });
  });
}

function resetKeysContract(make: MakeTable): void {
  describe('bound reset keys', () => {
    let table: TableStore;
    let resetKeys: ResetKeyStore;
    let key: BoundKey;
    beforeAll(async () => {
      table = await make('ResetKeys');
      resetKeys = createResetKeysTable(table);
    });
    beforeEach(() => {
      key = { addressHash: newId(), resetKeyId: newId(), accountId: '1', credentialVersion: 'v1', expiresAt: start };
    });

    it('are found as they were bound, under their address only; binding again changes nothing', async () => {
      await expect(resetKeys.find(key.addressHash, key.resetKeyId)).resolves.toBeUndefined();
      for (let time = 0; time < 2; time++) await expect(resetKeys.bind(key)).resolves.toBe('bound');
      await expect(resetKeys.find(key.addressHash, key.resetKeyId)).resolves.toEqual(key);
      await expect(resetKeys.find(newId(), key.resetKeyId)).resolves.toBeUndefined();
    });

    it('are never bound anew to what the account has become since: a repeat revives no used key', async () => {
      await resetKeys.bind(key);
      await expect(resetKeys.bind({ ...key, credentialVersion: 'v2' })).resolves.toBe('taken');
      await expect(resetKeys.bind({ ...key, accountId: '2' })).resolves.toBe('taken');
      await expect(resetKeys.find(key.addressHash, key.resetKeyId)).resolves.toEqual(key);
    });

    it('of a row that somebody broke are none', async () => {
      await table.insert(key.addressHash, key.resetKeyId, { accountId: '1', expiresAt: start });
      await expect(resetKeys.find(key.addressHash, key.resetKeyId)).resolves.toBeUndefined();
    });
  });
}

function deliveriesContract(make: MakeTable): void {
  describe('deliveries', () => {
    let table: TableStore;
    let deliveries: Deliveries;
    let request: Omit<ClaimRequest, 'claimId'>;
    beforeAll(async () => {
      table = await make('Deliveries');
      deliveries = createDeliveriesTable(table);
    });
    beforeEach(() => {
      const common = { addressHash: newId(), id: newId(), kind: 'passwordReset', attempt: 0 } as const;
      request = { ...common, acceptedAt: start, now: start };
    });
    const tryClaim = (changes: Partial<ClaimRequest> = {}) =>
      deliveries.claim({ ...request, claimId: newId(), ...changes });
    const claim = async (changes: Partial<ClaimRequest> = {}): Promise<Delivery> => {
      const claimed = await tryClaim(changes);
      if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
      return claimed.delivery;
    };
    const outcome = async (changes: Partial<ClaimRequest> = {}) => (await tryClaim(changes)).outcome;
    const stored = () => table.get(request.addressHash, request.id);
    const accepted = (now: Date) => ({ state: 'accepted', backend: 'sendgrid', now }) as const;
    const failed = (now: Date) => ({ state: 'failed', reason: 'sendgrid_400', now }) as const;

    it('[Q4] [Q5] let one of ten concurrent claims have the mail, and one of ten once its lease has run out', async () => {
      const claims = async (now: Date) => {
        const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome({ now })));
        return outcomes.filter((each) => each === 'claimed').length;
      };
      expect([await claims(start), await claims(after(59)), await claims(after(60))]).toEqual([1, 0, 1]);
    });

    it('D14 let a worker have its own mail again: the reply to its claim was lost', async () => {
      await claim({ claimId: 'mine' });
      expect(await outcome({ claimId: 'mine' })).toBe('claimed');
      expect(await outcome({ claimId: 'another' })).toBe('busy');
    });

    it('[E1] forget a mail, but do not let a worker write that has lost it', async () => {
      await deliveries.forget(await claim());
      expect(await stored()).toBeUndefined();
      const lost = await claim();
      const taken = await claim({ now: after(60) });
      await deliveries.record(lost, failed(after(61)));
      expect(await stored()).toMatchObject({ state: 'sending' });
      await deliveries.record(taken, accepted(after(62)));
      await deliveries.forget(lost);
      expect(await stored()).toMatchObject({ state: 'accepted', backend: 'sendgrid' });
    });

    it('are recorded although the provider’s webhook was faster, whose reports only move forward', async () => {
      const note = (state: 'delivered' | 'bounced', at: Date) =>
        deliveries.noteProvider(request.addressHash, request.id, { state, at });
      expect(await note('delivered', start)).toBe('unknown');
      const claimed = await claim();
      expect([await note('delivered', after(1)), await note('delivered', after(1))]).toEqual(['noted', 'stale']);
      await deliveries.record(claimed, accepted(after(2)));
      expect([await note('bounced', start), await note('delivered', after(9))]).toEqual(['noted', 'stale']);
      const provider = { state: 'bounced', at: start };
      expect(await deliveries.findByAddressHash(request.addressHash)).toMatchObject([{ state: 'accepted', provider }]);
    });

    it('D22 count the mails of an address that a limit forbade in one row', async () => {
      for (const nth of [1, 2, 3]) {
        await deliveries.suppress(await claim({ id: newId() }), 'address_limit', after(nth));
      }
      const [acceptedAt, updatedAt] = [after(1), after(3)];
      const counted = { state: 'suppressed', reason: 'address_limit', count: 3, acceptedAt, updatedAt };
      expect(await deliveries.findByAddressHash(request.addressHash)).toEqual([expect.objectContaining(counted)]);
    });

    it('report a broken row, instead of sending without a record', async () => {
      await table.insert(request.addressHash, request.id, { state: 'nonsense' });
      await expect(outcome()).rejects.toMatchObject({ name: 'StorageUnavailable', code: 'bad_delivery_row' });
    });

    it('keep an alert once, also when the operators were told', async () => {
      const alert = { id: newId(), mailId: newId(), kind: 'mail', reason: 'sendgrid_400', at: start } as const;
      expect(await deliveries.alert(alert)).toBe(true);
      expect(await deliveries.alert({ ...alert, at: after(60) })).toBe(false);
      const ours = async () => (await deliveries.alerts()).filter(({ id }) => id === alert.id);
      expect(await ours()).toEqual([expect.objectContaining(alert)]);
      await deliveries.markTold(alert);
      expect(await ours()).toEqual([]);
      expect(await deliveries.alert(alert)).toBe(false);
    });
  });
}

function limitsContract(make: MakeTable): void {
  describe('limits', () => {
    let table: TableStore;
    let limits: Limits;
    let bucket: string;
    const rate = { burst: 3, refillMs: 300_000, perDay: 4 };
    beforeAll(async () => {
      table = await make('Limits');
      limits = createLimitsTable(table);
    });
    beforeEach(() => {
      bucket = `address:${newId()}@canary.example`;
    });
    const partition = () => createHash('sha256').update(bucket).digest('hex').slice(0, 32);
    const take = (mailId: string, now = start) => limits.take(bucket, rate, mailId, now);
    const takeAll = async (mailIds: string) => {
      const results = [];
      for (const mailId of mailIds) results.push(await take(mailId));
      return results;
    };

    it('[LM1] D8 let three mails through, one more after the refill, four a day and then one an hour; each is charged once', async () => {
      expect(await takeAll('aaabcd')).toEqual(['ok', 'ok', 'ok', 'ok', 'ok', 'over']);
      expect([await take('d', after(299)), await take('d', after(300))]).toEqual(['over', 'ok']);
      expect([await take('e', after(3800)), await take('e', after(3900))]).toEqual(['over', 'ok']); // one an hour
      await expect(take('f', after(86_400))).resolves.toBe('ok');
    });

    it('return a token once, and nothing for a bucket that is not there', async () => {
      await limits.refund(bucket, rate, 'b', start);
      await takeAll('abc');
      for (let time = 0; time < 2; time++) await limits.refund(bucket, rate, 'b', start);
      expect(await takeAll('de')).toEqual(['ok', 'over']);
    });

    it('[LM6] never let more than the burst through, however many try at once', async () => {
      const results = await Promise.all(Array.from({ length: 30 }, (_, nth) => take(`mail${nth}`)));
      const ok = results.filter((result) => result === 'ok').length;
      expect(ok).toBeGreaterThanOrEqual(1);
      expect(ok).toBeLessThanOrEqual(3);
      expect(results.every((result) => ['ok', 'over', 'contended'].includes(result))).toBe(true);
    });

    it('[LM8] keep no raw text in a row, and say from when on it may be purged', async () => {
      await limits.take(bucket, { burst: 3, refillMs: 300_000 }, 'a', start);
      const row = await table.get(partition(), 'bucket');
      expect(row).toMatchObject({ kind: 'address', tokens: 2, charged: 'a', fullAt: after(300) });
      expect(JSON.stringify(row)).not.toContain('canary');
      await take('b');
      expect(await table.get(partition(), 'bucket')).toMatchObject({ fullAt: after(86_400) });
    });

    it('take a row that somebody broke for a full bucket', async () => {
      await take('a');
      await table.merge(partition(), 'bucket', { tokens: 'lots' }, '*');
      expect(await takeAll('bcde')).toEqual(['ok', 'ok', 'ok', 'over']);
    });
  });
}

function siteRowsContract(make: MakeTable): void {
  describe('site rows', () => {
    it('[ST2] are filled in by one of ten instances that start at once, and keep what is there', async () => {
      const rows = createSiteTable(await make('SiteSettings'), await make('SiteTexts'), newId().slice(0, 6));
      const written = await Promise.all(Array.from({ length: 10 }, () => rows.fillIn(codalab)));
      expect(written.flat().sort()).toEqual(Object.keys(codalab).sort());
      await expect(rows.fillIn({ ...codalab, name: 'Other' })).resolves.toEqual([]);
      await expect(rows.read()).resolves.toMatchObject(codalab);
    });
  });
}

/** A queue and a look at what is visible in it now. */
export interface QueueUnderTest {
  readonly queue: OutgoingMailQueue;
  readonly visible: () => Promise<unknown[]>;
  readonly poisoned: () => Promise<unknown[]>;
}

export function outgoingMailQueueContract(name: string, make: () => Promise<QueueUnderTest>): void {
  describe(`the queue outgoing-mail (${name})`, () => {
    let under: QueueUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    const envelope = () => ({ v: 1, id: newId(), attempt: 0, kid: 'a', sealed: 'sealed', added: 'by a later version' });

    it('keeps what was sent, and hides it for as long as was asked', async () => {
      const message = envelope();
      await under.queue.send(message, 0);
      await under.queue.send(envelope(), 30);
      await expect(under.visible()).resolves.toEqual([message]);
    });

    it('[Q1] keeps whatever was poisoned, as it was', async () => {
      await under.queue.poison(envelope());
      await under.queue.poison('no JSON');
      await under.queue.poison(null);
      const [first, ...rest] = await under.poisoned();
      expect(first).toMatchObject({ v: 1, kid: 'a' });
      expect(rest).toEqual(['no JSON', null]);
    });
  });
}
