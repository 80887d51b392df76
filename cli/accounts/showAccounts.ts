// `accounts show` and `accounts list`. Never prints a password, only how it is hashed.
import type { Account, AccountDirectory } from '../../shared/directory/accountDirectory';
import { accountOf } from '../../shared/storage/accountsTable';
import type { AccountRecord, AccountsAdmin } from '../storage/accountsAdmin';
import { CliError } from '../support/errors';
import { count, printable, printFields, printJson } from '../support/output';
import type { CommonOptions, Io } from '../support/program';
import { requireAddress } from '../support/settings';
import { findAccounts, usernameOf } from './changeAccounts';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An account as it is shown and as `--json` gives it. */
function shown(record: AccountRecord) {
  const { id, row, read } = record;
  const common = { id, username: usernameOf(record), email: textOf(row['email']) };
  if ('problem' in read) {
    const knownEmail = textOf(row['knownEmail']);
    const wasEdited = knownEmail !== '' && knownEmail !== common.email;
    return { ...common, canReset: false, problem: read.problem, knownEmail: wasEdited ? knownEmail : undefined };
  }
  const { isActive, password, generation, locale, passwordChangedAt, createdAt } = read;
  const { canReset } = accountOf(read);
  const hash = password === '' || password.startsWith('!') ? 'unusable' : algorithmOf(password);
  return { ...common, isActive, password: hash, generation, locale, passwordChangedAt, createdAt, canReset };
}
type ShownAccount = ReturnType<typeof shown>;

const algorithmOf = (password: string): string => /^([\w-]{1,32})\$/.exec(password)?.[1] ?? 'unknown';

function resetWords(account: ShownAccount): string {
  if (!('problem' in account)) {
    if (account.canReset) return 'possible';
    return account.isActive ? 'impossible: it has no usable password' : 'impossible: it is disabled';
  }
  const before = account.knownEmail === undefined ? '' : `; the address was ${account.knownEmail}`;
  return `impossible: the app skips this row (${account.problem}${before})`;
}

/** What fixes a row whose address was edited by hand. */
function cureOf(account: ShownAccount): string | undefined {
  if (!('problem' in account) || account.problem !== 'address_of_another_partition') return undefined;
  const { id, email, knownEmail } = account;
  const command = (address: string): string => `npm run accounts -- set-email ${email} ${address} --id ${id}`;
  const back = knownEmail === undefined ? '' : `, or, to undo the edit: ${command(knownEmail)}`;
  return `The address was edited by hand. To fix the row: ${command(email)}${back}`;
}

/** All accounts of one address. */
export async function showAccounts(
  io: Io,
  admin: AccountsAdmin,
  address: string,
  { json }: CommonOptions,
): Promise<void> {
  const accounts = (await findAccounts(admin, address)).map(shown);
  if (accounts.length === 0) throw new CliError('No account has this address.');
  if (json === true) return printJson(io, accounts);
  for (const account of accounts) {
    const valid = 'problem' in account ? undefined : account;
    printFields(io, account.username, [
      ['id', account.id],
      ['address', account.email],
      ['active', valid === undefined ? '?' : valid.isActive ? 'yes' : 'no'],
      ['password', valid?.password ?? '?'],
      ['password set here', valid?.passwordChangedAt?.toISOString() ?? 'never'],
      ['generation', String(valid?.generation ?? '?')],
      ['language', valid?.locale ?? "the site's"],
      ['created', valid?.createdAt?.toISOString() ?? 'unknown'],
      ['reset by mail', resetWords(account)],
    ]);
    const cure = cureOf(account);
    if (cure !== undefined) io.error(`${printable(cure)}\n`);
  }
}

/** All accounts of one address, as the site's own directory answers. */
export async function showDirectoryAccounts(
  io: Io,
  directory: AccountDirectory,
  address: string,
  { json }: CommonOptions,
): Promise<void> {
  const accounts = await directory.findByAddress(requireAddress(address));
  if (accounts.length === 0) throw new CliError("The site's account directory has no account with this address.");
  const fields = ({ id, username, email, canReset, locale, passwordChangedAt, createdAt }: Account) => {
    return { id, username, email, canReset, locale, passwordChangedAt, createdAt };
  };
  if (json === true) return printJson(io, accounts.map(fields));
  for (const { id, username, email, canReset, locale } of accounts) {
    printFields(io, username, [
      ['id', id],
      ['address', email],
      ['language', locale ?? "the site's"],
      ['reset by mail', canReset ? 'possible' : 'impossible: the site says that it is not active'],
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
  for await (const record of admin.list()) {
    const account = shown(record);
    if (broken === true && !('problem' in account)) continue;
    listed += 1;
    const cells = [account.id, account.username, account.email, resetWords(account)];
    io.out(json === true ? `${JSON.stringify(account)}\n` : `${cells.map(printable).join('\t')}\n`);
  }
  if (json !== true) io.error(`${count(listed, broken === true ? 'broken row' : 'account')}.\n`);
}
