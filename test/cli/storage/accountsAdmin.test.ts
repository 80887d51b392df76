// The operator's changes of the Accounts table, and what an account must look like to get into it.
import { createAccountsAdmin, type AccountRecord, type AccountsAdmin } from '../../../cli/storage/accountsAdmin';
import { checkNewAccount, type AccountInput, type NewAccount } from '../../../cli/storage/newAccount';
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
async function reset(newPassword: string): Promise<void> {
  const account = accountOf(await row());
  const change = { password: newPassword, resetKeyId: 'k', at: now, credentialVersion: account.credentialVersion };
  await createAccountsTable(table, () => {}).setPassword(account, change);
}

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
