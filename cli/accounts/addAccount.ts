// `accounts add` and `accounts set-password`: the password is asked for on a terminal, or piped in.
import { createInterface } from 'node:readline/promises';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { addressHashOf } from '../../shared/address';
import { newId } from '../../shared/clock';
import { cheapProblems, loadCommonPasswords } from '../../shared/password/passwordRules';
import { hashPassword } from '../../shared/password/passwordHash';
import { checkNewAccount, unusablePassword } from '../storage/newAccount';
import { CliError } from '../support/errors';
import { print, printable } from '../support/output';
import type { Call, Io } from '../support/program';
import { checkSettings, requireAddress } from '../support/settings';
import { failUnlessDone, openAccounts, selectAccounts, usernameOf, type Selection } from './changeAccounts';

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
