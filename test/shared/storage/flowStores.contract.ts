// What the flow is promised by its five stores: the adapters over any TableStore. Run over the memory table and over Azurite.
import { credentialVersionOf, type Account, type Accounts } from '../../../shared/accounts';
import { addressHashOf } from '../../../shared/address';
import type { BoundKey, BoundKeys } from '../../../shared/boundKeys';
import { newId } from '../../../shared/clock';
import { leaseMs, type ClaimRequest, type Deliveries, type Delivery } from '../../../shared/deliveries';
import type { AppEvent } from '../../../shared/events';
import type { Limits } from '../../../shared/limits';
import type { SiteRows } from '../../../shared/site';
import { createAccountsTable } from '../../../shared/storage/accountsTable';
import { createBoundKeysTable } from '../../../shared/storage/boundKeysTable';
import { createDeliveriesTable } from '../../../shared/storage/deliveriesTable';
import { createLimitsTable } from '../../../shared/storage/limitsTable';
import { createSiteTable } from '../../../shared/storage/siteTable';
import type { TableStore } from '../../../shared/storage/tableStore';
import { codalab, oldPassword, start, within } from '../../support/flow';

export type MakeTable = (
  name: 'SiteSettings' | 'Accounts' | 'ResetKeys' | 'Limits' | 'Deliveries',
) => Promise<TableStore>;

export function flowStoresContract(name: string, make: MakeTable): void {
  accountsContract(name, make);
  boundKeysContract(name, make);
  deliveriesContract(name, make);
  limitsContract(name, make);
  siteRowsContract(name, make);
}

const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);

