// `accounts add | set-password | disable | enable | revoke | set-email`, and which account an address and the options select.
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { addressHashOf } from '../../shared/address';
import { newId } from '../../shared/clock';
import { cheapProblems, loadCommonPasswords } from '../../shared/password/passwordRules';
import { hashPassword } from '../../shared/password/passwordHash';
import type { Moved } from '../storage/accountMove';
import { createAccountsAdmin, type AccountRecord, type AccountsAdmin, type Changed } from '../storage/accountsAdmin';
import { checkNewAccount, unusablePassword } from '../storage/newAccount';
import { CliError } from '../support/errors';
import { print, printable } from '../support/output';
import type { Call, Io } from '../support/program';
import { checkSettings, openStorage, requireAddress, siteOwnsAccounts } from '../support/settings';

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
function failUnlessDone(outcome: Moved, id: string): void {
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
  const moved = `${name} has the new address. Links mailed before do not work any more: the user asks for a new mail.\n`;
  const text = outcome === 'changed' ? moved : `${name} has exactly this address already, nothing was changed.\n`;
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
async function selectAccounts(
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

interface PasswordOptions {
  readonly passwordStdin?: true;
}
interface AddOptions extends PasswordOptions {
  readonly username: string;
  readonly id?: string;
  readonly unusable?: true;
  readonly inactive?: true;
  readonly locale?: string;
}

export async function addAccount(call: Call<AddOptions>, address: string): Promise<void> {
  const { username, id = newId(), unusable, inactive, locale } = call.options;
  const admin = openAccounts(call);
  const email = requireAddress(address);
  const checked = checkNewAccount({ id, email, username, isActive: inactive !== true, locale });
  if ('problems' in checked) throw new CliError(`The account was not added:\n  ${checked.problems.join('\n  ')}`, 2);
  // An id is one account: the same id under another address would be a second way into it.
  const others = call.options.id === undefined ? [] : await admin.findById(id);
  if (others.some(({ addressHash }) => addressHash !== addressHashOf(email))) {
    throw new CliError('An account with this id has another address. To change its address: `accounts set-email`.');
  }
  const password = unusable === true ? unusablePassword : await readHashedPassword(call);
  if ((await admin.add({ ...checked.account, password })) === 'exists') {
    throw new CliError('An account with this id and address exists already. (`accounts show` prints it.)');
  }
  print(call, { added: { id, username } }, `Added ${printable(username)} with id ${id}.\n`);
}

export async function setPassword(call: Call<PasswordOptions & Selection>, address: string): Promise<void> {
  const admin = openAccounts(call);
  const [record] = await selectAccounts(admin, address, call.options);
  const outcome = await admin.setPassword(record, await readHashedPassword(call));
  failUnlessDone(outcome, record.id);
  const username = usernameOf(record);
  const done = `${printable(username)} has the new password; links mailed before do not work any more.\n`;
  print(call, { id: record.id, username, outcome }, done);
}

async function readHashedPassword(call: Call<PasswordOptions>): Promise<string> {
  if (call.options.passwordStdin !== true && call.stdin.isTTY !== true) {
    throw new CliError('There is no terminal to ask on: use --password-stdin and pipe the password in.', 2);
  }
  const settings = checkSettings(call);
  // With `--account` the app's own settings may not be at hand; these are the defaults.
  const defaults = { minLength: 15, hasher: 'argon2id' } as const;
  const { minLength, hasher } = settings.ok ? settings.config.password : defaults;
  const password = await readPassword(call);
  const problems = cheapProblems(password, minLength, await loadCommonPasswords());
  if (problems.length > 0) throw new CliError(problems.map(({ message }) => message).join('\n'));
  return hashPassword(password, hasher);
}

/** Never from an argument, where every user of the computer could read it. */
async function readPassword(io: Io): Promise<string> {
  if (io.stdin.isTTY !== true) return (await text(io.stdin)).replace(/\r?\n[^]*$/, '');
  const password = await ask(io, 'Password: ');
  if ((await ask(io, 'Repeat: ')) !== password) throw new CliError('The passwords differ: nothing was changed.');
  return password;
}

async function ask({ stdin, error: print }: Io, prompt: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silent, terminal: true }); // from here on nothing is echoed
  const closed = new AbortController();
  lines.once('SIGINT', () => closed.abort()).once('close', () => closed.abort());
  print(prompt);
  try {
    return await lines.question('', { signal: closed.signal });
  } catch {
    throw new CliError('No password was given.');
  } finally {
    print('\n');
    lines.close();
  }
}
