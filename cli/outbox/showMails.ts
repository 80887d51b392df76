// `outbox list | show | find`: they look and change nothing. No address is printed: none is stored with a mail.
import { addressHashOf } from '../../shared/address';
import type { Delivery, ProviderState } from '../../shared/outbox/deliveries';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import { poisonQueueName } from '../../shared/storage/storageClients';
import { findDeliveries, listPoison } from '../storage/outboxAdmin';
import { CliError } from '../support/errors';
import { count, fieldsOf, print, tableOf } from '../support/output';
import type { Call } from '../support/program';
import { openStorage, requireAddress } from '../support/settings';

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

export async function listMessages(call: Call): Promise<void> {
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

export async function showMail(call: Call, id: string): Promise<void> {
  if (!/^[\w-]{22}$/.test(id))
    throw new CliError('A mail id has 22 letters, digits, - or _ (see the log, or `outbox find`).', 2);
  const storage = openStorage(call);
  const deliveries = storage.table('Deliveries');
  const delivery = (await findDeliveries(deliveries, [id])).get(id);
  const { messages } = await listPoison(deliveries, await storage.queue(poisonQueueName));
  const inPoison = messages.find((message) => message.id === id);
  if (delivery === undefined && inPoison === undefined) {
    throw new CliError(
      'There is no record of this mail: it is older than 30 days, still in the queue, no account has its address, ' +
        'or a limit suppressed it (`outbox find ADDRESS` counts those).',
    );
  }
  const fields: [string, string][] =
    delivery === undefined
      ? []
      : [
          ['mail', kinds[delivery.kind]],
          ['state', stateOf(delivery, call.clock())],
          ['tries', String(delivery.attempt + 1)],
          ['accepted', instant(delivery.acceptedAt)],
          ['last change', instant(delivery.updatedAt)],
        ];
  fields.push(['in the poison queue', inPoison === undefined ? 'no' : `since ${instant(inPoison.insertedOn)}`]);
  print(call, { ...shown(delivery), inPoisonSince: inPoison?.insertedOn }, fieldsOf(id, fields));
}

export async function findMails(call: Call, address: string): Promise<void> {
  const addressHash = addressHashOf(requireAddress(address));
  const deliveries = createDeliveriesTable(openStorage(call).table('Deliveries'));
  const found = await deliveries.findByAddressHash(addressHash);
  if (found.length === 0 && call.options.json !== true) {
    throw new CliError(
      'There is no mail to this address in the last 30 days. Either nobody asked, or the request is still in the queue, ' +
        'or no account with this address can be reset (`npm run accounts -- show ADDRESS` says why).',
    );
  }
  const rows = found.map((delivery) => [
    instant(delivery.state === 'suppressed' ? delivery.updatedAt : delivery.acceptedAt),
    kinds[delivery.kind],
    delivery.id === 'suppressed' ? '' : delivery.id, // the row that counts them is no mail
    stateOf(delivery, call.clock()),
  ]);
  print(call, found.map(shown), tableOf(['accepted', 'mail', 'id', 'state'], rows));
}
