// Are the account rows readable? Looks at the first rows only: `accounts list --broken` looks at all.
import { createAccountsAdmin } from '../../shared/storage/accountsAdmin';
import { count } from '../support/output';
import { isThere } from './checkTables';
import { ok, questionMs, warn, type Check } from './finding';

const looksAt = 1000;

export const checkAccounts: Check = async (patient) => {
  if (!(await isThere(patient, 'Accounts'))) return [];
  const admin = createAccountsAdmin(patient.storage.table('Accounts'));
  let seen = 0;
  let broken = 0;
  for await (const { read } of admin.list(AbortSignal.timeout(questionMs))) {
    if ('problem' in read) broken += 1;
    if (++seen === looksAt) break;
  }
  if (seen === 0) {
    return [
      warn(
        'accounts',
        'There are no accounts.',
        'Nobody can get a mail. `npm run accounts -- import FILE` or `add`; docs/accounts-table.md.',
      ),
    ];
  }
  const first = seen === looksAt ? 'first ' : '';
  if (broken === 0) return [ok('accounts', `The ${first}${count(seen, 'account')} can be read.`)];
  const what = `Of the ${first}${count(seen, 'account')} the app skips ${broken}: their rows are broken.`;
  return [
    warn(
      'accounts',
      what,
      '`npm run accounts -- list --broken` names them; mend them in the Storage browser or by `accounts set-email`.',
    ),
  ];
};