function accountsContract(name: string, make: MakeTable): void {
  describe(`the accounts (${name})`, () => {
    let table: TableStore;
    let accounts: Accounts;
    let events: AppEvent[];
    let email: string;
    beforeAll(async () => {
      table = await make('Accounts');
    });
    beforeEach(() => {
      events = [];
      accounts = createAccountsTable(table, (event) => events.push(event));
      email = `${newId().toLowerCase()}@somewhere.com`;
    });
    const insert = (id: string, columns = {}, address = email) => {
      const row = {
        email: address,
        username: 'someuser',
        password: oldPassword,
        isActive: true,
        generation: 0,
        ...columns,
      };
      return table.insert(addressHashOf(email), id, row, within());
    };
    const find = () => accounts.findByAddress(email, within());
    const only = async (): Promise<Account> => {
      const [account] = await find();
      if (account === undefined) throw new Error('there is no account');
      return account;
    };
    const change = (password: string, resetKeyId = 'key') => ({ password, resetKeyId, at: start });
    const edit = async (columns: Record<string, string | number | boolean>, id = '1') => {
      await table.merge(addressHashOf(email), id, columns, '*', within());
    };

    it('are found by the address in any ASCII letter case, with everything the flow needs', async () => {
      await insert('1', { locale: 'de', generation: 3, lastResetKeyId: 'x' });
      const found = await accounts.findByAddress(email.toUpperCase(), within());
      expect(found).toEqual([
        {
          ...{ sub: addressHashOf(email), id: '1', email, username: 'someuser', password: oldPassword, isActive: true },
          ...{ generation: 3, locale: 'de', lastResetKeyId: 'x', etag: expect.any(String) },
        },
      ]);
      expect(await accounts.findBySubject(addressHashOf(email), within())).toEqual(found);
    });

    it('are none for an unknown address', async () => {
      await expect(find()).resolves.toEqual([]);
    });

    it('are all those of the address, by id', async () => {
      for (const id of ['b', 'a', "o'brien"]) await insert(id);
      expect((await find()).map(({ id }) => id)).toEqual(['a', 'b', "o'brien"]);
    });

    it('may lack what Django or an operator left out', async () => {
      await table.insert(addressHashOf(email), '1', { email, username: 'someuser' }, within());
      await expect(only()).resolves.toMatchObject({ password: '', isActive: true, generation: 0 });
    });

    it.each([
      ['an address of another partition', { email: 'other@somewhere.com' }, 'address_of_another_partition'],
      ['no address', { email: 'nobody' }, 'bad_address'],
      ['blanks around the address', { email: ' x@y.example' }, 'bad_address'],
      ['a number as address', { email: 7 }, 'bad_column_email'],
      ['no username', { username: '' }, 'bad_column_username'],
      ['text as isActive', { isActive: 'true' }, 'bad_column_isActive'],
      ['text as generation', { generation: '1' }, 'bad_column_generation'],
      ['a negative generation', { generation: -1 }, 'bad_column_generation'],
    ])('skip a row with %s, and say so without its address', async (_what, columns, reason) => {
      await insert('good');
      await insert('1', columns);
      expect((await find()).map(({ id }) => id)).toEqual(['good']);
      expect(events).toEqual([expect.objectContaining({ event: 'accountRowSkipped', reason })]);
      expect(JSON.stringify(events)).not.toContain('somewhere.com');
    });

    it.each([
      ['of more than 256 characters', 'x'.repeat(257)],
      ['that would not fit into a sealed message', '\u{6f22}'.repeat(256)],
    ])('[T2] skip a row with an id %s', async (_what, id) => {
      await insert(id);
      await expect(find()).resolves.toEqual([]);
      expect(events).toEqual([expect.objectContaining({ reason: 'bad_id' })]);
    });

    it('[T2] take an id of 256 characters', async () => {
      await insert('x'.repeat(256));
      await expect(find()).resolves.toHaveLength(1);
    });

    it('[K14] get their new password, a higher generation, the key that did it and when, by one write', async () => {
      await insert('1', { remark: 'kept' });
      await expect(accounts.setPassword(await only(), change('new'), within())).resolves.toBe('changed');
      const row = await table.get(addressHashOf(email), '1', within());
      expect(row).toMatchObject({
        password: 'new',
        generation: 1,
        lastResetKeyId: 'key',
        passwordChangedAt: start,
        remark: 'kept',
        email,
      });
    });

    it('[K2] [T4] take exactly one of twenty concurrent changes', async () => {
      await insert('1');
      const account = await only();
      const changes = Array.from({ length: 20 }, (_, n) => accounts.setPassword(account, change(`new${n}`), within()));
      const results = await Promise.all(changes);
      expect(results.filter((result) => result === 'changed')).toHaveLength(1);
      await expect(only()).resolves.toMatchObject({ password: `new${results.indexOf('changed')}`, generation: 1 });
    });

    it('take a change as theirs when only the reply to its write was lost', async () => {
      await insert('1');
      const account = await only();
      await accounts.setPassword(account, change('new'), within());
      await expect(accounts.setPassword(account, change('new'), within())).resolves.toBe('changed');
      await expect(only()).resolves.toMatchObject({ generation: 1 });
    });

    it('take a change when a column that does not matter was edited meanwhile', async () => {
      await insert('1');
      const account = await only();
      await edit({ username: 'renamed', locale: 'fr' });
      await expect(accounts.setPassword(account, change('new'), within())).resolves.toBe('changed');
      await expect(only()).resolves.toMatchObject({ password: 'new', username: 'renamed', locale: 'fr' });
    });

    it.each([
      ['[K5] the password was changed by another route', { password: 'pbkdf2_sha256$other' }],
      ['[K12] the account was disabled', { isActive: false }],
      ['an operator revoked the keys', { generation: 1 }],
      ['[K6] the stored address got another letter case', { email: 'UPPER' }],
    ])('refuse a change when %s', async (_what, columns) => {
      await insert('1');
      const account = await only();
      await edit('email' in columns ? { email: email.toUpperCase() } : columns);
      const before = await table.get(addressHashOf(email), '1', within());
      await expect(accounts.setPassword(account, change('new'), within())).resolves.toBe('superseded');
      await expect(table.get(addressHashOf(email), '1', within())).resolves.toEqual(before);
    });

    it('[K12] refuse a change of an account that is gone, and do not make it anew', async () => {
      await insert('1');
      const account = await only();
      await table.remove(addressHashOf(email), '1', '*', within());
      await expect(accounts.setPassword(account, change('new'), within())).resolves.toBe('superseded');
      await expect(find()).resolves.toEqual([]);
    });

    it('have a credential version that every credential changes and nothing else does', async () => {
      await insert('1');
      const account = await only();
      const version = credentialVersionOf(account);
      const others: Partial<Account>[] = [
        { id: '2' },
        { email: 'x@y' },
        { password: 'z' },
        { generation: 1 },
        { isActive: false },
      ];
      for (const other of others) expect(credentialVersionOf({ ...account, ...other })).not.toBe(version);
      const same = { username: 'z', locale: 'fr', lastResetKeyId: 'z', etag: 'z', sub: 'z' };
      expect(credentialVersionOf({ ...account, ...same })).toBe(version);
      expect(credentialVersionOf({ ...account, id: '1,"x', email: 'y' })).not.toBe(
        credentialVersionOf({ ...account, id: '1', email: '"x,y' }),
      );
    });
  });
}

