import { checkNewAccount, type AccountInput } from '../../../cli/storage/newAccount';

const good: AccountInput = { id: '7', email: 'someuser@somewhere.com', username: 'someuser' };
const problemsOf = (input: Partial<AccountInput>): readonly string[] => {
  const checked = checkNewAccount({ ...good, ...input });
  return 'problems' in checked ? checked.problems : [];
};

describe('a new account', () => {
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
