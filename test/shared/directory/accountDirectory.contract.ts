// What holds for every account directory, wherever the accounts are.
import { addressHashOf } from '../../../shared/address';
import type { Account, AccountDirectory, PasswordChange } from '../../../shared/directory/accountDirectory';
import { hashPassword } from '../../../shared/password/passwordHash';

/** An account to begin with. `password` is in Django's encoding; `!` is an unusable one. */
export interface SeedAccount {
  /** Decimal digits, as every database can hold them. */
  readonly id: string;
  readonly email: string;
  readonly username: string;
  readonly password: string;
  readonly isActive: boolean;
}

export interface DirectoryUnderTest {
  readonly directory: AccountDirectory;
  /** Makes these the only accounts. An account of before that is given again is changed, not made anew. */
  seed(accounts: readonly SeedAccount[]): Promise<void>;
  /** What `setPassword` takes; default `encoded`. */
  readonly passwordFormat?: 'encoded' | 'plain';
}

const concurrentCalls = 20;
const ada = {
  id: '1',
  email: 'Ada.Lovelace@Example.org',
  username: 'ada',
  password: 'argon2$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$Jy3XqUJpSCMSxIVC4A1tHRDUFqTbVYQFkeBxtzKqZGk',
  isActive: true,
};
const bob = { ...ada, id: '2', email: 'bob@example.org', username: 'bob' };

