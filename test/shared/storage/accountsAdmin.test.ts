// The operator's changes of the Accounts table, against Azurite.
import { credentialVersionOf, type Account } from '../../../shared/accounts';
import { addressHashOf } from '../../../shared/address';
import { createAccountsAdmin, type AccountRecord, type AccountsAdmin } from '../../../shared/storage/accountsAdmin';
import { createAccountsTable } from '../../../shared/storage/accountsTable';
import type { NewAccount } from '../../../shared/storage/newAccount';
import type { TableStore } from '../../../shared/storage/tableStore';
import { emptyStorageClients } from '../../support/storage';

const signal = AbortSignal.timeout(60_000);
const password = 'pbkdf2_sha256$1$salt$AAAAAAAAAAAAAAAAAAAA';
const someuser: NewAccount = {
  id: '1',
  email: 'someuser@somewhere.com',
  username: 'someuser',
  password,
  isActive: true,
};
const moved = 'someuser@elsewhere.com';

describe("the operator's changes of the Accounts table", () => {
  let table: TableStore;
  let admin: AccountsAdmin;
  beforeEach(async () => {
    table = (await emptyStorageClients()).table('Accounts');
    admin = createAccountsAdmin(table);
    await admin.add(someuser, signal);
  });

  async function recordAt(email: string): Promise<AccountRecord> {
    const [record] = await admin.findByAddress(email, signal);
    if (record === undefined) throw new Error('there is no such row');
    return record;
  }
  async function accountAt(email: string): Promise<Account> {
    const { read } = await recordAt(email);
    if ('problem' in read) throw new Error(read.problem);
    return read.account;
  }
  const rowsAt = async (email: string): Promise<number> => (await admin.findByAddress(email, signal)).length;
  const edit = async (email: string, columns: Record<string, string>): Promise<void> => {
    const { sub, id, row } = await recordAt(email);
    await table.merge(sub, id, columns, row.etag, signal);
  };

  it('add an account that the flow finds by its address in any letter case', async () => {
    const found = await createAccountsTable(table, () => {}).findByAddress('SomeUser@Somewhere.COM', signal);
    expect(found).toEqual([
      expect.objectContaining({ id: '1', username: 'someuser', generation: 0, isActive: true, password }),
    ]);
  });

  it('never overwrite an account by adding it again', async () => {
    expect(await admin.add({ ...someuser, username: 'other' }, signal)).toBe('exists');
    expect((await accountAt(someuser.email)).username).toBe('someuser');
  });

  it('disable and enable it, each time ending the keys of before, and do nothing when it is so already', async () => {
    const before = credentialVersionOf(await accountAt(someuser.email));
    expect(await admin.setActive(await recordAt(someuser.email), false, signal)).toBe('changed');
    expect(await accountAt(someuser.email)).toMatchObject({ isActive: false, generation: 1 });
    expect(await admin.setActive(await recordAt(someuser.email), false, signal)).toBe('unchanged');
    expect(await admin.setActive(await recordAt(someuser.email), true, signal)).toBe('changed');
    expect(await accountAt(someuser.email)).toMatchObject({ isActive: true, generation: 2 });
    expect(credentialVersionOf(await accountAt(someuser.email))).not.toBe(before);
  });

  it('revoke: the generation rises by one each time', async () => {
    await admin.revoke(await recordAt(someuser.email), signal);
    await admin.revoke(await recordAt(someuser.email), signal);
    expect((await accountAt(someuser.email)).generation).toBe(2);
  });

  it('apply to the row as it is now, not as it was when it was looked up', async () => {
    const old = await recordAt(someuser.email);
    await admin.revoke(old, signal);
    await edit(someuser.email, { username: 'renamed' });
    expect(await admin.setActive(old, false, signal)).toBe('changed');
    expect(await accountAt(someuser.email)).toMatchObject({ username: 'renamed', isActive: false, generation: 2 });
  });

  it('say so when the row is gone', async () => {
    const record = await recordAt(someuser.email);
    await table.remove(record.sub, record.id, record.row.etag, signal);
    expect(await admin.revoke(record, signal)).toBe('stale_row');
  });

  it('find an id wherever it is, quotes in it and all', async () => {
    await admin.add({ ...someuser, id: "o'neil", email: 'other@somewhere.com' }, signal);
    expect((await admin.findById("o'neil", signal)).map(({ sub }) => sub)).toEqual([addressHashOf('other@somewhere.com')]);
  });

  it('list every row, the broken ones with the reason', async () => {
    await admin.add({ ...someuser, id: '2', email: 'other@somewhere.com' }, signal);
    await edit('other@somewhere.com', { email: 'edited@portal.org' });
    const problems = [];
    for await (const { id, read } of admin.list(signal)) problems.push([id, 'problem' in read ? read.problem : 'fine']);
    expect(problems.sort()).toEqual([
      ['1', 'fine'],
      ['2', 'address_of_another_partition'],
    ]);
  });

  describe('setEmail', () => {
    it('moves the row to the partition of the new address, every column with it, and ends the keys of before', async () => {
      await edit(someuser.email, { siteColumn: 'kept' });
      expect(await admin.setEmail(await recordAt(someuser.email), moved, signal)).toBe('changed');
      expect(await rowsAt(someuser.email)).toBe(0);
      expect((await recordAt(moved)).row).toMatchObject({
        rowKey: '1',
        email: moved,
        username: 'someuser',
        password,
        generation: 1,
        siteColumn: 'kept',
      });
    });

    it('changes the letter case of an address in place', async () => {
      expect(await admin.setEmail(await recordAt(someuser.email), 'SomeUser@somewhere.com', signal)).toBe('changed');
      expect(await accountAt(someuser.email)).toMatchObject({ email: 'SomeUser@somewhere.com', generation: 1 });
      expect(await admin.setEmail(await recordAt(someuser.email), 'SomeUser@somewhere.com', signal)).toBe('unchanged');
    });

    it('refuses when another row with the same id is at the new address', async () => {
      await admin.add({ ...someuser, email: moved, username: 'other' }, signal);
      expect(await admin.setEmail(await recordAt(someuser.email), moved, signal)).toBe('target_exists');
      expect([await rowsAt(someuser.email), (await accountAt(moved)).username]).toEqual([1, 'other']);
    });

    it('lets an account join another one at the same address', async () => {
      await admin.add({ ...someuser, id: '2', email: moved, username: 'other' }, signal);
      expect(await admin.setEmail(await recordAt(someuser.email), moved, signal)).toBe('changed');
      expect(await rowsAt(moved)).toBe(2);
    });

    it('finishes what a crash between the two writes left, when it is said again', async () => {
      const crashing = createAccountsAdmin({ ...table, remove: () => Promise.reject(new Error('killed')) });
      await expect(crashing.setEmail(await recordAt(someuser.email), moved, signal)).rejects.toThrow('killed');
      expect([await rowsAt(someuser.email), await rowsAt(moved)]).toEqual([1, 1]);
      expect(await admin.setEmail(await recordAt(someuser.email), moved, signal)).toBe('changed');
      expect([await rowsAt(someuser.email), await rowsAt(moved)]).toEqual([0, 1]);
      expect((await accountAt(moved)).generation).toBe(1);
    });

    it('loses no password that a redemption sets in the middle of the move', async () => {
      const accounts = createAccountsTable(table, () => {});
      const account = await accountAt(someuser.email);
      let redeemed = false;
      const interrupted = createAccountsAdmin({
        ...table,
        insert: async (...args) => {
          const inserted = await table.insert(...args);
          if (redeemed) return inserted;
          redeemed = true;
          await accounts.setPassword(account, { password: '!new', resetKeyId: 'k', at: new Date() }, signal);
          return inserted;
        },
      });
      expect(await interrupted.setEmail(await recordAt(someuser.email), moved, signal)).toBe('changed');
      expect(await rowsAt(someuser.email)).toBe(0);
      expect(await accountAt(moved)).toMatchObject({ password: '!new', generation: 2, lastResetKeyId: 'k' });
    });

    it('succeeds when only the reply to the removal was lost', async () => {
      const losing = createAccountsAdmin({
        ...table,
        remove: async (...args) => {
          await table.remove(...args);
          return 'stale';
        },
      });
      expect(await losing.setEmail(await recordAt(someuser.email), moved, signal)).toBe('changed');
      expect([await rowsAt(someuser.email), await rowsAt(moved)]).toEqual([0, 1]);
    });

    it('mends a row whose address was edited in the portal', async () => {
      await edit(someuser.email, { email: moved });
      expect(await admin.setEmail(await recordAt(someuser.email), moved, signal)).toBe('changed');
      expect(await accountAt(moved)).toMatchObject({ id: '1', email: moved, generation: 1 });
    });

    it('of two operators at once leaves one row with one of the two addresses', async () => {
      const record = await recordAt(someuser.email);
      await Promise.all([admin.setEmail(record, moved, signal), admin.setEmail(record, 'third@somewhere.com', signal)]);
      const rows = [await rowsAt(someuser.email), await rowsAt(moved), await rowsAt('third@somewhere.com')];
      expect(rows[0]).toBe(0);
      expect(rows.reduce((sum, number) => sum + number)).toBe(1);
    });
  });

  describe('importAccount', () => {
    const update = (changes: Partial<NewAccount>, on = true) =>
      admin.importAccount({ ...someuser, ...changes }, { update: on }, signal);

    it('adds an account, and leaves it as it is the second time', async () => {
      expect(await update({ id: '2' }, false)).toBe('added');
      expect(await update({ id: '2', username: 'other' }, false)).toBe('existing');
      expect((await accountAt(someuser.email)).username).toBe('someuser');
    });

    it('changes it on demand, ending the keys of before only when the credentials differ', async () => {
      expect(await update({})).toBe('unchanged');
      expect(await update({ username: 'renamed' })).toBe('updated');
      expect(await accountAt(someuser.email)).toMatchObject({ username: 'renamed', generation: 0 });
      expect(await update({ username: 'renamed', password: '!' })).toBe('updated');
      expect(await accountAt(someuser.email)).toMatchObject({ password: '!', generation: 1 });
    });

    it('never puts an old password over one that a reset has set', async () => {
      const accounts = createAccountsTable(table, () => {});
      const change = { password: `${password}B`, resetKeyId: 'k', at: new Date() };
      await accounts.setPassword(await accountAt(someuser.email), change, signal);
      expect(await update({ username: 'renamed' })).toBe('updated_except_password');
      expect(await accountAt(someuser.email)).toMatchObject({
        username: 'renamed',
        password: change.password,
        generation: 1,
      });
    });

    it('says so when the row that is there is broken', async () => {
      await edit(someuser.email, { email: 'edited@portal.org' });
      expect(await update({ username: 'renamed' })).toBe('broken');
    });
  });
});
