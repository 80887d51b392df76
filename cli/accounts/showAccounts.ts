// `accounts show` and `accounts list`: what is in the table, in words. Never prints a password, only how it is hashed.
import { canReset } from '../../shared/accounts';
import type { AccountRecord, AccountsAdmin } from '../../shared/storage/accountsAdmin';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { count, printable, printFields, printJson } from '../support/output';
import type { CommonOptions } from '../support/program';
import { requireAddress, usernameOf } from './selection';

/** An account as it is shown and as `--json` gives it. */
interface ShownAccount {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly isActive?: boolean;
  /** The hash algorithm, or `unusable`. */
  readonly password?: string;
  readonly generation?: number;
  readonly locale?: string;
  readonly passwordChangedAt?: string;
  readonly canReset: boolean;
  /** Why the app skips the row. */
  readonly problem?: string;
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function shown(record: AccountRecord): ShownAccount {
  const { id, row, read } = record;
  const common = { id, username: usernameOf(record), email: textOf(row['email']) };
  if (!('account' in read)) return { ...common, canReset: false, problem: read.problem };
  const { isActive, password, generation, locale } = read.account;
  const changedAt = row['passwordChangedAt'];
  return {
    ...common,
    isActive,
    password: password === '' || password.startsWith('!') ? 'unusable' : algorithmOf(password),
    generation,
    ...(locale !== undefined && { locale }),
    ...(changedAt instanceof Date && { passwordChangedAt: changedAt.toISOString() }),
    canReset: canReset(read.account),
  };
}

const algorithmOf = (password: string): string => /^(\w{1,32})\$/.exec(password)?.[1] ?? 'of an unknown kind';

function resetWords({ isActive, canReset: can, problem }: ShownAccount): string {
  if (problem !== undefined) return `impossible: the app skips this row (${problem})`;
  if (can) return 'possible';
  return isActive === true ? 'impossible: it has no usable password' : 'impossible: it is disabled';
}

/** All accounts of one address. */
export async function showAccounts(
  io: Io,
  admin: AccountsAdmin,
  address: string,
  { json }: CommonOptions,
): Promise<void> {
  const accounts = (await admin.findByAddress(requireAddress(address), io.signal)).map(shown);
  if (accounts.length === 0) throw new CliError('No account has this address.');
  if (json === true) return printJson(io, accounts);
  for (const account of accounts) {
    const { id, username, email, isActive, password, generation, locale, passwordChangedAt } = account;
    printFields(io, username, [
      ['id', id],
      ['address', email],
      ['active', isActive === undefined ? '?' : isActive ? 'yes' : 'no'],
      ['password', password ?? '?'],
      ['password changed', passwordChangedAt ?? 'not by a reset'],
      ['generation', String(generation ?? '?')],
      ['language', locale ?? "the site's"],
      ['reset by mail', resetWords(account)],
    ]);
  }
}

/** Every account as it comes, so that memory does not grow with the table. */
export async function listAccounts(
  io: Io,
  admin: AccountsAdmin,
  { json, broken }: CommonOptions & { readonly broken?: true },
): Promise<void> {
  if (json !== true) io.out('id\tusername\taddress\treset by mail\n');
  let listed = 0;
  for await (const record of admin.list(io.signal)) {
    const account = shown(record);
    if (broken === true && account.problem === undefined) continue;
    listed += 1;
    const cells = [account.id, account.username, account.email, resetWords(account)];
    io.out(json === true ? `${JSON.stringify(account)}\n` : `${cells.map(printable).join('\t')}\n`);
  }
  if (json !== true) io.error(`${count(listed, broken === true ? 'broken row' : 'account')}.\n`);
}