function boundKeysContract(name: string, make: MakeTable): void {
  describe(`the bound keys (${name})`, () => {
    let table: TableStore;
    let boundKeys: BoundKeys;
    let key: BoundKey;
    beforeAll(async () => {
      table = await make('ResetKeys');
      boundKeys = createBoundKeysTable(table);
    });
    beforeEach(() => {
      key = { sub: newId(), resetKeyId: newId(), accountId: '1', credentialVersion: 'v1', expiresAt: start };
    });

    it('are found as they were bound', async () => {
      await expect(boundKeys.bind(key, within())).resolves.toBe('bound');
      await expect(boundKeys.find(key.sub, key.resetKeyId, within())).resolves.toEqual(key);
    });

    it('are none before that, and none under another address', async () => {
      await expect(boundKeys.find(key.sub, key.resetKeyId, within())).resolves.toBeUndefined();
      await boundKeys.bind(key, within());
      await expect(boundKeys.find(newId(), key.resetKeyId, within())).resolves.toBeUndefined();
    });

    it('may be bound in the same way again', async () => {
      await boundKeys.bind(key, within());
      await expect(boundKeys.bind(key, within())).resolves.toBe('bound');
    });

    it('are never bound anew to what the account has become since: a repeat revives no used key', async () => {
      await boundKeys.bind(key, within());
      await expect(boundKeys.bind({ ...key, credentialVersion: 'v2' }, within())).resolves.toBe('taken');
      await expect(boundKeys.bind({ ...key, accountId: '2' }, within())).resolves.toBe('taken');
      await expect(boundKeys.find(key.sub, key.resetKeyId, within())).resolves.toEqual(key);
    });

    it('of a row that somebody broke are none', async () => {
      await table.insert(key.sub, key.resetKeyId, { accountId: '1', expiresAt: start }, within());
      await expect(boundKeys.find(key.sub, key.resetKeyId, within())).resolves.toBeUndefined();
    });
  });
}

