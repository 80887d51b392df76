/** Severity of one line of log, as the library names them. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** Writes one event. `source` is a function's name, or `host`. Never pass a request's URL: a path can hold a reset key. */
export type Log = (level: LogLevel, source: string, text: string) => void;

/**
 * The log of a terminal: `[name] text`. The app's lines go to standard output, the host's own errors to standard error.
 * @param verbose shows trace and debug lines as well.
 */
export function consoleLog(verbose: boolean): Log {
  return (level, source, text) => {
    if (level === 'none' || (!verbose && (level === 'trace' || level === 'debug'))) return;
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
