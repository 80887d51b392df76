// `accounts disable | enable | revoke | set-email`, and which account an address and the options select.
import type { Moved } from '../storage/accountMove';
import { createAccountsAdmin, type AccountRecord, type AccountsAdmin, type Changed } from '../storage/accountsAdmin';
import { CliError } from '../support/errors';
import { print, printable } from '../support/output';
import type { Call } from '../support/program';
import { openStorage, requireAddress, siteOwnsAccounts } from '../support/settings';

/** Options that choose among the accounts with one address. */
export interface Selection {
  readonly id?: string;
  readonly username?: string;
  readonly all?: true;
}

export type Change = 'disable' | 'enable' | 'revoke';

const done: Readonly<Record<Change, string>> = {
  disable: 'disabled. The account can neither log in nor reset its password; links mailed before do not work any more',
  enable: 'enabled',
  revoke: 'revoked. Every link and session of before is invalid; a new reset mail works',
};

/** @throws CliError if the accounts are the site's own */
export function openAccounts(call: Call): AccountsAdmin {
  if (siteOwnsAccounts(call)) {
    const cure = 'Use its own tools; here only `accounts show ADDRESS` works.';
    throw new CliError(`The site keeps its accounts itself (ACCOUNT_DIRECTORY=http). ${cure}`);
  }
  return createAccountsAdmin(openStorage(call).table('Accounts'), call.clock);
}

/** Changes the selected accounts one by one; after a failure the command can be repeated. */
export async function changeAccounts(call: Call<Selection>, kind: Change, address: string): Promise<void> {
  const admin = openAccounts(call);
  const results: { id: string; username: string; outcome: Changed }[] = [];
  for (const record of await selectAccounts(admin, address, call.options)) {
    const outcome = kind === 'revoke' ? await admin.revoke(record) : await admin.setActive(record, kind === 'enable');
    results.push({ id: record.id, username: usernameOf(record), outcome });
  }
  print(call, results, '');
  for (const { id, username, outcome } of results) {
    failUnlessDone(outcome, id);
    const what = outcome === 'changed' ? done[kind] : `already ${kind}d, nothing was changed`;
    if (call.options.json !== true) call.out(`${printable(username)}: ${what}.\n`);
  }
}

/** @throws CliError for the outcomes that changed nothing */
export function failUnlessDone(outcome: Moved, id: string): void {
  if (outcome !== 'changed' && outcome !== 'unchanged')
    throw new CliError(`The row ${printable(id)} ${refusals[outcome]}`);
}

const refusals: Readonly<Record<Exclude<Moved, 'changed' | 'unchanged'>, string>> = {
  target_exists:
    'was not moved: the new address has another row with this id. Remove the wrong one in the Storage browser.',
  uncopyable_column: 'was not moved: a column is Int64 beyond 2^31 or Binary. Remove it, or use Storage Explorer.',
  stale_row: 'is gone, or is not a valid account: `accounts list --broken` says why.',
  contended: 'is being changed by others: run the same command again to finish.',
};

/** Changes an account's address. After a failure the command can be repeated. */
export async function setEmail(call: Call<Selection>, address: string, newAddress: string): Promise<void> {
  const admin = openAccounts(call);
  const email = requireAddress(newAddress);
  const [record] = await selectAccounts(admin, address, call.options);
  const outcome = await admin.setEmail(record, email);
  failUnlessDone(outcome, record.id);
  const name = printable(usernameOf(record));
  const text =
    outcome === 'changed'
      ? `${name} has the new address. Links mailed to the old one do not work any more, also those still in the queue: ` +
        'the user has to ask for a new mail.\n'
      : `${name} has exactly this address already, nothing was changed.\n`;
  print(call, { id: record.id, username: usernameOf(record), outcome }, text);
}

export const usernameOf = ({ row }: AccountRecord): string => {
  const username = row['username'];
  return typeof username === 'string' ? username : '';
};

/** The rows of an address; if there are none, those whose address was changed to it by hand, in another partition. */
export async function findAccounts(admin: AccountsAdmin, address: string): Promise<AccountRecord[]> {
  const email = requireAddress(address);
  const records = await admin.findByAddress(email);
  return records.length > 0 ? records : admin.findMisplaced(email);
}

/** The accounts that an address and the options name: one, or with `--all` at least one. */
export async function selectAccounts(
  admin: AccountsAdmin,
  address: string,
  options: Selection,
): Promise<[AccountRecord, ...AccountRecord[]]> {
  const { id, username, all } = options;
  const records = await findAccounts(admin, address);
  if (records.length === 0) throw new CliError('No account has this address. (`accounts list` prints all.)');
  const [first, ...others] = records.filter(
    (record) => (id === undefined || record.id === id) && (username === undefined || usernameOf(record) === username),
  );
  if (first !== undefined && (others.length === 0 || all === true)) return [first, ...others];
  const choices = records.map((record) => `  --id ${printable(record.id)}  (${printable(usernameOf(record))})`);
  const what =
    first === undefined ? 'No account with this address matches the options' : 'Several accounts have this address';
  throw new CliError([`${what}. Choose one:`, ...choices].join('\n'));
}
