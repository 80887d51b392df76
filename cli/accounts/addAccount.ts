// `accounts add`: one account, with a password that was asked for, piped in, or none.
import { newId } from '../../shared/clock';
import { addressHashOf } from '../../shared/address';
import { loadCommonPasswords } from '../../shared/password/commonPasswords';
import { cheapProblems } from '../../shared/password/passwordRules';
import { hashPassword } from '../../shared/password/passwordHash';
import type { AccountsAdmin } from '../../shared/storage/accountsAdmin';
import { checkNewAccount, unusablePassword } from '../../shared/storage/newAccount';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { printable, printJson } from '../support/output';
import { readPassword } from '../support/password';
import type { CommonOptions } from '../support/program';
import { checkSettings } from '../support/settings';
import { requireAddress } from './selection';

export interface AddOptions extends CommonOptions {
  readonly username: string;
  readonly id?: string;
  readonly passwordStdin?: true;
  readonly unusable?: true;
  readonly inactive?: true;
  readonly locale?: string;
}

export async function addAccount(io: Io, admin: AccountsAdmin, address: string, options: AddOptions): Promise<void> {
  const { username, id = newId(), unusable, inactive, locale } = options;
  const email = requireAddress(address);
  const checked = checkNewAccount({ id, email, username, isActive: inactive !== true, locale });
  if ('problems' in checked) throw new CliError(`The account was not added:\n  ${checked.problems.join('\n  ')}`, 2);
  await refuseKnownId(io, admin, email, options);
  const password = unusable === true ? unusablePassword : await readHashedPassword(io, options);
  if ((await admin.add({ ...checked.account, password }, io.signal)) === 'exists') {
    throw new CliError('An account with this id and address is there already. (`accounts show` shows it.)');
  }
  if (options.json === true) return printJson(io, { added: { id, username } });
  io.out(`Added ${printable(username)} with id ${id}.\n`);
}

/** An id is one account: the same id under another address would be a second way into it. */
async function refuseKnownId(io: Io, admin: AccountsAdmin, email: string, { id }: AddOptions): Promise<void> {
  if (id === undefined) return;
  const others = await admin.findById(id, io.signal);
  if (others.some(({ sub }) => sub !== addressHashOf(email))) {
    throw new CliError('An account with this id has another address. To change its address: `accounts set-email`.');
  }
}

async function readHashedPassword(io: Io, options: AddOptions): Promise<string> {
  if (options.passwordStdin !== true && io.stdin.isTTY !== true) {
    throw new CliError('Say --password-stdin and pipe the password in, or say --unusable.', 2);
  }
  const settings = checkSettings(io, options);
  const { minLength, hasher } = settings.ok ? settings.config.password : defaults;
  const password = await readPassword(io);
  const problems = cheapProblems(password, minLength, await loadCommonPasswords());
  if (problems.length > 0) throw new CliError(problems.map(({ message }) => message).join('\n'));
  return hashPassword(password, hasher);
}

/** With `--account` the app's own settings may not be at hand: those of a new app, see config.ts. */
const defaults = { minLength: 15, hasher: 'argon2id' } as const;
