// The commands of `npm run accounts`. Each opens the table, does one thing by accountsAdmin.ts and says what it did.
import { Option, type Command } from 'commander';
import { createAccountsAdmin, type AccountsAdmin } from '../../shared/storage/accountsAdmin';
import type { Run } from '../support/io';
import { addCommand, createProgram, runProgram, type CommonOptions } from '../support/program';
import { openStorage } from '../support/settings';
import { addAccount, type AddOptions } from './addAccount';
import { changeAccounts, setEmail, type Change, type SelectOptions } from './changeAccounts';
import { importFile, type ImportOptions } from './importFile';
import { listAccounts, showAccounts } from './showAccounts';

export const run: Run = (argv, io) => {
  const program = createProgram('accounts', "The site's accounts in the Accounts table, by e-mail address.", io);
  const open = async (options: CommonOptions): Promise<AccountsAdmin> =>
    createAccountsAdmin((await openStorage(io, options)).table('Accounts'));

  addCommand(program, 'add <address>', 'add an account; the password is asked for, or piped in with --password-stdin')
    .requiredOption('--username <name>', 'its user name, up to 150 characters')
    .option('--id <id>', "the site's own id of the account (default: a random one)")
    .addOption(new Option('--password-stdin', 'read the password from standard input').conflicts('unusable'))
    .option('--unusable', 'without a usable password: nobody can log in, and no reset mail is sent')
    .option('--inactive', 'disabled from the start')
    .option('--locale <tag>', 'the language of its mail, such as fr or pt-BR')
    .action(async (address: string, options: AddOptions) => addAccount(io, await open(options), address, options));

  addCommand(program, 'show <address>', 'show the accounts with this address (never a password)').action(
    async (address: string, options: CommonOptions) => showAccounts(io, await open(options), address, options),
  );

  addCommand(program, 'list', 'list all accounts, one a line between tabs; with --json one object a line')
    .option('--broken', 'only rows that the app skips, with the reason')
    .action(async (options: CommonOptions & { broken?: true }) => listAccounts(io, await open(options), options));

  const change = (kind: Change, description: string): void => {
    withSelection(addCommand(program, `${kind} <address>`, description)).action(
      async (address: string, options: SelectOptions) =>
        changeAccounts(io, await open(options), kind, address, options),
    );
  };
  change('disable', 'forbid log-in and reset; every live reset key is dead at once');
  change('enable', 'allow both again');
  change('revoke', 'kill every live reset key and, at a site that compares `generation`, every session');

  withSelection(
    addCommand(
      program,
      'set-email <address> <new-address>',
      'change the address of an account; kills its live reset keys',
    ),
  ).action(async (address: string, newAddress: string, options: SelectOptions) =>
    setEmail(io, await open(options), address, newAddress, options),
  );

  addCommand(program, 'import <file>', "add accounts from a CSV file or from Django's dumpdata; safe to repeat")
    .addOption(new Option('--format <format>', 'default: by the extension').choices(['csv', 'json']))
    .option('--model <app.Model>', 'the user model in the dumpdata file, such as authenz.ClUser', 'auth.User')
    .option('--delimiter <character>', 'between the columns of the CSV file', ',')
    .option('--update', 'also change accounts that are there and differ (a password set by a reset here stays)')
    .option('--dry-run', 'check the file and change nothing')
    .option('--parallel <number>', 'so many inserts at a time, 1–64', '16')
    .option('--show-addresses', 'show the full addresses of refused rows')
    .addHelpText('after', importHelp)
    .action(async (file: string, options: ImportOptions) => importFile(io, await open(options), file, options));

  return runProgram(program, argv, io);
};

const withSelection = (command: Command): Command =>
  command
    .option('--id <id>', 'of several accounts with this address, the one with this id')
    .option('--username <name>', 'of several accounts with this address, the one with this user name')
    .option('--all', 'all accounts with this address');

const importHelp = `
CSV: UTF-8, a header row with at least email,username; also id, password (Django's format), is_active, locale.
Without an id column the user name is the id. Without a password an account gets no reset mail.
Django: manage.py dumpdata auth.user > users.json (or --format jsonl), with primary keys.
Memory: about 150 bytes for each account in the table and in the file (150 MB for a million); the file itself is streamed.`;
