// Can the accounts be read: the rows of the table, or the site's own directory?
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { createAccountsAdmin } from '../storage/accountsAdmin';
import { count } from '../support/output';
import { checkDirectory } from './checkDirectory';
import { isReadable } from './checkStorage';
import { ok, warn, type Check } from './finding';

const check = 'accounts';
/** `accounts list --broken` looks at all rows. */
const looksAt = 1000;

export const checkAccounts: Check = async ({ settings, storage, io }) => {
  if (settings.ok && settings.config.directory.kind === 'http') {
    const { directory, password } = settings.config;
    const passwordFormat = directory.password;
    const accounts = createHttpDirectory({ ...directory, passwordFormat }, () => {}, io.clock);
    return checkDirectory(accounts, { passwordFormat, hasher: password.hasher });
  }
  if (!(await isReadable(storage, 'Accounts'))) return [];
  let seen = 0;
  let broken = 0;
  for await (const { read } of createAccountsAdmin(storage.table('Accounts')).list()) {
    if ('problem' in read) broken += 1;
    if (++seen === looksAt) break;
  }
  if (seen === 0) {
    return [
      warn(
        check,
        'There are no accounts: no mail will be sent to anybody.',
        '`npm run accounts -- import FILE` or `add`; docs/accounts-table.md. Or are they in a database of the site (ACCOUNT_DIRECTORY=http)?',
      ),
    ];
  }
  const first = `${seen === looksAt ? 'first ' : ''}${count(seen, 'account')}`;
  if (broken === 0) return [ok(check, `The ${first} can be read.`)];
  return [
    warn(
      check,
      `Of the ${first} the app skips ${broken}: the rows are not valid.`,
      '`npm run accounts -- list --broken` names them; fix them in the Storage browser or with `accounts set-email`.',
    ),
  ];
};
