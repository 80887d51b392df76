// The frame of every command line: commander with our output, exit codes and common options.
import { Command, CommanderError } from 'commander';
import { CliError, explain } from './errors';
import type { Io } from './io';

/** Options that every command has. */
export interface CommonOptions {
  readonly json?: true;
  readonly account?: string;
  readonly settings?: string;
}

/** A program that prints through `io` and throws instead of exiting. */
export function createProgram(name: string, description: string, io: Io): Command {
  return new Command(`npm run ${name} --`)
    .description(description)
    .exitOverride()
    .configureOutput({ writeOut: io.out, writeErr: io.error })
    .showHelpAfterError('(--help shows how)')
    .addHelpText(
      'after',
      '\nExit codes: 0 done, 1 failed or refused, 2 wrong usage.' +
        '\nSettings come from the environment, then from local.settings.json, as with `npm start`.',
    );
}

/** Adds a command with the common options. @param usage such as `show <address>` */
export function addCommand(program: Command, usage: string, description: string): Command {
  return program
    .command(usage)
    .description(description)
    .option('--json', 'print JSON')
    .option(
      '--account <name>',
      "work on this cloud storage account, with the Azure CLI's or a managed identity's sign-in (never an account key)",
    )
    .option('--settings <file>', 'read this settings file instead of local.settings.json');
}

/** Runs a program. @returns the exit code */
export async function runProgram(program: Command, argv: readonly string[], io: Io): Promise<number> {
  try {
    await program.parseAsync(argv, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // commander has said what is wrong
    io.error(`${io.signal.aborted ? 'Interrupted.' : explain(error)}\n`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}
