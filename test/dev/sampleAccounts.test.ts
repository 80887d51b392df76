// The sample accounts of `npm start`, against Azurite.
import { canReset } from '../../shared/accounts';
import { verifyPassword } from '../../shared/password/passwordHash';
import { createAccountsAdmin } from '../../shared/storage/accountsAdmin';
import { samplePassword, seedSampleAccounts } from '../../dev/sampleAccounts';
import { emptyStorageClients } from '../support/storage';

const signal = AbortSignal.timeout(60_000);

describe('the sample accounts', () => {
  it('are one of each kind, in an empty table only', async () => {
    const storage = await emptyStorageClients();
    const added = await Promise.all([seedSampleAccounts(storage), seedSampleAccounts(storage)]);
    expect(
      added
        .flat()
        .map(({ username }) => username)
        .sort(),
    ).toEqual(['alice', 'alice-lab', 'disabled', 'francoise', 'nopassword', 'someuser']);
    expect(await seedSampleAccounts(storage)).toEqual([]);

    const admin = createAccountsAdmin(storage.table('Accounts'));
    const [someuser] = await admin.findByAddress('someuser@somewhere.com', signal);
    expect(someuser).toMatchObject({ id: 'sample-1', read: { account: { username: 'someuser', isActive: true } } });
    expect(await verifyPassword(samplePassword, String(someuser?.row['password']))).toBe(true);
    expect(await admin.findByAddress('alice@somewhere.com', signal)).toHaveLength(2);
    for (const address of ['disabled@somewhere.com', 'nopassword@somewhere.com']) {
      const [record] = await admin.findByAddress(address, signal);
      expect(record !== undefined && 'account' in record.read && canReset(record.read.account)).toBe(false);
    }
  });

  it('are not added beside a real account', async () => {
    const storage = await emptyStorageClients();
    const account = { id: '9', email: 'real@somewhere.com', username: 'real', password: '!', isActive: true };
    await createAccountsAdmin(storage.table('Accounts')).add(account, signal);
    expect(await seedSampleAccounts(storage)).toEqual([]);
  });
});
