// `accounts add` and `accounts set-password`: the password is asked for on a terminal, or piped in.
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { addressHashOf } from '../../shared/address';
import { newId } from '../../shared/clock';
import { cheapProblems, loadCommonPasswords } from '../../shared/password/passwordRules';
import { hashPassword } from '../../shared/password/passwordHash';
import type { AccountsAdmin } from '../storage/accountsAdmin';
import { checkNewAccount, unusablePassword } from '../storage/newAccount';
import { CliError } from '../support/errors';
import { printable, printJson } from '../support/output';
import type { CommonOptions, Io } from '../support/program';
import { checkSettings, requireAddress } from '../support/settings';
import { failUnlessDone, selectAccount, usernameOf, type SelectOptions } from './changeAccounts';

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
  // An id is one account: the same id under another address would be a second way into it.
  const others = options.id === undefined ? [] : await admin.findById(options.id);
  if (others.some(({ addressHash }) => addressHash !== addressHashOf(email))) {
    throw new CliError('An account with this id has another address. To change its address: `accounts set-email`.');
  }
  const password = unusable === true ? unusablePassword : await readHashedPassword(io, options);
  if ((await admin.add({ ...checked.account, password })) === 'exists') {
    throw new CliError('An account with this id and address exists already. (`accounts show` prints it.)');
  }
  if (options.json === true) return printJson(io, { added: { id, username } });
  io.out(`Added ${printable(username)} with id ${id}.\n`);
}

export interface SetPasswordOptions extends SelectOptions {
  readonly passwordStdin?: true;
}

export async function setPassword(
  io: Io,
  admin: AccountsAdmin,
  address: string,
  options: SetPasswordOptions,
): Promise<void> {
  const record = await selectAccount(admin, address, options);
  const outcome = await admin.setPassword(record, await readHashedPassword(io, options));
  failUnlessDone(outcome, record.id);
  if (options.json === true) return printJson(io, { id: record.id, username: usernameOf(record), outcome });
  io.out(`${printable(usernameOf(record))} has the new password; links mailed before do not work any more.\n`);
}

async function readHashedPassword(io: Io, options: CommonOptions & { readonly passwordStdin?: true }): Promise<string> {
  if (options.passwordStdin !== true && io.stdin.isTTY !== true) {
    throw new CliError('There is no terminal to ask on: use --password-stdin and pipe the password in.', 2);
  }
  const settings = checkSettings(io, options);
  // With `--account` the app's own settings may not be at hand; these are the defaults.
  const { minLength, hasher } = settings.ok
    ? settings.config.password
    : ({ minLength: 15, hasher: 'argon2id' } as const);
  const password = await readPassword(io);
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

function ask(io: Io, prompt: string): Promise<string> {
  const silent = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: io.stdin, output: silent, terminal: true }); // from here on nothing is echoed
  io.error(prompt);
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      reject(new CliError('Interrupted.'));
      lines.close();
    });
    lines.once('close', () => reject(new CliError('No password was given.')));
    lines.question('', (answer) => {
      resolve(answer);
      io.error('\n');
      lines.close();
    });
  });
}
