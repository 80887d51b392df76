// `accounts show` and `accounts list`. Never prints a password, only how it is hashed.
import type { Account } from '../../shared/directory/accountDirectory';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { accountOf, type AccountRow } from '../../shared/storage/accountsTable';
import type { AccountRecord } from '../storage/accountsAdmin';
import { CliError } from '../support/errors';
import { count, fieldsOf, print, printable } from '../support/output';
import type { Call } from '../support/program';
import { requireAddress, requireConfig, siteOwnsAccounts } from '../support/settings';
import { findAccounts, openAccounts, usernameOf } from './changeAccounts';

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

/** An account as it is shown and as `--json` gives it; the site's own directory does not tell everything. */
interface ShownAccount extends Pick<Account, 'id' | 'username' | 'email' | 'canReset'>, Partial<TableColumns> {
  /** Why the app skips the row, and what its address was before somebody edited it. */
  readonly problem?: string;
  readonly knownEmail?: string | undefined;
}
type TableColumns = Pick<
  AccountRow,
  'isActive' | 'password' | 'generation' | 'locale' | 'passwordChangedAt' | 'createdAt'
>;

function shown(record: AccountRecord): ShownAccount {
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

const algorithmOf = (password: string): string => /^([\w-]{1,32})\$/.exec(password)?.[1] ?? 'unknown';

function resetWords({ canReset, problem, knownEmail, isActive }: ShownAccount): string {
  if (canReset) return 'possible';
  if (problem !== undefined) {
    const before = knownEmail === undefined ? '' : `; the address was ${knownEmail}`;
    return `impossible: the app skips this row (${problem}${before})`;
  }
  if (isActive === undefined) return 'impossible: the site says that it is not active';
  return `impossible: it ${isActive ? 'has no usable password' : 'is disabled'}`;
}

/** What fixes a row whose address was edited by hand. */
function cureOf(account: ShownAccount): string | undefined {
  const { id, email, knownEmail, problem } = account;
  if (problem !== 'address_of_another_partition') return undefined;
  const command = (address: string): string => `npm run accounts -- set-email ${email} ${address} --id ${id}`;
  const back = knownEmail === undefined ? '' : `, or, to undo the edit: ${command(knownEmail)}`;
  return `The address was edited by hand. To fix the row: ${command(email)}${back}`;
}

/** All accounts of one address. */
export async function showAccounts(call: Call, address: string): Promise<void> {
  if (siteOwnsAccounts(call)) return showDirectoryAccounts(call, address);
  const accounts = (await findAccounts(openAccounts(call), address)).map(shown);
  if (accounts.length === 0) throw new CliError('No account has this address.');
  print(call, accounts, accounts.map(linesOf).join(''));
  if (call.options.json === true) return;
  for (const account of accounts) {
    const cure = cureOf(account);
    if (cure !== undefined) call.error(`${printable(cure)}\n`);
  }
}

function linesOf(account: ShownAccount): string {
  const { id, username, email, isActive, password, passwordChangedAt, generation, locale, createdAt } = account;
  const fields: [string, string | undefined][] = [
    ['id', id],
    ['address', email],
    ['active', isActive === undefined ? undefined : isActive ? 'yes' : 'no'],
    ['password', password],
    ['password set here', passwordChangedAt?.toISOString()],
    ['generation', generation?.toString()],
    ['language', locale ?? "the site's"],
    ['created', createdAt?.toISOString()],
    ['reset by mail', resetWords(account)],
  ];
  return fieldsOf(username, fields);
}

/** All accounts of one address, as the site's own directory answers. */
async function showDirectoryAccounts(call: Call, address: string): Promise<void> {
  const { directory } = requireConfig(call);
  if (directory.kind !== 'http') throw new Error('ACCOUNT_DIRECTORY is http, but not in the settings');
  const client = createHttpDirectory(directory, () => {}, call.clock);
  const found = await client.findByAddress(requireAddress(address));
  if (found.length === 0) throw new CliError("The site's account directory has no account with this address.");
  const accounts = found.map(({ id, username, email, canReset, locale, passwordChangedAt, createdAt }) => {
    return { id, username, email, canReset, locale, passwordChangedAt, createdAt };
  });
  print(call, accounts, accounts.map(linesOf).join(''));
}

/** Every account as it comes, so that memory does not grow with the table. */
export async function listAccounts(call: Call<{ readonly broken?: true }>): Promise<void> {
  const { json, broken } = call.options;
  const admin = openAccounts(call);
  if (json !== true) call.out('id\tusername\taddress\treset by mail\n');
  let listed = 0;
  for await (const record of admin.list()) {
    const account = shown(record);
    if (broken === true && account.problem === undefined) continue;
    listed += 1;
    const cells = [account.id, account.username, account.email, resetWords(account)];
    call.out(json === true ? `${JSON.stringify(account)}\n` : `${cells.map(printable).join('\t')}\n`);
  }
  if (json !== true) call.error(`${count(listed, broken === true ? 'broken row' : 'account')}.\n`);
}
