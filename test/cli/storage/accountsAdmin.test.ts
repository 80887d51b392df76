// The operator's changes of the Accounts table.
import { createAccountsAdmin, type AccountRecord, type AccountsAdmin } from '../../../cli/storage/accountsAdmin';
import type { NewAccount } from '../../../cli/storage/newAccount';
import { addressHashOf } from '../../../shared/address';
import { accountOf, createAccountsTable, type AccountRow } from '../../../shared/storage/accountsTable';
import { createMemoryTableStore, type MemoryTableStore } from '../../fakes/memoryTableStore';

const password = 'pbkdf2_sha256$1$salt$AAAAAAAAAAAAAAAAAAAA';
const email = 'someuser@somewhere.com';
const someuser: NewAccount = { id: '1', email, username: 'someuser', password, isActive: true };
const now = new Date('2026-03-01T12:00:00Z');

let table: MemoryTableStore;
let admin: AccountsAdmin;
beforeEach(async () => {
  table = createMemoryTableStore();
  admin = createAccountsAdmin(table, () => now);
  await admin.add(someuser);
});

async function record(address = email): Promise<AccountRecord> {
  const [found] = await admin.findByAddress(address);
  if (found === undefined) throw new Error('there is no such row');
  return found;
}
async function row(address = email): Promise<AccountRow> {
  const { read } = await record(address);
  if ('problem' in read) throw new Error(read.problem);
  return read;
}
const edit = (columns: Record<string, unknown>): void => table.edit(addressHashOf(email), '1', columns);
async function reset(newPassword: string): Promise<void> {
  const account = accountOf(await row());
  const change = { password: newPassword, resetKeyId: 'k', at: now, credentialVersion: account.credentialVersion };
  await createAccountsTable(table, () => {}).setPassword(account, change);
}

it('adds an account that the app finds, with the time, and never overwrites one', async () => {
  const found = await createAccountsTable(table, () => {}).findByAddress('SomeUser@Somewhere.COM');
  expect(found).toMatchObject([{ id: '1', username: 'someuser', canReset: true, createdAt: now }]);
  expect(await admin.add({ ...someuser, username: 'other' })).toBe('exists');
  expect(await row()).toMatchObject({ username: 'someuser', generation: 0 });
});

it('disables and enables, each time ending the keys of before, and changes nothing if it is so already', async () => {
  const before = accountOf(await row()).credentialVersion;
  expect(await admin.setActive(await record(), false)).toBe('changed');
  expect(await row()).toMatchObject({ isActive: false, generation: 1 });
  expect(await admin.setActive(await record(), false)).toBe('unchanged');
  expect(await admin.setActive(await record(), true)).toBe('changed');
  expect(await row()).toMatchObject({ isActive: true, generation: 2 });
  expect(accountOf(await row()).credentialVersion).not.toBe(before);
});

it('sets a password as a reset would, which ends the key of that reset', async () => {
  await reset('!by a reset');
  expect(await admin.setPassword(await record(), '!by an operator')).toBe('changed');
  const expected = { password: '!by an operator', generation: 2, passwordChangedAt: now, lastResetKeyId: undefined };
  expect(await row()).toMatchObject(expected);
});

it('decides by the row as it is now, not as it was when it was looked up', async () => {
  const old = await record();
  await admin.revoke(old);
  edit({ username: 'renamed' });
  expect(await admin.setActive(old, false)).toBe('changed');
  expect(await row()).toMatchObject({ username: 'renamed', isActive: false, generation: 2 });
});

it('tells a row that is gone from one that others keep writing', async () => {
  const old = await record();
  table.intercept('merge', () => 'stale', 20);
  expect(await admin.revoke(old)).toBe('contended');
  table.drop(old.addressHash, old.id);
  expect(await admin.revoke(old)).toBe('stale_row');
});

it('finds an id wherever it is, quotes included', async () => {
  await admin.add({ ...someuser, id: "o'neil", email: 'other@somewhere.com' });
  const found = await admin.findById("o'neil");
  expect(found.map(({ addressHash }) => addressHash)).toEqual([addressHashOf('other@somewhere.com')]);
});

it('finds a row by the address that was written into it by hand, and set-email fixes it', async () => {
  edit({ email: 'edited@portal.org' });
  const [found] = await admin.findMisplaced('Edited@portal.org');
  if (found === undefined) throw new Error('there is no such row');
  expect([found.read, found.row['knownEmail']]).toEqual([{ problem: 'address_of_another_partition' }, email]);
  expect(await admin.setEmail(found, 'edited@portal.org')).toBe('changed');
  expect(await row('edited@portal.org')).toMatchObject({ id: '1', generation: 1 });
  expect(await admin.findMisplaced('edited@portal.org')).toEqual([]);
});

describe('importAccount', () => {
  const update = (changes: Partial<NewAccount>, passwords: 'keep' | 'import' = 'keep') =>
    admin.importAccount({ ...someuser, ...changes }, { update: true, passwords });
  const changed = { outcome: 'updated', kept: false };

  it('adds an account, and leaves it as it is the second time', async () => {
    const rules = { update: false, passwords: 'keep' } as const;
    const createdAt = new Date('2014-01-01T00:00:00Z');
    expect(await admin.importAccount({ ...someuser, id: '2', createdAt }, rules)).toMatchObject({ outcome: 'added' });
    expect(await admin.importAccount({ ...someuser, id: '2', username: 'other' }, rules)).toMatchObject({
      outcome: 'existing',
    });
    const [, second] = await admin.findByAddress(email);
    expect(second?.read).toMatchObject({ username: 'someuser', createdAt });
  });

  it('changes it on demand, ending the keys of before only if the credentials differ', async () => {
    expect(await update({})).toEqual({ outcome: 'unchanged', kept: false });
    expect(await update({ username: 'renamed' })).toEqual(changed);
    expect(await row()).toMatchObject({ username: 'renamed', generation: 0 });
    expect(await update({ username: 'renamed', password: '!' })).toEqual(changed);
    expect(await row()).toMatchObject({ password: '!', generation: 1 });
  });

  it('keeps a password that a reset has set, and says so also if nothing else differs', async () => {
    await reset('!new');
    expect(await update({})).toEqual({ outcome: 'unchanged', kept: true });
    expect(await update({ username: 'renamed' })).toEqual({ outcome: 'updated', kept: true });
    expect(await row()).toMatchObject({ username: 'renamed', password: '!new', generation: 1 });
    expect(await update({ username: 'renamed' }, 'import')).toEqual(changed);
    expect(await row()).toMatchObject({ password, generation: 2 });
  });

  it('changes no row that is broken', async () => {
    edit({ email: 'edited@portal.org' });
    expect(await update({ username: 'renamed' })).toMatchObject({ outcome: 'broken' });
  });
});
