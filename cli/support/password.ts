// Reads a new password from standard input: asked for without an echo on a terminal, else the first line of what is piped in.
// Never from an argument, where every user of the computer could read it.
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { Writable } from 'node:stream';
import { CliError } from './errors';
import type { Io } from './io';

export async function readPassword(io: Io): Promise<string> {
  if (io.stdin.isTTY !== true) return (await text(io.stdin)).replace(/\r?\n[^]*$/, '');
  const password = await ask(io, 'Password: ');
  if ((await ask(io, 'Once more: ')) !== password)
    throw new CliError('The two were not the same: nothing was changed.');
  return password;
}

function ask(io: Io, prompt: string): Promise<string> {
  const silent = new Writable({
    write: (_chunk, _encoding, done) => {
      done();
    },
  });
  const lines = createInterface({ input: io.stdin, output: silent, terminal: true }); // from here on nothing is echoed
  io.error(prompt);
  return new Promise((resolve, reject) => {
    lines.once('SIGINT', () => {
      reject(new CliError('Interrupted.'));
      lines.close();
    });
    lines.once('close', () => {
      reject(new CliError('No password was given.'));
    });
    lines.question('', (answer) => {
      resolve(answer);
      io.error('\n');
      lines.close();
    });
  });
}
