// Does the queue answer, is somebody taking the messages out of it, and is the poison queue empty?
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/outgoingMailStorageQueue';
import { probeQueue, type QueueState } from '../../shared/storage/storageProbe';
import { storageCure } from '../support/errors';
import { count } from '../support/output';
import { fail, ok, questionMs, warn, type Check, type Finding } from './finding';

/** A message that can be seen for so long has nobody who takes it: the host looks every two seconds. */
const stuckMinutes = 5;

export const checkQueues: Check = async ({ storage, io }) => {
  const look = (name: string): Promise<QueueState> => probeQueue(storage.queue(name), AbortSignal.timeout(questionMs));
  const queue = await look(outgoingMailQueueName);
  if (queue.failure !== undefined && queue.outcome === 'failed') {
    const what = `Queue storage does not do what the app needs (${queue.failure.code}).`;
    return [fail('queue', what, `What to look at: ${storageCure(queue.failure)}`)];
  }
  return [judgeQueue(queue, io.clock()), judgePoison(await look(poisonQueueName), io.clock())];
};

function judgeQueue(queue: QueueState, now: Date): Finding {
  if (queue.outcome === 'missing') {
    return warn(
      'queue',
      `The queue ${outgoingMailQueueName} is missing.`,
      'The app makes it with the first request; is the app running at all?',
    );
  }
  const minutes = minutesSince(queue.oldest, now);
  if (minutes < stuckMinutes)
    return ok('queue', `${count(queue.count, 'message')} in ${outgoingMailQueueName}, none of them stuck.`);
  return fail(
    'queue',
    `Nobody takes messages out of ${outgoingMailQueueName}: ${count(queue.count, 'message')}, the oldest waits for ${minutes} minutes.`,
    'Is the app running, is the function sendMail enabled, and are the settings good (bad ones leave only `health`)? Nothing is lost meanwhile.',
  );
}

function judgePoison(poison: QueueState, now: Date): Finding {
  if (poison.count === 0) return ok('poison queue', 'It is empty.');
  const what = `${count(poison.count, 'message')} in ${poisonQueueName}, the oldest for ${minutesSince(poison.oldest, now)} minutes.`;
  return warn(
    'poison queue',
    what,
    '`npm run outbox -- list` says why; once the cause is gone: `npm run outbox -- replay --all`.',
  );
}

const minutesSince = (instant: Date | undefined, now: Date): number =>
  instant === undefined ? 0 : Math.floor((now.getTime() - instant.getTime()) / 60_000);
