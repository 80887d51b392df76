// The commands of `npm run outbox`. They need no secret and open no mail, and no address is printed: none is stored with a mail.
import { addressHashOf } from '../../shared/address';
import type { Delivery, ProviderState } from '../../shared/outbox/deliveries';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import { equals, outgoingMailQueueName, poisonQueueName } from '../../shared/storage/storage';
import { findDeliveries, listPoison, replayOutcomes, replayPoison, type ReplayOutcome } from '../storage/poisonQueue';
import { CliError } from '../support/errors';
import { count, fieldsOf, print, tableOf } from '../support/output';
import { addCommand, createProgram, runProgram, type Call, type Run } from '../support/program';
import { openStorage, requireAddress, siteOwnsAccounts } from '../support/settings';

export const run: Run = (argv, io) => {
  const program = createProgram('outbox', 'What became of each outgoing mail, and what is in the poison queue.', io);
  addCommand(program, io, 'list', 'list the messages in outgoing-mail-poison, the oldest 32 of them', listMessages);
  addCommand(program, io, 'show <id>', 'show what became of the mail with this id', showMail);
  addCommand(program, io, 'find <address>', 'show the mails of 30 days to this address, newest first', findMails);
  addCommand(program, io, 'replay [ids...]', 'send mails from the poison queue again, for 24 hours', replayMails)
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
async function replayMails(call: Call<{ all?: true; force?: true }>, ...ids: string[]): Promise<void> {
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
    throw new CliError(`Not in the poison queue: ${missing.join(', ')}. (\`outbox show ID\` says what became of it.)`);
  }
  if (results.some(({ outcome }) => left.includes(outcome))) throw new CliError('Some messages were left alone.');
}

const kinds: Readonly<Record<Delivery['kind'], string>> = {
  passwordReset: 'password reset',
  passwordChanged: 'password changed',
  linkIssued: 'link issued by support',
  siteEvent: 'event to the site',
};

const reported: Readonly<Record<ProviderState, string>> = {
  deferred: "the recipient's server deferred it; the provider keeps trying",
  delivered: "accepted by the recipient's server",
  blocked:
    "blocked by the recipient's server (policy or reputation; the mailbox may exist). A later mail may be accepted",
  dropped: 'dropped by the provider: see its suppression lists',
  bounced: 'bounced: does the mailbox exist?',
  spamReported: 'reported as spam by the recipient',
};

const limits: Readonly<Record<string, string>> = {
  address_limit: 'too many mails to this address; links mailed before keep working',
  ip_limit: 'too many requests from the same client',
};

/** To the minute is too coarse to match log lines; milliseconds are noise. */
const instant = (date: Date): string => date.toISOString().replace(/\.\d{3}Z$/, 'Z');

/** The state of a mail and what follows from it. */
function stateOf(delivery: Delivery, now: Date): string {
  switch (delivery.state) {
    case 'accepted': {
      const { backend, provider } = delivery;
      const accepted = `accepted by ${backend === '' ? 'the e-mail backend' : backend}`;
      return provider === undefined ? accepted : `${accepted}; ${instant(provider.at)}: ${reported[provider.state]}`;
    }
    case 'waiting':
      return delivery.reason === 'replayed' ? 'replayed, in the queue' : `waiting for a retry (${delivery.reason})`;
    case 'sending':
      return delivery.leaseUntil > now ? 'being sent now' : 'its worker has stopped; another one will take it over';
    case 'failed':
      return delivery.reason === 'too_late'
        ? `given up (too_late); when the cause is fixed: npm run outbox -- replay ${delivery.id}`
        : `refused for good (${delivery.reason}); it is not retried`;
    case 'unsure':
      return `unsure (${delivery.reason}): the provider may or may not have accepted it. Not retried; the user may ask again`;
    case 'suppressed':
      return `${count(delivery.count, 'mail')} not sent: ${limits[delivery.reason] ?? `a limit (${delivery.reason})`}`;
  }
}

