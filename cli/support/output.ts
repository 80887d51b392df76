// How results look: plain text for people, JSON for programs. Text of a table or a message never reaches the terminal raw:
// a control character in a user name could repaint it.
import { Presets, SingleBar } from 'cli-progress';
import type { Call, Io } from './program';

/** One line of text that a terminal shows as it is. */
export const printable = (text: string): string =>
  text.replace(/[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, '�');

export function print({ options, out }: Call, value: unknown, text: string): void {
  out(options.json === true ? `${JSON.stringify(value, undefined, 2)}\n` : text);
}

export function tableOf(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const lines = [header, ...rows.map((row) => row.map(printable))];
  const widths = header.map((_, column) => Math.max(...lines.map((line) => (line[column] ?? '').length)));
  const padded = lines.map((line) => line.map((cell, column) => cell.padEnd(widths[column] ?? 0)));
  return padded.map((cells) => `${cells.join('  ').trimEnd()}\n`).join('');
}

/** `name  value` lines under a title; a value that is not there has no line. */
export function fieldsOf(title: string, fields: readonly (readonly [string, string | undefined])[]): string {
  const width = Math.max(...fields.map(([name]) => name.length));
  const lines = fields.map(([name, value]) =>
    value === undefined ? '' : `  ${name.padEnd(width)}  ${printable(value)}\n`,
  );
  return `${printable(title)}\n${lines.join('')}`;
}

/** `s***@somewhere.com`: enough to recognize an address, not enough to use it. */
export function maskAddress(address: string): string {
  const at = address.lastIndexOf('@');
  return at < 1 ? '***' : `${address.slice(0, 1)}***${address.slice(at)}`;
}

/** `1 account`, `3 accounts`, `1,234 accounts`. */
export const count = (number: number, noun: string, plural = `${noun}s`): string =>
  `${number.toLocaleString('en-US')} ${number === 1 ? noun : plural}`;

/** A progress bar on standard error, and nothing at all if that is no terminal. */
export function startProgress({ terminal }: Io, title: string, total: number) {
  if (terminal === undefined) return { update: (): void => {}, stop: (): void => {} };
  const format = `${title} {bar} {percentage} % | {note} | {eta_formatted} left`;
  const bar = new SingleBar({ stream: terminal, format, hideCursor: true, etaBuffer: 100 }, Presets.shades_classic);
  bar.start(total, 0, { note: '' });
  return {
    update: (done: number, note: string): void => bar.update(Math.min(done, total), { note }),
    stop: (): void => bar.stop(),
  };
}
