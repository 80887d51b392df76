// `accounts set-email` moves a row between two partitions: killed or raced at any call, it loses no account and no password.
import { createAccountsAdmin } from '../../../cli/storage/accountsAdmin';
import type { Moved } from '../../../cli/storage/accountMove';
import { addressHashOf } from '../../../shared/address';
import { createAccountsTable } from '../../../shared/storage/accountsTable';
import type { Row, TableStore } from '../../../shared/storage/tableStore';
import { createMemoryTableStore, type MemoryTableStore } from '../../fakes/memoryTableStore';

const from = 'someuser@somewhere.com';
const to = 'someuser@elsewhere.com';
const password = 'pbkdf2_sha256$1$salt$AAAAAAAAAAAAAAAAAAAA';

let table: MemoryTableStore;
let resets: number;
beforeEach(async () => {
  table = createMemoryTableStore();
  resets = 0;
  await createAccountsAdmin(table).add({ id: '1', email: from, username: 'someuser', password, isActive: true });
});

const at = (email: string): Row | undefined =>
  table.rows().find(({ partitionKey }) => partitionKey === addressHashOf(email));
async function move(email = to, store: TableStore = table): Promise<Moved> {
  const admin = createAccountsAdmin(store);
  const [record] = await createAccountsAdmin(table).findByAddress(from);
  return record === undefined ? 'stale_row' : admin.setEmail(record, email);
}
/** A person with this address redeems a link. @returns the new password, if there is such an account */
async function redeem(email: string): Promise<string | undefined> {
  const accounts = createAccountsTable(table, () => {});
  const [account] = await accounts.findByAddress(email);
  if (account === undefined) return undefined;
  const changed = { password: `!${++resets}`, resetKeyId: `k${resets}`, at: new Date(resets) };
  await accounts.setPassword(account, { ...changed, credentialVersion: account.credentialVersion });
  return changed.password;
}
/** The table, with something happening before the call with this number. */
function before(step: number, happens: () => Promise<unknown>): TableStore {
  let calls = 0;
  const then = async <T>(run: () => Promise<T>): Promise<T> => {
    if (++calls === step) await happens();
    return run();
  };
  return {
    ...table,
    get: (...args) => then(() => table.get(...args)),
    insert: (...args) => then(() => table.insert(...args)),
    merge: (...args) => then(() => table.merge(...args)),
    remove: (...args) => then(() => table.remove(...args)),
  };
}
const kill = (): Promise<never> => Promise.reject(new Error('killed'));

it('takes every column along, and ends the keys of before', async () => {
  table.edit(addressHashOf(from), '1', { siteColumn: 'kept', locale: 'fr' });
  expect(await move()).toBe('changed');
  expect(at(from)).toBeUndefined();
  const moved = { rowKey: '1', email: to, knownEmail: to, username: 'someuser', password, generation: 1 };
  expect(at(to)).toMatchObject({ ...moved, siteColumn: 'kept', locale: 'fr' });
});

it('changes the letter case of an address in place', async () => {
  expect(await move('SomeUser@somewhere.com')).toBe('changed');
  expect(at(from)).toMatchObject({ email: 'SomeUser@somewhere.com', generation: 1 });
  expect(await move('SomeUser@somewhere.com')).toBe('unchanged');
});

it('refuses a target with the same id, and a column that it cannot copy', async () => {
  await createAccountsAdmin(table).add({ id: '1', email: to, username: 'other', password, isActive: true });
  expect(await move()).toBe('target_exists');
  expect([at(from), at(to)]).toMatchObject([{ username: 'someuser' }, { username: 'other' }]);
  table.edit(addressHashOf(from), '1', { siteColumn: 2n ** 40n });
  expect(await move('third@somewhere.com')).toBe('uncopyable_column');
  expect(table.rows()).toHaveLength(2);
});

it('joins another account with the same address', async () => {
  await createAccountsAdmin(table).add({ id: '2', email: to, username: 'other', password, isActive: true });
  expect(await move()).toBe('changed');
  expect(table.rows().map(({ partitionKey, rowKey }) => [partitionKey, rowKey])).toEqual([
    [addressHashOf(to), '1'],
    [addressHashOf(to), '2'],
  ]);
});

// Call 1 inserts the new row, 2 removes the old one; further calls follow if something came in between.
const redemptions = [[from], [to], [from, to], [to, from], [from, from]];
it.each(redemptions.flatMap((who) => [1, 2, 3].map((step) => [who.join(' and '), step, who] as const)))(
  'keeps the password that %s set before call %i',
  async (_who, step, who) => {
    let last: string | undefined;
    const redeemed = async (): Promise<void> => {
      for (const email of who) last = (await redeem(email)) ?? last;
    };
    expect(await move(to, before(step, redeemed))).toBe('changed');
    expect(table.rows()).toMatchObject([{ email: to, password: last ?? password }]);
  },
);

it.each(redemptions.flatMap((who) => [1, 2].map((step) => [who.join(' and '), step, who] as const)))(
  'keeps the password that %s set after it was killed before call %i, when it is repeated',
  async (_who, step, who) => {
    await expect(move(to, before(step, kill))).rejects.toThrow('killed');
    let last: string | undefined;
    for (const email of who) last = (await redeem(email)) ?? last;
    const generations = table.rows().map(({ generation }) => Number(generation));
    expect(await move()).toBe('changed');
    expect(table.rows()).toMatchObject([{ email: to, password: last ?? password }]);
    expect(Number(at(to)?.['generation'])).toBeGreaterThanOrEqual(Math.max(...generations));
  },
);

it('carries over what else changed in the old row, but not over a change of the new one', async () => {
  await expect(move(to, before(2, kill))).rejects.toThrow('killed');
  table.edit(addressHashOf(from), '1', { isActive: false, username: 'renamed', locale: 'fr' });
  table.edit(addressHashOf(to), '1', { locale: 'de' });
  expect(await move()).toBe('changed');
  expect(table.rows()).toMatchObject([{ email: to, isActive: false, username: 'renamed', locale: 'de', password }]);
});

it('finishes a move that the previous version of this command began', async () => {
  await expect(move(to, before(2, kill))).rejects.toThrow('killed');
  table.edit(addressHashOf(to), '1', { movedBase: undefined });
  const redeemed = await redeem(from);
  expect(await move()).toBe('changed');
  expect(table.rows()).toMatchObject([{ email: to, password: redeemed }]);
});

it('succeeds if only the reply to the removal was lost', async () => {
  table.intercept('remove', async (run) => {
    await run();
    return 'stale';
  });
  expect(await move()).toBe('changed');
  expect(table.rows()).toMatchObject([{ email: to }]);
});

it.each([1, 2])(
  'leaves one row, and the latest password, if another operator moves the account elsewhere before call %i',
  async (step) => {
    const third = 'third@somewhere.com';
    let redeemed: string | undefined;
    const other = async (): Promise<void> => {
      expect(await move(third)).toBe('changed');
      redeemed = await redeem(third);
    };
    const outcome = await move(to, before(step, other));
    expect(table.rows()).toHaveLength(1);
    expect(table.rows()).toMatchObject([{ email: outcome === 'changed' ? to : third, password: redeemed }]);
  },
);

it('says that it did not finish if others keep writing', async () => {
  table.intercept('remove', () => 'stale', 5);
  expect(await move()).toBe('contended');
  expect(table.rows()).toHaveLength(2);
  expect(await move()).toBe('changed');
});