/** A row as `--json` gives it: without the address's hash and what only the worker needs. */
function shown(delivery: Delivery | undefined): object | undefined {
  if (delivery === undefined) return undefined;
  return { ...delivery, addressHash: undefined, etag: undefined, charged: undefined };
}

async function listMessages(call: Call): Promise<void> {
  const storage = openStorage(call);
  const poisonQueue = await storage.queue(poisonQueueName);
  const { count: total, messages } = await listPoison(storage.table('Deliveries'), poisonQueue);
  const list = messages.map(({ delivery, ...message }) => ({ ...message, delivery: shown(delivery) }));
  const rows = messages.map(({ id = '(unreadable)', insertedOn, delivery }) => {
    if (delivery === undefined) return [id, instant(insertedOn), '', 'no record', ''];
    const { kind, state, attempt } = delivery;
    const reason = 'reason' in delivery ? ` ${delivery.reason}` : '';
    return [id, instant(insertedOn), kinds[kind], `${state}${reason}`, String(attempt + 1)];
  });
  const table = tableOf(['id', 'there since', 'mail', 'state', 'tries'], rows);
  print(call, { count: total, messages: list }, rows.length === 0 ? 'The poison queue is empty.\n' : table);
  if (call.options.json === true || rows.length === 0) return;
  const more = total > rows.length ? `; the oldest ${rows.length} are shown` : '';
  const cure = 'To send them again: npm run outbox -- replay --all';
  call.error(`${count(total, 'message')} in the poison queue${more}. ${cure}\n`);
}

async function showMail(call: Call, id: string): Promise<void> {
  if (!/^[\w-]{22}$/.test(id))
    throw new CliError('A mail id has 22 letters, digits, - or _ (see the log, or `outbox find`).', 2);
  const storage = openStorage(call);
  const deliveries = storage.table('Deliveries');
  const delivery = (await findDeliveries(deliveries, [id])).get(id);
  const { messages } = await listPoison(deliveries, await storage.queue(poisonQueueName));
  const inPoison = messages.find((message) => message.id === id);
  if (delivery === undefined && inPoison === undefined) {
    const why = 'older than 30 days, still in the queue, for an address without account, or suppressed by a limit';
    throw new CliError(`There is no record of this mail. It is ${why} (\`outbox find ADDRESS\` counts those).`);
  }
  const since = inPoison === undefined ? 'no' : `since ${instant(inPoison.insertedOn)}`;
  const fields: [string, string][] = [['in the poison queue', since]];
  if (delivery !== undefined) {
    fields.unshift(
      ['mail', kinds[delivery.kind]],
      ['state', stateOf(delivery, call.clock())],
      ['tries', String(delivery.attempt + 1)],
      ['accepted', instant(delivery.acceptedAt)],
      ['last change', instant(delivery.updatedAt)],
    );
  }
  print(call, { ...shown(delivery), inPoisonSince: inPoison?.insertedOn }, fieldsOf(id, fields));
}

async function findMails(call: Call, address: string): Promise<void> {
  const addressHash = addressHashOf(requireAddress(address));
  const deliveries = createDeliveriesTable(openStorage(call).table('Deliveries'));
  const found = await deliveries.findByAddressHash(addressHash);
  if (found.length === 0 && call.options.json !== true) {
    const why = 'Nobody asked, the request is still in the queue, or no account with this address can be reset';
    throw new CliError(`No mail to this address in the last 30 days. ${why} (\`accounts show ADDRESS\` says why).`);
  }
  const rows = found.map((delivery) => [
    instant(delivery.state === 'suppressed' ? delivery.updatedAt : delivery.acceptedAt),
    kinds[delivery.kind],
    delivery.id === 'suppressed' ? '' : delivery.id, // the row that counts them is no mail
    stateOf(delivery, call.clock()),
  ]);
  print(call, found.map(shown), tableOf(['accepted', 'mail', 'id', 'state'], rows));
}
