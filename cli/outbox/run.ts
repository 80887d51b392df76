// The commands of `npm run outbox`. They need no signing secret and open no mail.
import type { StorageClients } from '../../shared/services';
import { createOutboxAdmin } from '../../shared/storage/outboxAdmin';
import { poisonQueueName } from '../../shared/storage/outgoingMailStorageQueue';
import type { Run } from '../support/io';
import { addCommand, createProgram, runProgram, type CommonOptions } from '../support/program';
import { openStorage } from '../support/settings';
import { replayMails, type ReplayOptions } from './replayMails';
import { findMails, listPoison, showMail } from './showMails';

/** What the commands work on. */
export interface Outbox {
  readonly storage: StorageClients;
  readonly admin: ReturnType<typeof createOutboxAdmin>;
}

export const run: Run = (argv, io) => {
  const program = createProgram(
    'outbox',
    'The outgoing mail: what became of each, and what stays in the poison queue.',
    io,
  );
  const open = async (options: CommonOptions): Promise<Outbox> => {
    const storage = await openStorage(io, options);
    return { storage, admin: createOutboxAdmin(storage.table('Deliveries'), storage.queue(poisonQueueName)) };
  };

  addCommand(program, 'list', 'the messages in outgoing-mail-poison, the oldest 32 of them').action(
    async (options: CommonOptions) => listPoison(io, await open(options), options),
  );
  addCommand(program, 'show <id>', 'what became of the mail with this id').action(
    async (id: string, options: CommonOptions) => showMail(io, await open(options), id, options),
  );
  addCommand(program, 'find <address>', 'the mails to this address in the last 30 days, newest first').action(
    async (address: string, options: CommonOptions) => findMails(io, await open(options), address, options),
  );
  addCommand(program, 'replay [ids...]', 'send mails from the poison queue again; each has 24 hours from now')
    .option('--all', 'all of them')
    .option('--force', 'also messages that nothing is known about: they are sent back as they are')
    .addHelpText('after', '\nEach mail is sent once, however often and by however many operators this is said.')
    .action(async (ids: string[], options: ReplayOptions) => replayMails(io, await open(options), ids, options));

  return runProgram(program, withDashedIds(argv), io);
};

/** One mail id in 64 begins with a dash and would pass for an option: such ids go behind `--`. */
function withDashedIds(argv: readonly string[]): readonly string[] {
  const dashed = argv.filter((word) => /^-[\w-]{21}$/.test(word));
  if (dashed.length === 0 || argv.includes('--')) return argv;
  return [...argv.filter((word) => !dashed.includes(word)), '--', ...dashed];
}
