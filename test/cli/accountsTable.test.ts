// The operator's changes of the Accounts table, and what an account must look like to get into it. `setEmail` moves a row between two
// partitions: killed or raced at any call, it loses no account and no password.
import type { Moved } from '../../cli/storage/accountMove';
import { createAccountsAdmin, type AccountRecord, type AccountsAdmin } from '../../cli/storage/accountsAdmin';
import { checkNewAccount, type AccountInput, type NewAccount } from '../../cli/storage/newAccount';
import { addressHashOf } from '../../shared/address';
import { createAccountsTable, type AccountRow } from '../../shared/storage/accountsTable';
import type { Row, TableStore } from '../../shared/storage/storage';
import { createMemoryTableStore, type MemoryTableStore } from '../fakes/memoryTableStore';

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

async function record(): Promise<AccountRecord> {
  const [found] = await admin.findByAddress(email);
  if (found === undefined) throw new Error('there is no such row');
  return found;
}
async function row(): Promise<AccountRow> {
  const { read } = await record();
  if ('problem' in read) throw new Error(read.problem);
  return read;
}
const edit = (columns: Record<string, unknown>): void => table.edit(addressHashOf(email), '1', columns);
let resets = 0;
/** A person with this address redeems a link. @returns the new password, if there is such an account */
async function redeem(address: string): Promise<string | undefined> {
  const accounts = createAccountsTable(table, () => {});
  const [account] = await accounts.findByAddress(address);
  if (account === undefined) return undefined;
  const changed = { password: `!${++resets}`, resetKeyId: `k${resets}`, at: new Date(resets) };
  await accounts.setPassword(account, { ...changed, credentialVersion: account.credentialVersion });
  return changed.password;
}

