// The commands of `npm run accounts`. They change the Accounts table; accounts in the site's own database are only shown.
import { Option, type Command } from 'commander';
import { addCommand, createProgram, runProgram, type Call, type Run } from '../support/program';
import { addAccount, changeAccounts, setEmail, setPassword, type Change, type Selection } from './changeAccounts';
import { importFile } from './importAccounts';
import { listAccounts, showAccounts } from './showAccounts';

export const run: Run = (argv, io) => {
  const program = createProgram('accounts', "The site's accounts, by e-mail address.", io);
  const passwordStdin = (): Option => new Option('--password-stdin', 'read the password from standard input');
  const withSelection = (command: Command): Command =>
    command
      .option('--id <id>', 'of several accounts with this address, the one with this id')
      .option('--username <name>', 'of several accounts with this address, the one with this user name');
  const change = (kind: Change, description: string): void => {
    const handler = (call: Call<Selection>, address: string): Promise<void> => changeAccounts(call, kind, address);
    const command = withSelection(addCommand(program, io, `${kind} <address>`, description, handler));
    command.option('--all', 'all accounts with this address');
  };

  addCommand(program, io, 'add <address>', 'add an account; its password is asked for', addAccount)
    .requiredOption('--username <name>', 'its user name, up to 150 characters')
    .option('--id <id>', "the site's own id of the account (default: a random one)")
    .addOption(passwordStdin().conflicts('unusable'))
    .option('--unusable', 'without a usable password: nobody can log in, and no reset mail is sent')
    .option('--inactive', 'disabled from the start')
    .option('--locale <tag>', 'the language of its mail, such as fr or pt-BR');

  addCommand(program, io, 'show <address>', 'show the accounts with this address (never a password)', showAccounts);

  const list = addCommand(program, io, 'list', 'list all accounts, one a line, between tabs or as JSON', listAccounts);
  list.option('--broken', 'only rows that the app skips, with the reason');

  change('disable', 'forbid log-in and reset; links mailed before do not work any more');
  change('enable', 'allow both again');
  change('revoke', 'invalidate every link mailed before and, at a site that compares `generation`, every session');

  const setting = addCommand(program, io, 'set-password <address>', 'set a password; it is asked for', setPassword);
  withSelection(setting).addOption(passwordStdin());

  const moving = 'change the address of an account, or fix an edited one';
  withSelection(addCommand(program, io, 'set-email <address> <new-address>', moving, setEmail));

  const importing = "add accounts from a CSV file or from Django's dumpdata; safe to repeat";
  addCommand(program, io, 'import <file>', importing, importFile)
    .addOption(new Option('--format <format>', 'default: by the extension').choices(['csv', 'json']))
    .option('--model <app.Model>', 'the user model in the dumpdata file, such as authenz.ClUser', 'auth.User')
    .option('--username-field <name>', 'where the user name is (default: username, or without that field the address)')
    .option('--delimiter <character>', 'between the columns of the CSV file', ',')
    .option('--update', 'also change accounts that exist and differ')
    .addOption(new Option('--passwords <whose>', whose).choices(['keep', 'import']))
    .option('--dry-run', 'check the file and change nothing')
    .option('--parallel <number>', 'how many inserts at a time, 1–64', '16')
    .option('--show-addresses', 'print the full addresses of refused rows')
    .addHelpText('after', importHelp);

  return runProgram(program, argv, io);
};

const whose = 'with --update: keep passwords that were set here by a reset (default), or import those of the file';
const importHelp = `
CSV: UTF-8, a header row with at least email,username; also id, password (Django's format), is_active, locale, created_at.
Without an id column the user name is the id. Without a password an account gets no reset mail.
Django: manage.py dumpdata auth.user > users.json (or --format jsonl), with primary keys.
Memory: about 150 bytes for each account in the table and in the file (150 MB for a million); the file itself is streamed.`;
