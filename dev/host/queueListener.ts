// A queue trigger: polls one queue, runs the function for each message, and deletes, releases or poisons it afterwards.
// It survives an outage of the storage, which it logs once, and loses no message: what it holds comes back by itself.
import { type DequeuedMessageItem, type QueueClient, QueueServiceClient } from '@azure/storage-queue';
import type { TriggerInput } from './functionApp';
import { holdMessage, inTime, storageErrorText, withQueue } from './heldMessage';
import type { QueueSettings } from './hostJson';
import type { Log } from './log';
import { decodeMessage, toTriggerInput } from './queueMessage';

/** What a listener needs. */
export interface QueueListenerOptions {
  functionName: string;
  queueName: string;
  connectionString: string;
  queues: QueueSettings;
  /** How long a message stays hidden without a renewal; it is renewed at half time while the function runs. The real host: 600. */
  holdSeconds: number;
  /** Calls the function; a rejection means that it failed, and is logged already. */
  run: (input: TriggerInput) => Promise<unknown>;
  log: Log;
}

/** A running listener. */
export interface QueueListener {
  /** Stops polling and waits until the messages in work are done. */
  close(): Promise<void>;
}

const minPollingMs = 100;

/** Starts polling; never rejects, whatever the storage does. */
export function startQueueListener(options: QueueListenerOptions): QueueListener {
  const service = QueueServiceClient.fromConnectionString(options.connectionString, {
    retryOptions: { maxTries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1000 },
  });
  const stop = new AbortController();
  const polling = pollQueue({
    ...options,
    queue: service.getQueueClient(options.queueName),
    poisonQueue: service.getQueueClient(`${options.queueName}-poison`),
    stopped: stop.signal,
    outage: { since: undefined },
  });
  return {
    close() {
      stop.abort();
      return polling;
    },
  };
}

interface Listener extends QueueListenerOptions {
  queue: QueueClient;
  poisonQueue: QueueClient;
  stopped: AbortSignal;
  outage: { since: Date | undefined };
}

async function pollQueue(listener: Listener): Promise<void> {
  const { queues, stopped } = listener;
  const inFlight = new Set<Promise<void>>();
  let delayMs = minPollingMs;
  while (!stopped.aborted) {
    if (inFlight.size > queues.newBatchThreshold) {
      await Promise.race([...inFlight, pause(queues.maxPollingIntervalMs, stopped)]);
      continue;
    }
    const messages = await receive(listener);
    for (const message of messages) {
      const work = handleMessage(listener, message).finally(() => inFlight.delete(work));
      inFlight.add(work);
    }
    if (messages.length === 0) await pause(delayMs, stopped);
    delayMs = messages.length === 0 ? Math.min(delayMs * 2, queues.maxPollingIntervalMs) : minPollingMs;
  }
  await Promise.all(inFlight);
}

/** @returns nothing while the storage is down. The queue is made when it is missing, also after the storage was emptied. */
async function receive(listener: Listener): Promise<DequeuedMessageItem[]> {
  const { queue, queues, holdSeconds } = listener;
  try {
    const received = await withQueue(queue, () =>
      queue.receiveMessages({ numberOfMessages: queues.batchSize, visibilityTimeout: holdSeconds, ...inTime() }),
    );
    endOutage(listener);
    return received.receivedMessageItems;
  } catch (error) {
    beginOutage(listener, error);
    return [];
  }
}

async function handleMessage(listener: Listener, message: DequeuedMessageItem): Promise<void> {
  const { functionName, queues, stopped, run, log } = listener;
  const held = holdMessage(listener, message);
  try {
    const text = decodeMessage(message.messageText, queues.messageEncoding);
    if (stopped.aborted) {
      await held.release(0);
    } else if (text === undefined) {
      log('error', functionName, `Message ${message.messageId} is not base64: moved to the poison queue.`);
      await held.poison();
    } else if (message.dequeueCount > queues.maxDequeueCount) {
      await held.poison();
    } else if (await succeeds(run(toTriggerInput(message, text)))) {
      await held.remove();
    } else if (message.dequeueCount < queues.maxDequeueCount) {
      await held.release(queues.visibilityTimeoutMs / 1000);
    } else {
      log(
        'error',
        functionName,
        `Message ${message.messageId} failed ${message.dequeueCount} times: moved to the poison queue.`,
      );
      await held.poison();
    }
  } catch (error) {
    // The message becomes visible again when the hold runs out.
    log(
      'warning',
      'host',
      `Message ${message.messageId} of '${functionName}' could not be settled: ${storageErrorText(error)}`,
    );
  }
}

function succeeds(call: Promise<unknown>): Promise<boolean> {
  return call.then(
    () => true,
    () => false,
  );
}

function beginOutage({ queueName, outage, log }: Listener, error: unknown): void {
  if (outage.since) return;
  outage.since = new Date();
  log('error', 'host', `The queue ${queueName} cannot be read; trying on until it can. ${storageErrorText(error)}`);
}

function endOutage({ queueName, outage, log }: Listener): void {
  if (!outage.since) return;
  outage.since = undefined;
  log('information', 'host', `The queue ${queueName} can be read again.`);
}

/** Waits, but not beyond `stopped`. */
function pause(ms: number, stopped: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stopped.aborted) {
      resolve();
      return;
    }
    const end = (): void => {
      clearTimeout(timer);
      stopped.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    stopped.addEventListener('abort', end);
  });
}
