// Do tables and queues answer, are they all there, are messages being handled, and is this computer's clock right?
import { RestError } from '@azure/storage-queue';
import { StorageUnavailable } from '../../shared/errors';
import {
  outgoingMailQueueName,
  poisonQueueName,
  storageCall,
  type StorageClients,
  tableNames,
} from '../../shared/storage/storage';
import { storageCure } from '../support/errors';
import { count } from '../support/output';
import { fail, ok, warn, type Check, type Finding } from './finding';

const makeThem =
  '`azd provision` makes it, and so does the timer function seedSite (at start and hourly): is the app running?';

export const checkTables: Check = async ({ storage }) => {
  const findings: Finding[] = [];
  for (const name of tableNames) {
    try {
      // The removal of a row that never exists: the one call that needs the right to write and changes nothing.
      await storage.table(name).remove('doctor', 'doctor', 'W/"nothing"');
    } catch (error) {
      if (!(error instanceof StorageUnavailable)) throw error;
      // Any other failure is that of all tables.
      if (error.code !== 'TableNotFound') return [failed('tables', 'Table storage', error)];
      findings.push(fail('tables', `The table ${name} is missing: calls that need it answer 503.`, makeThem));
    }
  }
  const good = `All ${tableNames.length} tables are there and can be written to.`;
  return findings.length > 0 ? findings : [ok('tables', good)];
};

const failed = (check: string, what: string, error: StorageUnavailable): Finding =>
  fail(check, `${what} failed (${error.code}).`, `What to check: ${storageCure(error)}`);

/** Peeks, never receives. The service's clock is known from its answer, also from a refusal. */
async function probeQueue(storage: StorageClients, name: string) {
  const queue = await storage.queue(name);
  try {
    return await storageCall('queue', async (abortSignal) => {
      const { approximateMessagesCount = 0, date } = await queue.getProperties({ abortSignal });
      const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 1, abortSignal });
      const oldest = peekedMessageItems[0]?.insertedOn;
      return { count: approximateMessagesCount, oldest, serverTime: date, failure: undefined };
    });
  } catch (error) {
    if (!(error instanceof StorageUnavailable)) throw error;
    const date = error.cause instanceof RestError ? error.cause.response?.headers.get('date') : undefined;
    const serverTime = date === undefined ? undefined : new Date(date);
    return { count: 0, oldest: undefined, serverTime, failure: error };
  }
}
type QueueState = Awaited<ReturnType<typeof probeQueue>>;

/** The host looks every two seconds: a message that is visible for longer than this is not being handled. */
const stuckMinutes = 5;

export const checkQueues: Check = async ({ storage, clock: readClock }) => {
  const now = readClock();
  const queue = await probeQueue(storage, outgoingMailQueueName);
  const clock = clockFindings(queue.serverTime, now);
  if (queue.failure !== undefined && queue.failure.code !== 'QueueNotFound')
    return [failed('queue', 'Queue storage', queue.failure), ...clock];
  return [queueFinding(queue, now), poisonFinding(await probeQueue(storage, poisonQueueName), now), ...clock];
};

function queueFinding(queue: QueueState, now: Date): Finding {
  if (queue.failure !== undefined)
    return fail('queue', `The queue ${outgoingMailQueueName} is missing: requests answer 503.`, makeThem);
  const minutes = minutesSince(queue.oldest, now);
  if (minutes < stuckMinutes) {
    return ok('queue', `${count(queue.count, 'message')} in ${outgoingMailQueueName}, none of them stuck.`);
  }
  const what = `${count(queue.count, 'message')} in ${outgoingMailQueueName}, the oldest ${minutes} minutes old.`;
  return fail('queue', what, 'Is the app running with valid settings, and its function sendMail enabled?');
}

function poisonFinding(poison: QueueState, now: Date): Finding {
  if (poison.count === 0) return ok('poison queue', 'It is empty.');
  const minutes = minutesSince(poison.oldest, now);
  const what = `${count(poison.count, 'message')} in ${poisonQueueName}, the oldest ${minutes} minutes old.`;
  const cure = '`npm run outbox -- list` says why; when the cause is fixed: `npm run outbox -- replay --all`.';
  return warn('poison queue', what, cure);
}

const minutesSince = (instant: Date | undefined, now: Date): number =>
  instant === undefined ? 0 : Math.floor((now.getTime() - instant.getTime()) / 60_000);

function clockFindings(serverTime: Date | undefined, now: Date): Finding[] {
  if (serverTime === undefined) return []; // it does not answer, which is a finding already
  const seconds = Math.round((now.getTime() - serverTime.getTime()) / 1000);
  if (Math.abs(seconds) <= 60) return [ok('clock', "This computer's clock agrees with the storage service's.")];
  const difference = `${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead of' : 'behind'}`;
  const cure = 'Synchronize it (NTP): from 15 minutes on storage refuses account keys.';
  return [warn('clock', `This computer's clock is ${difference} the storage service's.`, cure)];
}
