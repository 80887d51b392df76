// The commands of `npm run outbox`. They need no secret and open no mail.
import { equals } from '../../shared/storage/tableStore';
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/storageClients';
import { replayOutcomes, replayPoison, type ReplayOutcome } from '../storage/replayPoison';
import { CliError } from '../support/errors';
import { print, tableOf } from '../support/output';
import { addCommand, createProgram, runProgram, type Call, type Run } from '../support/program';
import { openStorage, siteOwnsAccounts } from '../support/settings';
import { findMails, listMessages, showMail } from './showMails';

export const run: Run = (argv, io) => {
  const about = 'The outgoing mail: what became of each, and what is in the poison queue.';
  const program = createProgram('outbox', about, io);
  addCommand(program, io, 'list', 'list the messages in outgoing-mail-poison, the oldest 32 of them', listMessages);
  addCommand(program, io, 'show <id>', 'show what became of the mail with this id', showMail);
  const finding = 'show the mails to this address in the last 30 days, newest first';
  addCommand(program, io, 'find <address>', finding, findMails);
  const replaying = 'send mails from the poison queue again; each has 24 hours from now';
  addCommand(program, io, 'replay [ids...]', replaying, replayMails)
    .option('--all', 'all of them')
    .option('--force', 'also messages that would be left alone, such as those without a record')
    .addHelpText(
      'after',
      '\nEach mail is sent once, however often and by however many operators this is run.' +
        '\nAn id that begins with - goes after --, as in: npm run outbox -- replay -- -ID',
    );
  return runProgram(program, argv, io);
};

const left: readonly ReplayOutcome[] = ['unsure', 'suppressed', 'no_account', 'no_record', 'unreadable', 'contended'];

/** Fails if something was meant and left alone, or an id is not in the poison queue. */
async function replayMails(
  call: Call<{ readonly all?: true; readonly force?: true }>,
  ...ids: readonly string[]
): Promise<void> {
  const { all = false, force = false } = call.options;
  if (ids.length > 0 === all) throw new CliError('Name the mails by their ids, or use --all.', 2);
  const storage = openStorage(call);
  const hasAccount = async (addressHash: string): Promise<boolean> =>
    (await storage.table('Accounts').page(equals('PartitionKey', addressHash), undefined)).rows.length > 0;
  const deps = {
    deliveries: storage.table('Deliveries'),
    queue: await storage.queue(outgoingMailQueueName),
    poisonQueue: await storage.queue(poisonQueueName),
    hasAccount: siteOwnsAccounts(call) ? undefined : hasAccount,
    clock: call.clock,
  };
  const results = await replayPoison(deps, all ? 'all' : new Set(ids), force);
  const missing = ids.filter((id) => !results.some((result) => result.id === id));
  const rows = results.map(({ id = '(unreadable)', outcome }) => [id, replayOutcomes[outcome]]);
  const none = missing.length > 0 ? '' : 'The poison queue is empty, or another operator is working on it.\n';
  print(call, { results, missing }, rows.length > 0 ? tableOf(['id', 'result'], rows) : none);
  if (missing.length > 0) {
    throw new CliError(
      `Not in the poison queue: ${missing.join(', ')}. (\`outbox show ID\` shows what became of a mail.)`,
    );
  }
  if (results.some(({ outcome }) => left.includes(outcome))) throw new CliError('Some messages were left alone.');
}
