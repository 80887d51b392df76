// `accounts disable | enable | revoke | set-email`, and which account an address and the options select.
import type { Moved } from '../storage/accountMove';
import type { AccountRecord, AccountsAdmin, Changed } from '../storage/accountsAdmin';
import { CliError } from '../support/errors';
import { printable, printJson } from '../support/output';
import type { CommonOptions, Io } from '../support/program';
import { requireAddress } from '../support/settings';

export interface SelectOptions extends CommonOptions {
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

/** Changes the selected accounts one by one; after a failure the command can be repeated. */
export async function changeAccounts(
  io: Io,
  admin: AccountsAdmin,
  kind: Change,
  address: string,
  options: SelectOptions,
): Promise<void> {
  const results: { id: string; username: string; outcome: Changed }[] = [];
  for (const record of await selectAccounts(admin, address, options)) {
    const outcome = kind === 'revoke' ? await admin.revoke(record) : await admin.setActive(record, kind === 'enable');
    results.push({ id: record.id, username: usernameOf(record), outcome });
  }
  if (options.json === true) printJson(io, results);
  for (const { id, username, outcome } of results) {
    failUnlessDone(outcome, id);
    if (options.json === true) continue;
    const what = outcome === 'changed' ? done[kind] : `already ${kind}d, nothing was changed`;
    io.out(`${printable(username)}: ${what}.\n`);
  }
}

/** @throws CliError for the outcomes that changed nothing */
export function failUnlessDone(outcome: Changed, id: string): void {
  if (outcome === 'stale_row') throw new CliError(brokenRow(id));
  if (outcome === 'contended') throw new CliError(`Others keep changing the row ${printable(id)}: try again.`);
}

const brokenRow = (id: string): string =>
  `The row ${printable(id)} is gone, or is not a valid account: \`accounts list --broken\` says why. ` +
  'Fix it in the Storage browser, or with `accounts set-email` if its address is wrong.';

/** Changes an account's address. After a failure the command can be repeated. */
export async function setEmail(
  io: Io,
  admin: AccountsAdmin,
  address: string,
  newAddress: string,
  options: SelectOptions,
): Promise<void> {
  const email = requireAddress(newAddress);
  const record = await selectAccount(admin, address, options);
  const outcome = await admin.setEmail(record, email);
  if (outcome !== 'changed' && outcome !== 'unchanged') throw new CliError(refusals[outcome](record));
  if (options.json === true) return printJson(io, { id: record.id, username: usernameOf(record), outcome });
  const name = printable(usernameOf(record));
  io.out(
    outcome === 'changed'
      ? `${name} has the new address. Links mailed to the old one do not work any more, also those still in the queue: ` +
          'the user has to ask for a new mail.\n'
      : `${name} has exactly this address already, nothing was changed.\n`,
  );
}

const refusals: Readonly<Record<Exclude<Moved, 'changed' | 'unchanged'>, (record: AccountRecord) => string>> = {
  target_exists: ({ id }) =>
    `At the new address there is another row with the id ${printable(id)}; nothing was changed. ` +
    'Compare both with `accounts show`, and remove the wrong one in the Storage browser.',
  bad_address: () => 'The new address is not a plain e-mail address; nothing was changed.',
  uncopyable_column: () =>
    'The row has a column of a type that this command cannot copy (Int64 beyond 2^31, Binary); nothing was changed. ' +
    'Move the row with Storage Explorer, or remove that column.',
  stale_row: ({ id }) => brokenRow(id),
  contended: ({ id }) =>
    `Others keep changing the row ${printable(id)}: run the same command again to finish the move.`,
};

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
async function selectAccounts(
  admin: AccountsAdmin,
  address: string,
  { id, username, all }: SelectOptions,
): Promise<AccountRecord[]> {
  const records = await findAccounts(admin, address);
  if (records.length === 0) throw new CliError('No account has this address. (`accounts list` prints all.)');
  const chosen = records.filter(
    (record) => (id === undefined || record.id === id) && (username === undefined || usernameOf(record) === username),
  );
  if (chosen.length === 1 || (all === true && chosen.length > 0)) return chosen;
  const choices = records.map((record) => `  --id ${printable(record.id)}  (${printable(usernameOf(record))})`);
  const what =
    chosen.length === 0 ? 'No account with this address matches the options' : 'Several accounts have this address';
  throw new CliError([`${what}. Choose one:`, ...choices].join('\n'));
}

/** Exactly one account. */
export async function selectAccount(
  admin: AccountsAdmin,
  address: string,
  { all, ...options }: SelectOptions,
): Promise<AccountRecord> {
  if (all === true) throw new CliError('This command changes one account at a time: use --id or --username.', 2);
  const [record] = await selectAccounts(admin, address, options);
  if (record === undefined) throw new CliError('No account has this address.');
  return record;
}