it('sets a password as a reset would, which ends the key of that reset', async () => {
  await redeem(email);
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

describe('a new address', () => {
  const to = 'someuser@elsewhere.com';
  const at = (address: string): Row | undefined =>
    table.rows().find(({ partitionKey }) => partitionKey === addressHashOf(address));
  async function move(address = to, store: TableStore = table): Promise<Moved> {
    const [found] = await admin.findByAddress(email);
    return found === undefined ? 'stale_row' : createAccountsAdmin(store).setEmail(found, address);
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
    edit({ siteColumn: 'kept', locale: 'fr' });
    expect(await move()).toBe('changed');
    expect(at(email)).toBeUndefined();
    const moved = { rowKey: '1', email: to, knownEmail: to, username: 'someuser', password, generation: 1 };
    expect(at(to)).toMatchObject({ ...moved, siteColumn: 'kept', locale: 'fr' });
  });

  it('changes the letter case of an address in place', async () => {
    expect(await move('SomeUser@somewhere.com')).toBe('changed');
    expect(at(email)).toMatchObject({ email: 'SomeUser@somewhere.com', generation: 1 });
    expect(await move('SomeUser@somewhere.com')).toBe('unchanged');
  });

  it('refuses a target with the same id, and a column that it cannot copy', async () => {
    await admin.add({ ...someuser, email: to, username: 'other' });
    expect(await move()).toBe('target_exists');
    expect([at(email), at(to)]).toMatchObject([{ username: 'someuser' }, { username: 'other' }]);
    edit({ siteColumn: 2n ** 40n });
    expect(await move('third@somewhere.com')).toBe('uncopyable_column');
    expect(table.rows()).toHaveLength(2);
  });

  it('joins another account with the same address', async () => {
    await admin.add({ ...someuser, id: '2', email: to, username: 'other' });
    expect(await move()).toBe('changed');
    const partitionKey = addressHashOf(to);
    expect(table.rows()).toMatchObject(['1', '2'].map((rowKey) => ({ partitionKey, rowKey })));
  });

  // Call 1 inserts the new row, 2 removes the old one; further calls follow if something came in between.
  const redemptions = [[email], [to], [email, to], [to, email], [email, email]];
  it.each(redemptions.flatMap((who) => [1, 2, 3].map((step) => [who.join(' and '), step, who] as const)))(
    'keeps the password that %s set before call %i',
    async (_who, step, who) => {
      let last: string | undefined;
      const redeemed = async (): Promise<void> => {
        for (const address of who) last = (await redeem(address)) ?? last;
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
      for (const address of who) last = (await redeem(address)) ?? last;
      const generations = table.rows().map(({ generation }) => Number(generation));
      expect(await move()).toBe('changed');
      expect(table.rows()).toMatchObject([{ email: to, password: last ?? password }]);
      expect(Number(at(to)?.['generation'])).toBeGreaterThanOrEqual(Math.max(...generations));
    },
  );

  it('carries over what else changed in the old row, but not over a change of the new one', async () => {
    await expect(move(to, before(2, kill))).rejects.toThrow('killed');
    edit({ isActive: false, username: 'renamed', locale: 'fr' });
    table.edit(addressHashOf(to), '1', { locale: 'de' });
    expect(await move()).toBe('changed');
    expect(table.rows()).toMatchObject([{ email: to, isActive: false, username: 'renamed', locale: 'de', password }]);
  });

  it('finishes a move that the previous version of this command began', async () => {
    await expect(move(to, before(2, kill))).rejects.toThrow('killed');
    table.edit(addressHashOf(to), '1', { movedBase: undefined });
    const redeemed = await redeem(email);
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

  it('removes no row whose later password it could not take over', async () => {
    const third = 'third@somewhere.com';
    const [kept = '', other = ''] = [to, third].sort((a, b) => (addressHashOf(a) < addressHashOf(b) ? -1 : 1));
    const raced = async (): Promise<void> => {
      await move(third);
      await redeem(kept);
      await redeem(other);
      table.intercept('merge', () => 'stale', 10);
    };
    expect(await move(to, before(2, raced))).toBe('contended');
    expect(table.rows()).toHaveLength(2);
  });

  it('says that it did not finish if others keep writing', async () => {
    table.intercept('remove', () => 'stale', 5);
    expect(await move()).toBe('contended');
    expect(table.rows()).toHaveLength(2);
    expect(await move()).toBe('changed');
  });
});

describe('a new account', () => {
  const good: AccountInput = { id: '7', email, username: 'someuser' };
  const problemsOf = (input: Partial<AccountInput>): readonly string[] => {
    const checked = checkNewAccount({ ...good, ...input });
    return 'problems' in checked ? checked.problems : [];
  };

  it('has no usable password and is active unless it says otherwise', () => {
    expect(checkNewAccount(good)).toEqual({ account: { ...good, password: '!', isActive: true } });
  });

  it('is stored without the blanks around its address, and with nothing else changed', () => {
    expect(checkNewAccount({ ...good, email: '  SomeUser@Somewhere.com\t' })).toMatchObject({
      account: { email: 'SomeUser@Somewhere.com' },
    });
  });

  it.each(['a/b', 'a\\b', 'a#b', 'a?b', 'a\u0001b', 'a\u0085b', ' a', 'a '])(
    'is refused with the id %j, which Azure forbids',
    (id) => {
      expect(problemsOf({ id })).toHaveLength(1);
    },
  );

  it('takes an id of 1 to 256 characters', () => {
    expect(problemsOf({ id: 'x'.repeat(256) })).toEqual([]);
    expect(problemsOf({ id: 'x'.repeat(257) })).toEqual(['id is longer than 256 characters, or than 600 bytes']);
    expect(problemsOf({ id: '' })).toEqual(['id is empty']);
  });

  it.each([
    'pbkdf2_sha256$1000000$salt$e3m0pxCbhX2ODmmSBJmJ2qxHhLkNtpLS3ZXY+rbXeKA=',
    'argon2$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0c2FsdA$WRPF2yPvfhd+Nzi5rPRmPBrAe8dPLhfzMSxXcMpWtHE',
    'bcrypt_sha256$$2b$12$eUJWrRmRrzNCmNOdPbSNCOZvVCnQyMBYBqFWYq0C4wcJkV9fWc8Iy',
    'crypt$$lJMBO2yXrUHoo',
    'my-own-hasher$salt$5f4dcc3b5aa765d61d8327deb882cf99',
    'md5$salt$5f4dcc3b5aa765d61d8327deb882cf99',
    '5f4dcc3b5aa765d61d8327deb882cf99',
    '!',
    '!Xk2mN0pQ8rT4vW6yZ1aB3cD5eF7gH9jK2mN4pQ6r',
    '',
  ])('keeps the Django password %j', (password) => {
    expect(problemsOf({ password })).toEqual([]);
  });

  it.each(['hunter2', 'correct horse battery staple', 'pa$$word', 'P$a$ss', 'x'.repeat(600)])(
    'is refused with the clear text %j, which is not repeated',
    (password) => {
      const problems = problemsOf({ password });
      expect(problems.length).toBeGreaterThan(0);
      expect(problems.join()).not.toContain(password);
    },
  );

  it('is refused with a name of 151 characters, or with a line break in it', () => {
    expect(problemsOf({ username: '😀'.repeat(150) })).toEqual([]);
    expect(problemsOf({ username: 'x'.repeat(151) })).toEqual(['username is longer than 150 characters']);
    expect(problemsOf({ username: 'a\nb' })).toEqual(['username holds a control character']);
  });

  it("understands Django's spelling of a language", () => {
    expect(checkNewAccount({ ...good, locale: 'pt_BR' })).toMatchObject({ account: { locale: 'pt-BR' } });
    expect(problemsOf({ locale: 'not a language' })).toEqual(['locale is not a language tag']);
  });

  it("takes Django's times, with and without an offset", () => {
    for (const createdAt of ['2014-01-02T03:04:05.678Z', '2014-01-02 03:04:05.678901+00:00', '2014-01-02T03:04:05.678'])
      expect(checkNewAccount({ ...good, createdAt })).toMatchObject({
        account: { createdAt: new Date('2014-01-02T03:04:05.678Z') },
      });
    expect(problemsOf({ createdAt: 'yesterday' })).toEqual(['created_at is not an ISO 8601 time']);
  });

  it("names every problem at once, in the words of the file's header", () => {
    expect(problemsOf({ id: 'a/b', email: 'nobody', username: '', isActive: 'x' as never })).toEqual([
      'id holds / \\ # ? or a control character',
      'email is not a plain e-mail address',
      'username is empty',
      expect.stringMatching(/^is_active /),
    ]);
  });
});
