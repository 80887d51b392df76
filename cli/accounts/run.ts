// The commands of `npm run accounts`. They change the Accounts table; accounts in the site's own database are only shown.
import { Option, type Command } from 'commander';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { createAccountsAdmin, type AccountsAdmin } from '../storage/accountsAdmin';
import { CliError } from '../support/errors';
import { addCommand, createProgram, runProgram, type CommonOptions, type Run } from '../support/program';
import { openStorage, requireConfig, siteOwnsAccounts } from '../support/settings';
import { addAccount, setPassword, type AddOptions, type SetPasswordOptions } from './addAccount';
import { changeAccounts, setEmail, type Change, type SelectOptions } from './changeAccounts';
import { importFile, type ImportOptions } from './importFile';
import { listAccounts, showAccounts, showDirectoryAccounts } from './showAccounts';

export const run: Run = (argv, io) => {
  const program = createProgram('accounts', "The site's accounts, by e-mail address.", io);
  const open = (options: CommonOptions): AccountsAdmin => {
    if (siteOwnsAccounts(io, options)) {
      throw new CliError(
        'The site keeps its accounts itself (ACCOUNT_DIRECTORY=http): use its own tools to list or change them. ' +
          'Here only `accounts show ADDRESS` works; the Accounts table is not in use.',
      );
    }
    return createAccountsAdmin(openStorage(io, options).table('Accounts'), io.clock);
  };
  const show = (address: string, options: CommonOptions): Promise<void> => {
    if (!siteOwnsAccounts(io, options)) return showAccounts(io, open(options), address, options);
    const { directory } = requireConfig(io, options);
    if (directory.kind !== 'http') throw new Error('ACCOUNT_DIRECTORY is http, but not in the settings');
    return showDirectoryAccounts(
      io,
      createHttpDirectory({ ...directory, passwordFormat: directory.password }, () => {}, io.clock),
      address,
      options,
    );
  };

  addCommand(program, 'add <address>', 'add an account; the password is asked for, or piped in with --password-stdin')
    .requiredOption('--username <name>', 'its user name, up to 150 characters')
    .option('--id <id>', "the site's own id of the account (default: a random one)")
    .addOption(passwordStdin().conflicts('unusable'))
    .option('--unusable', 'without a usable password: nobody can log in, and no reset mail is sent')
    .option('--inactive', 'disabled from the start')
    .option('--locale <tag>', 'the language of its mail, such as fr or pt-BR')
    .action((address: string, options: AddOptions) => addAccount(io, open(options), address, options));

  addCommand(program, 'show <address>', 'show the accounts with this address (never a password)').action(show);

  addCommand(program, 'list', 'list all accounts, one a line between tabs; with --json one object a line')
    .option('--broken', 'only rows that the app skips, with the reason')
    .action((options: CommonOptions & { broken?: true }) => listAccounts(io, open(options), options));

  const change = (kind: Change, description: string): void => {
    withSelection(addCommand(program, `${kind} <address>`, description))
      .option('--all', 'all accounts with this address')
      .action((address: string, options: SelectOptions) => changeAccounts(io, open(options), kind, address, options));
  };
  change('disable', 'forbid log-in and reset; links mailed before do not work any more');
  change('enable', 'allow both again');
  change('revoke', 'invalidate every link mailed before and, at a site that compares `generation`, every session');

  withSelection(addCommand(program, 'set-password <address>', 'set a password; it is asked for, or piped in'))
    .addOption(passwordStdin())
    .action((address: string, options: SetPasswordOptions) => setPassword(io, open(options), address, options));

  withSelection(
    addCommand(program, 'set-email <address> <new-address>', 'change the address of an account, or fix an edited one'),
  ).action((address: string, newAddress: string, options: SelectOptions) =>
    setEmail(io, open(options), address, newAddress, options),
  );

  addCommand(program, 'import <file>', "add accounts from a CSV file or from Django's dumpdata; safe to repeat")
    .addOption(new Option('--format <format>', 'default: by the extension').choices(['csv', 'json']))
    .option('--model <app.Model>', 'the user model in the dumpdata file, such as authenz.ClUser', 'auth.User')
    .option(
      '--username-field <name>',
      'where the user model has the user name (default: username; in a model without it, the address)',
    )
    .option('--delimiter <character>', 'between the columns of the CSV file', ',')
    .option('--update', 'also change accounts that exist and differ')
    .addOption(
      new Option(
        '--passwords <whose>',
        'with --update: keep passwords that were set here by a reset (default), or import those of the file',
      ).choices(['keep', 'import']),
    )
    .option('--dry-run', 'check the file and change nothing')
    .option('--parallel <number>', 'how many inserts at a time, 1–64', '16')
    .option('--show-addresses', 'print the full addresses of refused rows')
    .addHelpText('after', importHelp)
    .action((file: string, options: ImportOptions) => importFile(io, open(options), file, options));

  return runProgram(program, argv, io);
};

const passwordStdin = (): Option => new Option('--password-stdin', 'read the password from standard input');

const withSelection = (command: Command): Command =>
  command
    .option('--id <id>', 'of several accounts with this address, the one with this id')
    .option('--username <name>', 'of several accounts with this address, the one with this user name');

const importHelp = `
CSV: UTF-8, a header row with at least email,username; also id, password (Django's format), is_active, locale, created_at.
Without an id column the user name is the id. Without a password an account gets no reset mail.
Django: manage.py dumpdata auth.user > users.json (or --format jsonl), with primary keys.
Memory: about 150 bytes for each account in the table and in the file (150 MB for a million); the file itself is streamed.`;
