// `outbox list | show | find`: they look and change nothing. No address is printed: none is stored with a mail.
import { addressHashOf } from '../../shared/address';
import type { Delivery } from '../../shared/deliveries';
import { createDeliveriesTable } from '../../shared/storage/deliveriesTable';
import { requireAddress } from '../accounts/selection';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { count, printFields, printJson, printTable } from '../support/output';
import type { CommonOptions } from '../support/program';
import { instant, kindWords, stateWords } from './mailWords';
import type { Outbox } from './run';

/** A row as `--json` gives it. */
function shown(delivery: Delivery | undefined): object | undefined {
  if (delivery === undefined) return undefined;
  const { id, kind, state, attempt, reason, backend, acceptedAt, updatedAt, provider } = delivery;
  return { id, kind, state, attempt, reason, backend, acceptedAt, updatedAt, provider };
}

export async function listPoison(io: Io, { admin }: Outbox, { json }: CommonOptions): Promise<void> {
  const { count: total, messages } = await admin.list(io.signal);
  if (json === true) {
    const shownMessages = messages.map(({ delivery, ...message }) => ({ ...message, delivery: shown(delivery) }));
    return printJson(io, { count: total, messages: shownMessages });
  }
  if (messages.length === 0) return io.out('The poison queue is empty.\n');
  const rows = messages.map(({ id = '(unreadable)', insertedOn, delivery }) => [
    id,
    instant(insertedOn),
    delivery === undefined ? '' : kindWords(delivery),
    delivery === undefined ? 'nothing is known about it' : `${delivery.state} ${delivery.reason ?? ''}`.trim(),
    delivery === undefined ? '' : String(delivery.attempt + 1),
  ]);
  printTable(io, ['id', 'there since', 'mail', 'state', 'tries'], rows);
  const more = total > messages.length ? `; the queue shows the oldest ${messages.length}` : '';
  io.error(
    `${count(total, 'message')} in the poison queue${more}. To send them again: npm run outbox -- replay --all\n`,
  );
}

export async function showMail(io: Io, { admin }: Outbox, id: string, { json }: CommonOptions): Promise<void> {
  if (!/^[\w-]{22}$/.test(id))
    throw new CliError('A mail id has 22 letters, digits, - or _ (see the log, or `outbox find`).', 2);
  const [rows, { messages }] = await Promise.all([admin.findByIds([id], io.signal), admin.list(io.signal)]);
  const delivery = rows.get(id);
  const inPoison = messages.find((message) => message.id === id);
  if (delivery === undefined && inPoison === undefined) {
    throw new CliError(
      'Nothing is known about this mail: it is older than 30 days, still in the queue, or there was nobody to write to.',
    );
  }
  if (json === true) return printJson(io, { ...shown(delivery), inPoisonSince: inPoison?.insertedOn });
  const poison = inPoison === undefined ? 'no' : `since ${instant(inPoison.insertedOn)}`;
  printFields(io, id, [
    ...(delivery === undefined ? [] : fieldsOf(delivery, io.clock())),
    ['in the poison queue', poison],
  ]);
}

const fieldsOf = (delivery: Delivery, now: Date): [string, string][] => [
  ['mail', kindWords(delivery)],
  ['state', stateWords(delivery, now)],
  ['tries', String(delivery.attempt + 1)],
  ['accepted', instant(delivery.acceptedAt)],
  ['last change', instant(delivery.updatedAt)],
];

export async function findMails(io: Io, { storage }: Outbox, address: string, { json }: CommonOptions): Promise<void> {
  const sub = addressHashOf(requireAddress(address));
  const found = await createDeliveriesTable(storage.table('Deliveries')).findBySubject(sub, io.signal);
  if (json === true) return printJson(io, found.map(shown));
  if (found.length === 0) {
    throw new CliError(
      'There is no mail to this address in the last 30 days. Either nobody asked, or the request still waits in the queue, ' +
        'or there is no account that could be reset (`npm run accounts -- show ADDRESS` says why).',
    );
  }
  const rows = found.map((delivery) => [
    instant(delivery.acceptedAt),
    kindWords(delivery),
    delivery.id,
    stateWords(delivery, io.clock()),
  ]);
  printTable(io, ['accepted', 'mail', 'id', 'what became of it'], rows);
}