function deliveriesContract(name: string, make: MakeTable): void {
  describe(`the deliveries (${name})`, () => {
    let table: TableStore;
    let deliveries: Deliveries;
    let request: ClaimRequest;
    beforeAll(async () => {
      table = await make('Deliveries');
      deliveries = createDeliveriesTable(table);
    });
    beforeEach(() => {
      request = { sub: newId(), id: newId(), kind: 'passwordReset', attempt: 0, acceptedAt: start, now: start };
    });
    const claim = async (changes: Partial<ClaimRequest> = {}): Promise<Delivery> => {
      const claimed = await deliveries.claim({ ...request, ...changes }, within());
      if (claimed.outcome !== 'claimed') throw new Error(claimed.outcome);
      return claimed.delivery;
    };
    const outcome = async (changes: Partial<ClaimRequest> = {}) =>
      (await deliveries.claim({ ...request, ...changes }, within())).outcome;

    it('make a row for the first claim, with a lease and no address', async () => {
      await expect(claim()).resolves.toMatchObject({
        state: 'sending',
        attempt: 0,
        charged: false,
        leaseUntil: after(leaseMs / 1000),
      });
      const row = await table.get(request.sub, request.id, within());
      expect(row).toMatchObject({ kind: 'passwordReset', state: 'sending', acceptedAt: start });
      const columns = Object.keys(row ?? {}).filter((column) => !/^odata|etag|timestamp/.test(column));
      expect(columns.sort()).toEqual(
        [
          'acceptedAt',
          'attempt',
          'charged',
          'kind',
          'leaseUntil',
          'partitionKey',
          'rowKey',
          'state',
          'updatedAt',
        ].sort(),
      );
    });

    it('[Q4] let exactly one of ten concurrent claims have the mail', async () => {
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome()));
      expect(outcomes.filter((each) => each === 'claimed')).toHaveLength(1);
      expect(new Set(outcomes)).toEqual(new Set(['claimed', 'busy']));
    });

    it('[Q5] let another worker have it when the lease has run out, exactly one of ten', async () => {
      await claim();
      expect(await outcome({ now: after(59) })).toBe('busy');
      const outcomes = await Promise.all(Array.from({ length: 10 }, () => outcome({ now: after(60) })));
      expect(outcomes.filter((each) => each === 'claimed')).toHaveLength(1);
    });

    it.each(['accepted', 'failed', 'suppressed'] as const)(
      'never let anybody have a mail that is %s',
      async (state) => {
        await deliveries.record(await claim(), { state, now: after(1) }, within());
        expect(await outcome({ now: after(100_000) })).toBe('done');
      },
    );

    it('keep what was put back for the next attempt, and end the chains behind it', async () => {
      const change = { state: 'waiting', attempt: 1, reason: 'sendgrid_503', charged: true, now: after(1) } as const;
      await deliveries.record(await claim(), change, within());
      expect(await outcome({ attempt: 0, now: after(2) })).toBe('done');
      await expect(claim({ attempt: 1, now: after(10) })).resolves.toMatchObject({
        attempt: 1,
        charged: true,
        acceptedAt: start,
      });
    });

    it('do not let a worker write that has lost the mail', async () => {
      const lost = await claim();
      const taken = await claim({ now: after(60) });
      await expect(deliveries.record(lost, { state: 'failed', now: after(61) }, within())).resolves.toBeUndefined();
      await expect(deliveries.record(taken, { state: 'accepted', now: after(62) }, within())).resolves.toMatchObject({
        state: 'accepted',
      });
      await deliveries.forget(lost, within());
      await expect(table.get(request.sub, request.id, within())).resolves.toMatchObject({ state: 'accepted' });
    });

    it('[E1] forget a mail that concerns nobody', async () => {
      await deliveries.forget(await claim(), within());
      await expect(table.get(request.sub, request.id, within())).resolves.toBeUndefined();
    });

    it('say that a row is broken, instead of sending without a record', async () => {
      await table.insert(request.sub, request.id, { state: 'nonsense' }, within());
      await expect(outcome()).rejects.toMatchObject({ name: 'StorageUnavailable', code: 'bad_delivery_row' });
    });

    it('keep an alert once', async () => {
      const alert = { id: newId(), kind: 'mail', reason: 'sendgrid_400', at: start } as const;
      await deliveries.alert(alert, within());
      await deliveries.alert({ ...alert, at: after(60) }, within());
      const alerts = (await deliveries.alerts(within())).filter(({ id }) => id === alert.id);
      expect(alerts).toEqual([expect.objectContaining(alert)]);
      await deliveries.dropAlert(alert, within());
      expect((await deliveries.alerts(within())).filter(({ id }) => id === alert.id)).toEqual([]);
    });
  });
}