/** Defines the suite. `open` is called once, before all tests. */
export function accountDirectoryContract(name: string, open: () => Promise<DirectoryUnderTest>): void {
  describe(`the account directory: ${name}`, () => {
    let under: DirectoryUnderTest;
    let hashes: readonly string[];

    beforeAll(async () => {
      under = await open();
      hashes = await Promise.all(passwords.map((password) => hashPassword(password, 'argon2id')));
    });

    const passwords = Array.from({ length: concurrentCalls }, (_, each) => `horse battery staple ${each}`);
    const get = (id: string) => under.directory.get(addressHashOf(ada.email), id);
    const existing = async (id = ada.id): Promise<Account> => {
      const account = await get(id);
      if (account === undefined) throw new Error(`no account ${id}`);
      return account;
    };
    /** A change to the nth password by the nth reset key. */
    const change = (account: Account, nth: number, more: Partial<PasswordChange> = {}): PasswordChange => ({
      credentialVersion: account.credentialVersion,
      password: (under.passwordFormat === 'plain' ? passwords : hashes)[nth] ?? '',
      resetKeyId: `resetKey${nth}`,
      at: new Date(),
      ...more,
    });
    const idsAt = async (address: string) => (await under.directory.findByAddress(address)).map(({ id }) => id).sort();

    describe('finds accounts', () => {
      it('by their address, which it gives back byte for byte; all of one address', async () => {
        await under.seed([ada, bob, { ...bob, id: '3', username: 'bobby', email: 'BOB@example.org' }]);
        const [found] = await under.directory.findByAddress('ada.lovelace@example.ORG');
        expect(found).toMatchObject({ id: '1', email: 'Ada.Lovelace@Example.org', username: 'ada', canReset: true });
        expect(found?.addressHash).toBe(addressHashOf(ada.email));
        expect(found?.credentialVersion).toMatch(/^.{1,256}$/);
        expect(found?.lastResetKeyId).toBeUndefined();
        expect(await idsAt('bob@example.org')).toEqual(['2', '3']);
      });

      it.each([
        ['éva@example.org', 'Éva@example.org'],
        ['mike@example.org', 'mi\u212Ae@example.org'], // the Kelvin sign, which lower-cases to k
        ['bob_@example.org', 'bobx@example.org'], // the wildcards of LIKE
        ['bob%@example.org', 'bobby@example.org'],
      ])('never %s for %s: only ASCII letter case is set aside', async (asked, stored) => {
        await under.seed([{ ...bob, email: stored }]);
        expect(await idsAt(asked)).toEqual([]);
        await under.seed([{ ...bob, email: asked }]);
        expect(await idsAt(stored)).toEqual([]);
        expect(await idsAt(asked)).toEqual(['2']);
      });
    });

    describe('gets an account', () => {
      it('by its id, also by one that is still to come', async () => {
        await under.seed([ada, bob]);
        const [found] = await under.directory.findByAddress(ada.email);
        expect(await get('1')).toEqual(found);
        expect(await under.directory.get(addressHashOf(ada.email), Promise.resolve('1'))).toEqual(found);
        expect(await under.directory.get(addressHashOf(ada.email), Promise.resolve(undefined))).toBeUndefined();
      });

      it.each(['7', '01', 'x', '99999999999999999999999999', "1'--"])('none by the id %s', async (id) => {
        await under.seed([ada]);
        expect(await get(id)).toBeUndefined();
      });

      it.each([
        ['is not active', { isActive: false }],
        ['has an unusable password', { password: '!' }],
        ['has no password', { password: '' }],
      ])('that cannot be reset since it %s', async (_, more) => {
        await under.seed([{ ...ada, ...more }]);
        expect((await existing()).canReset).toBe(false);
        expect((await under.directory.findByAddress(ada.email)).map(({ canReset }) => canReset)).toEqual([false]);
      });

      it('whose credential version stays while nothing changes, and differs after every change that must end keys', async () => {
        const versions: string[] = [];
        const changes = [{ isActive: false }, { email: 'ada@example.net' }, { password: hashes[0] ?? '' }];
        for (const each of [ada, ...changes.map((more) => ({ ...ada, ...more }))]) {
          await under.seed([each]);
          const address = addressHashOf(each.email);
          const read = [await under.directory.get(address, '1'), await under.directory.get(address, '1')];
          expect(read[0]?.credentialVersion).toBe(read[1]?.credentialVersion);
          versions.push(read[0]?.credentialVersion ?? '');
        }
        expect(new Set(versions).size).toBe(versions.length);
      });
    });

    describe('sets a password', () => {
      it('once, and says who did it', async () => {
        await under.seed([ada, bob]);
        const [account, other] = [await existing(), await under.directory.get(addressHashOf(bob.email), '2')];
        expect(await under.directory.setPassword(account, change(account, 0))).toEqual({ outcome: 'changed' });
        const now = await existing();
        expect(now.lastResetKeyId).toBe('resetKey0');
        expect(now.credentialVersion).not.toBe(account.credentialVersion);
        expect(Math.abs((now.passwordChangedAt?.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
        expect(await under.directory.get(addressHashOf(bob.email), '2')).toEqual(other);
      });

      it('and answers a repeat of the same key and password as the first time', async () => {
        await under.seed([ada]);
        const account = await existing();
        const same = change(account, 0);
        await under.directory.setPassword(account, same);
        const after = await existing();
        expect(await under.directory.setPassword(account, same)).toEqual({ outcome: 'changed' });
        expect(await under.directory.setPassword(after, same)).toEqual({ outcome: 'changed' });
        expect((await existing()).credentialVersion).toBe(after.credentialVersion);
      });

      it.each([
        ['the same key with another password', { password: 1 }],
        ['another key with the same password', { resetKeyId: 'anotherKey' }],
      ])('but not again by %s', async (_, { password, ...more }: { password?: number; resetKeyId?: string }) => {
        await under.seed([ada]);
        const account = await existing();
        await under.directory.setPassword(account, change(account, 0));
        const second = { ...change(account, 0), ...more, ...(password && { password: change(account, 1).password }) };
        expect(await under.directory.setPassword(account, second)).toEqual({ outcome: 'superseded' });
        expect((await existing()).lastResetKeyId).toBe('resetKey0');
      });

      it('not if the account changed after the key was bound, however it was read since', async () => {
        await under.seed([ada]);
        const before = await existing();
        await under.seed([{ ...ada, password: hashes[5] ?? '' }]);
        const now = await existing();
        for (const account of [before, now]) {
          expect(await under.directory.setPassword(account, change(before, 0))).toEqual({ outcome: 'superseded' });
        }
        expect(await existing()).toEqual(now);
      });

      it('not of an account that was deleted, and does not make it anew', async () => {
        await under.seed([ada]);
        const account = await existing();
        await under.seed([bob]);
        expect(await under.directory.setPassword(account, change(account, 0))).toEqual({ outcome: 'superseded' });
        expect(await get('1')).toBeUndefined();
        expect(await idsAt(ada.email)).toEqual([]);
      });

      it.each([
        ['keys', (nth: number) => `resetKey${nth}`],
        ['calls with one key', () => 'resetKey'],
      ])(`of ${concurrentCalls} concurrent %s and passwords by exactly one`, async (_, resetKeyId) => {
        await under.seed([ada]);
        const account = await existing();
        const outcomes = await Promise.all(
          passwords.map((__, nth) =>
            under.directory.setPassword(account, { ...change(account, nth), resetKeyId: resetKeyId(nth) }),
          ),
        );
        const winners = outcomes.flatMap(({ outcome }, nth) => (outcome === 'changed' ? [nth] : []));
        expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual([
          'changed',
          ...Array.from({ length: concurrentCalls - 1 }, () => 'superseded'),
        ]);
        const [winner] = winners;
        expect((await existing()).lastResetKeyId).toBe(resetKeyId(winner ?? NaN));
        const repeat = { ...change(account, winner ?? 0), resetKeyId: resetKeyId(winner ?? 0) };
        expect(await under.directory.setPassword(account, repeat)).toEqual({ outcome: 'changed' });
      });
    });
  });
}
