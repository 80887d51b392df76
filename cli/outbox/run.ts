// The commands of `npm run outbox`. They need no secret and open no mail.
import { equals } from '../../shared/storage/tableStore';
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/storageClients';
import { replayPoison, type ReplayOutcome } from '../storage/replayPoison';
import { CliError } from '../support/errors';
import { printJson, printTable } from '../support/output';
import { addCommand, createProgram, runProgram, type CommonOptions, type Io, type Run } from '../support/program';
import { openStorage, siteOwnsAccounts } from '../support/settings';
import { findMails, listMessages, showMail } from './showMails';

export const run: Run = (argv, io) => {
  const program = createProgram(
    'outbox',
    'The outgoing mail: what became of each, and what is in the poison queue.',
    io,
  );
  addCommand(program, 'list', 'list the messages in outgoing-mail-poison, the oldest 32 of them').action(
    (options: CommonOptions) => listMessages(io, options),
  );
  addCommand(program, 'show <id>', 'show what became of the mail with this id').action(
    (id: string, options: CommonOptions) => showMail(io, id, options),
  );
  addCommand(program, 'find <address>', 'show the mails to this address in the last 30 days, newest first').action(
    (address: string, options: CommonOptions) => findMails(io, address, options),
  );
  addCommand(program, 'replay [ids...]', 'send mails from the poison queue again; each has 24 hours from now')
    .option('--all', 'all of them')
    .option('--force', 'also messages that would be left alone, such as those without a record')
    .addHelpText(
      'after',
      '\nEach mail is sent once, however often and by however many operators this is run.' +
        '\nAn id that begins with - goes after --, as in: npm run outbox -- replay -- -ID',
    )
    .action((ids: string[], options: ReplayOptions) => replayMails(io, ids, options));
  return runProgram(program, argv, io);
};

interface ReplayOptions extends CommonOptions {
  readonly all?: true;
  readonly force?: true;
}

const words: Readonly<Record<ReplayOutcome, string>> = {
  replayed: 'on its way again',
  sent_back: 'sent back as it is',
  already_sent: 'was sent in the meantime; nothing was sent again',
  being_sent: 'is being sent right now; left alone',
  unsure: 'may have been sent; left alone (--force sends it again)',
  suppressed: 'was suppressed by a limit; left alone',
  no_account: 'no account has its address any more (moved or removed); left alone. The user has to ask for a new mail.',
  no_record: 'has no record; left alone (--force sends it back as it is)',
  unreadable: 'is not a message of this app; left alone (--force sends it back as it is)',
  contended: 'is being changed by others; left alone, try again',
};
const left: readonly ReplayOutcome[] = ['unsure', 'suppressed', 'no_account', 'no_record', 'unreadable', 'contended'];

/** Fails if something was meant and left alone, or an id is not in the poison queue. */
async function replayMails(io: Io, ids: readonly string[], options: ReplayOptions): Promise<void> {
  const { all, force, json } = options;
  if (ids.length > 0 === (all === true)) throw new CliError('Name the mails by their ids, or use --all.', 2);
  const storage = openStorage(io, options);
  const hasAccount = async (addressHash: string): Promise<boolean> =>
    (await storage.table('Accounts').page(equals('PartitionKey', addressHash), undefined)).rows.length > 0;
  const deps = {
    deliveries: storage.table('Deliveries'),
    queue: await storage.queue(outgoingMailQueueName),
    poisonQueue: await storage.queue(poisonQueueName),
    hasAccount: siteOwnsAccounts(io, options) ? undefined : hasAccount,
    clock: io.clock,
  };
  const results = await replayPoison(deps, all === true ? 'all' : new Set(ids), force === true);
  const missing = ids.filter((id) => !results.some((result) => result.id === id));
  if (json === true) printJson(io, { results, missing });
  else if (results.length > 0) {
    const rows = results.map(({ id = '(unreadable)', outcome }) => [id, words[outcome]]);
    printTable(io, ['id', 'result'], rows);
  } else if (missing.length === 0) io.out('The poison queue is empty, or another operator is working on it.\n');
  if (missing.length > 0) {
    throw new CliError(
      `Not in the poison queue: ${missing.join(', ')}. (\`outbox show ID\` shows what became of a mail.)`,
    );
  }
  if (results.some(({ outcome }) => left.includes(outcome))) throw new CliError('Some messages were left alone.');
}