function limitsContract(name: string, make: MakeTable): void {
  describe(`the limits (${name})`, () => {
    let table: TableStore;
    let limits: Limits;
    let bucket: string;
    const rate = { burst: 3, refillMs: 300_000 };
    beforeAll(async () => {
      table = await make('Limits');
      limits = createLimitsTable(table);
    });
    beforeEach(() => {
      bucket = `address:${newId()}@canary.example`;
    });
    const take = (mailId: string, now = start) => limits.take(bucket, rate, mailId, now, within());

    it('[LM1] let three mails through and refuse the fourth until a token has come back', async () => {
      for (const mail of ['a', 'b', 'c']) expect(await take(mail)).toBe('ok');
      expect(await take('d')).toBe('over');
      expect(await take('d', after(299))).toBe('over');
      expect(await take('d', after(300))).toBe('ok');
    });

    it('charge a mail once', async () => {
      for (let time = 0; time < 10; time++) expect(await take('a')).toBe('ok');
      expect(await take('b')).toBe('ok');
      expect(await take('c')).toBe('ok');
      expect(await take('d')).toBe('over');
    });

    it('give a token back', async () => {
      for (const mail of ['a', 'b', 'c']) await take(mail);
      await limits.giveBack(bucket, rate, 'b', start, within());
      await limits.giveBack(bucket, rate, 'b', start, within());
      expect(await take('d')).toBe('ok');
      expect(await take('e')).toBe('over');
    });

    it('have nothing to give back for a bucket that is not there', async () => {
      await expect(limits.giveBack(bucket, rate, 'a', start, within())).resolves.toBeUndefined();
    });

    it('[LM6] never let more than the burst through, however many try at once', async () => {
      const results = await Promise.all(Array.from({ length: 30 }, (_, n) => take(`mail${n}`)));
      const ok = results.filter((result) => result === 'ok').length;
      expect(ok).toBeGreaterThanOrEqual(1);
      expect(ok).toBeLessThanOrEqual(3);
      expect(results.every((result) => ['ok', 'over', 'contended'].includes(result))).toBe(true);
    });

    it('[LM8] keep no raw text in a row, and say from when on it may be purged', async () => {
      await take('a');
      const rows = [];
      for await (const row of table.list("RowKey eq 'bucket'", within())) rows.push(row);
      expect(JSON.stringify(rows)).not.toContain('canary');
      expect(rows.map((row) => row['fullAt'])).toContainEqual(after(300));
    });

    it('take a row that somebody broke for a full bucket', async () => {
      await take('a');
      for await (const row of table.list("RowKey eq 'bucket'", within())) {
        await table.merge(row.partitionKey ?? '', 'bucket', { tokens: 'lots' }, row.etag, within());
      }
      expect(await take('b')).toBe('ok');
      expect(await take('c')).toBe('ok');
      expect(await take('d')).toBe('ok');
      expect(await take('e')).toBe('over');
    });
  });
}

function siteRowsContract(name: string, make: MakeTable): void {
  describe(`the site row (${name})`, () => {
    let table: TableStore;
    let rows: SiteRows;
    beforeAll(async () => {
      table = await make('SiteSettings');
    });
    beforeEach(() => {
      rows = createSiteTable(table, newId().slice(0, 6));
    });

    it('is filled in with every column once', async () => {
      expect((await rows.fillIn(codalab, within())).sort()).toEqual(Object.keys(codalab).sort());
      await expect(rows.fillIn({ ...codalab, name: 'Other' }, within())).resolves.toEqual([]);
      await expect(rows.read(within())).resolves.toMatchObject(codalab);
    });

    it('[ST2] is one row with one writer when ten instances start at once', async () => {
      const written = await Promise.all(Array.from({ length: 10 }, () => rows.fillIn(codalab, within())));
      expect(written.filter((columns) => columns.length > 0)).toHaveLength(1);
      await expect(rows.read(within())).resolves.toMatchObject(codalab);
    });
  });
}
