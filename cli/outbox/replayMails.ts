// `outbox replay`: sends mails from the poison queue again, and says of each what was done.
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/outgoingMailStorageQueue';
import { replayPoison, type ReplayOutcome } from '../../shared/storage/replayPoison';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { printJson, printTable } from '../support/output';
import type { CommonOptions } from '../support/program';
import type { Outbox } from './run';

export interface ReplayOptions extends CommonOptions {
  readonly all?: true;
  readonly force?: true;
}

const words: Readonly<Record<ReplayOutcome, string>> = {
  replayed: 'is on its way again',
  sent_back: 'was sent back as it is',
  already_sent: 'was sent meanwhile; nothing was sent again',
  being_sent: 'is being sent at this moment; left alone',
  suppressed: 'was suppressed by a limit; left alone',
  no_record: 'nothing is known about it; left alone (--force sends it back as it is)',
  unreadable: 'is none of our messages; left alone (--force sends it back as it is)',
};
const left: readonly ReplayOutcome[] = ['no_record', 'unreadable', 'suppressed'];

/** Fails when something was meant and left alone, or an id is not in the poison queue. */
export async function replayMails(
  io: Io,
  { storage, admin }: Outbox,
  ids: readonly string[],
  { all, force, json }: ReplayOptions,
): Promise<void> {
  if (ids.length > 0 === (all === true)) throw new CliError('Say which mails: their ids, or --all.', 2);
  const parts = {
    deliveries: storage.table('Deliveries'),
    outbox: admin,
    queue: storage.queue(outgoingMailQueueName),
    poisonQueue: storage.queue(poisonQueueName),
    clock: io.clock,
  };
  const results = await replayPoison(parts, all === true ? 'all' : new Set(ids), force === true, io.signal);
  const missing = ids.filter((id) => !results.some((result) => result.id === id));
  if (json === true) printJson(io, { results, missing });
  else if (results.length > 0) {
    printTable(
      io,
      ['id', 'what was done'],
      results.map(({ id = '(unreadable)', outcome }) => [id, words[outcome]]),
    );
  } else if (missing.length === 0) io.out('The poison queue is empty, or another operator has its messages in hand.\n');
  if (missing.length > 0)
    throw new CliError(
      `Not in the poison queue: ${missing.join(', ')}. (\`outbox show ID\` says what became of a mail.)`,
    );
  if (results.some(({ outcome }) => left.includes(outcome))) throw new CliError('Some messages were left alone.');
}
