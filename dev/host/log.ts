/** Severity of one line of log, as the library names them. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/**
 * Writes `[source] text` to the terminal: the app's lines to standard output, the host's own errors to standard error.
 * Never pass a request's URL: a path can hold a reset key.
 * @param source a function's name, or `host`
 */
export function log(level: LogLevel, source: string, text: string): void {
  if (level === 'none' || level === 'trace' || level === 'debug') return;
  const stream = source === 'host' && level !== 'information' ? process.stderr : process.stdout;
  stream.write(`[${source}] ${text}\n`);
}

/** An error as text for the log: its stack with every cause. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? text : `${text}\ncaused by ${errorText(error.cause)}`;
}
