// Which account is meant: by address, and by id or user name when several accounts share it.
import { parseAddress } from '../../shared/address';
import type { AccountRecord, AccountsAdmin } from '../../shared/storage/accountsAdmin';
import { CliError } from '../support/errors';
import { printable } from '../support/output';
import type { CommonOptions } from '../support/program';

export interface SelectOptions extends CommonOptions {
  readonly id?: string;
  readonly username?: string;
  readonly all?: true;
}

/** The address as typed, trimmed. @throws CliError when it is none */
export function requireAddress(text: string): string {
  const address = parseAddress(text);
  if (address === undefined)
    throw new CliError('That is not a plain e-mail address such as someuser@somewhere.com.', 2);
  return address;
}

export const usernameOf = ({ row }: AccountRecord): string => {
  const username = row['username'];
  return typeof username === 'string' ? username : '';
};

/** The accounts that an address and the options name: one, or with `--all` at least one. */
export async function selectAccounts(
  admin: AccountsAdmin,
  address: string,
  { id, username, all }: SelectOptions,
  signal: AbortSignal,
): Promise<AccountRecord[]> {
  const records = await admin.findByAddress(requireAddress(address), signal);
  if (records.length === 0) throw new CliError('No account has this address. (`accounts list` shows all.)');
  const chosen = records.filter(
    (record) => (id === undefined || record.id === id) && (username === undefined || usernameOf(record) === username),
  );
  if (chosen.length === 1 || (all === true && chosen.length > 0)) return chosen;
  const them = records.map((record) => `  --id ${printable(record.id)}  (${printable(usernameOf(record))})`);
  const what =
    chosen.length === 0 ? 'None of the accounts with this address is that one' : 'Several accounts have this address';
  throw new CliError([`${what}; say which one is meant:`, ...them].join('\n'));
}
