// The dev host's log: one readable line per event. It must never be given a request's URL, since a path can hold a secret.
import type { LogLevel } from './coreApi';

/** Writes one event. `source` is a function's name, or `host`. */
export type Log = (level: LogLevel, source: string, text: string) => void;

/**
 * The log of a terminal: `[name] text`. The app's lines go to standard output, the host's own troubles to standard error.
 * @param verbose shows trace and debug lines as well.
 */
export function consoleLog(verbose: boolean): Log {
  return (level, source, text) => {
    if (!verbose && (level === 'trace' || level === 'debug')) return;
    const isTrouble = source === 'host' && (level === 'warning' || level === 'error' || level === 'critical');
    (isTrouble ? process.stderr : process.stdout).write(`[${source}] ${text}\n`);
  };
}

/** An error as text for the log: its stack with every cause. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? text : `${text}\ncaused by ${errorText(error.cause)}`;
}
