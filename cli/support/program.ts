// The frame of every command: what it may touch of the outside world, and commander with our output, exit codes and common options.
import { Command, CommanderError } from 'commander';
import type { Readable } from 'node:stream';
import { type Clock, withDeadline } from '../../shared/clock';
import type { StorageSettings } from '../../shared/config';
import type { StorageClients } from '../../shared/storage/storage';
import { CliError, explain } from './errors';

/** The outside world, so that tests can run a command in their own process. */
export interface Io {
  /** The environment; wins over the settings file. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Where `local.settings.json` is looked for. */
  readonly cwd: string;
  readonly stdin: Readable & { readonly isTTY?: boolean };
  /** A terminal to draw a progress bar on, if standard error is one. */
  readonly terminal?: NodeJS.WriteStream | undefined;
  /** Prints results. */
  readonly out: (text: string) => void;
  /** Prints everything else: errors, prompts, notes. */
  readonly error: (text: string) => void;
  readonly clock: Clock;
  readonly openStorage: (settings: StorageSettings) => StorageClients;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
}

/** One command line. @returns its exit code: 0 done, 1 failed or refused, 2 wrong usage */
export type Run = (argv: readonly string[], io: Io) => Promise<number>;

/** One call of a command: the outside world and the options, those that every command has and its own. */
export interface Call<Own = object> extends Io {
  readonly options: Own & { readonly json?: true; readonly account?: string; readonly settings?: string };
}

/** A program that prints through `io` and throws instead of exiting. */
export function createProgram(name: string, description: string, io: Io): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.error })
    .showHelpAfterError('(--help shows the usage)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed or refused, 2 wrong usage.' +
        '\nSettings come from the environment, then from local.settings.json, as with `npm start`.',
    );
}

/** The options of whatever reads storage. */
export const withStorageOptions = (command: Command): Command =>
  command
    .option(
      '--account <name>',
      "work on this cloud storage account, with the Azure CLI's or a managed identity's sign-in (never an account key)",
    )
    .option('--settings <file>', 'read this settings file instead of local.settings.json');

/** Adds a command with the common options. @param usage such as `show <address>`; the handler gets what is given for it */
export function addCommand<Own>(
  program: Command,
  io: Io,
  usage: string,
  description: string,
  handler: (call: Call<Own>, ...args: string[]) => Promise<void>,
): Command {
  const command = program.command(usage).description(description).option('--json', 'print JSON');
  return withStorageOptions(command).action(() => handler({ ...io, options: command.opts() }, ...command.args));
}

/** Runs a program; Ctrl-C aborts its storage calls. @returns the exit code */
export async function runProgram(program: Command, argv: readonly string[], io: Io): Promise<number> {
  try {
    await withDeadline(io.signal, () => program.parseAsync(argv, { from: 'user' }));
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has printed what is wrong
    io.error(`${io.signal.aborted ? 'Interrupted.' : explain(error)}\n`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}
