// A progress bar on standard error, and nothing at all when that is no terminal.
import { Presets, SingleBar } from 'cli-progress';
import type { Io } from './io';

export interface Progress {
  /** @param done so many of `total`; `note` stands behind the bar */
  update(done: number, note: string): void;
  stop(): void;
}

export function startProgress(io: Io, title: string, total: number): Progress {
  if (io.terminal === undefined) return { update: () => {}, stop: () => {} };
  const format = `${title} {bar} {percentage} % | {note} | {eta_formatted} left`;
  const bar = new SingleBar({ stream: io.terminal, format, hideCursor: true, etaBuffer: 100 }, Presets.shades_classic);
  bar.start(total, 0, { note: '' });
  return {
    update: (done, note) => {
      bar.update(Math.min(done, total), { note });
    },
    stop: () => {
      bar.stop();
    },
  };
}
