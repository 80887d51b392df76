// A queue trigger: polls one queue, runs the function for each message, and removes, releases or poisons it afterwards.
// It survives an outage of the storage, which it logs once. A message that it cannot settle becomes visible again by itself.
import { setTimeout as delay } from 'node:timers/promises';
import { type DequeuedMessageItem, type QueueClient, QueueServiceClient, RestError } from '@azure/storage-queue';
import { z } from 'zod';
import { bindingOf, errorText, log, type FunctionApp, type TriggerInput } from './functionApp';
import type { QueueSettings } from './hostJson';

interface Listener {
  functionName: string;
  queue: QueueClient;
  poisonQueue: QueueClient;
  queues: QueueSettings;
  /** How long a message stays hidden without a renewal; it is renewed at half time while the function runs. */
  holdSeconds: number;
  /** Calls the function; a rejection means that it failed, and is logged already. */
  run: (input: TriggerInput) => Promise<unknown>;
  stopped: AbortSignal;
  isDown: boolean;
}

const queueTrigger = z.object({ queueName: z.string(), connection: z.string() });
const minPollingMs = 100;

/** Polls the queue of each queue function; never rejects, whatever the storage does. `close` waits until the messages in work are done. */
export function listenToQueues(app: FunctionApp, queues: QueueSettings, holdSeconds: number) {
  const stop = new AbortController();
  const polling = app.functions.map(async (fn) => {
    const binding = bindingOf(fn, 'queueTrigger');
    if (!binding) return;
    const { queueName, connection } = queueTrigger.parse(binding);
    const connectionString = process.env[connection];
    if (!connectionString) {
      log('error', 'host', `The function '${fn.metadata.name}' gets no messages: ${connection} is missing.`);
      return;
    }
    const retryOptions = { maxTries: 3, retryDelayInMs: 100, maxRetryDelayInMs: 1000 };
    const service = QueueServiceClient.fromConnectionString(connectionString, { retryOptions });
    await pollQueue({
      functionName: fn.metadata.name,
      queue: service.getQueueClient(queueName),
      poisonQueue: service.getQueueClient(`${queueName}-poison`),
      queues,
      holdSeconds,
      run: (input) => app.invoke(fn, input),
      stopped: stop.signal,
      isDown: false,
    });
  });
  return {
    async close() {
      stop.abort();
      await Promise.all(polling);
    },
  };
}

async function pollQueue(listener: Listener): Promise<void> {
  const { queues, stopped } = listener;
  const inFlight = new Set<Promise<void>>();
  const pause = (ms: number): Promise<void> => delay(ms, undefined, { signal: stopped }).catch(() => undefined);
  let delayMs = minPollingMs;
  while (!stopped.aborted) {
    if (inFlight.size > queues.newBatchThreshold) {
      await Promise.race([...inFlight, pause(queues.maxPollingInterval)]);
      continue;
    }
    const messages = await receive(listener);
    for (const message of messages) {
      const work = settle(listener, message).finally(() => inFlight.delete(work));
      inFlight.add(work);
    }
    if (messages.length === 0) await pause(delayMs);
    delayMs = messages.length === 0 ? Math.min(delayMs * 2, queues.maxPollingInterval) : minPollingMs;
  }
  await Promise.all(inFlight);
}

/** @returns nothing while the storage is down. A missing queue is made, also after the storage was emptied. */
async function receive(listener: Listener): Promise<DequeuedMessageItem[]> {
  const { queue, queues, holdSeconds } = listener;
  try {
    const hold = { numberOfMessages: queues.batchSize, visibilityTimeout: holdSeconds };
    const received = await queue.receiveMessages({ ...hold, ...inTime() });
    if (listener.isDown) log('information', 'host', `The queue ${queue.name} can be read again.`);
    listener.isDown = false;
    return received.receivedMessageItems;
  } catch (error) {
    if (error instanceof RestError && error.code === 'QueueNotFound') {
      await queue.createIfNotExists(inTime()).catch(() => undefined); // the next poll tells
      return [];
    }
    const text = `The queue ${queue.name} cannot be read; retrying until it can. ${storageErrorText(error)}`;
    if (!listener.isDown) log('error', 'host', text);
    listener.isDown = true;
    return [];
  }
}

async function settle(listener: Listener, message: DequeuedMessageItem): Promise<void> {
  const { functionName, queues, stopped, run, queue, poisonQueue } = listener;
  const { messageId, messageText, dequeueCount } = message;
  const endHold = holdMessage(listener, message);
  const release = async (afterMs: number): Promise<void> => {
    await queue.updateMessage(messageId, await endHold(), undefined, Math.round(afterMs / 1000), inTime());
  };
  const poison = async (reason: string): Promise<void> => {
    log('error', functionName, `Message ${messageId} ${reason}: moved to the poison queue.`);
    const popReceipt = await endHold();
    await poisonQueue.createIfNotExists(inTime());
    await poisonQueue.sendMessage(messageText, inTime());
    await queue.deleteMessage(messageId, popReceipt, inTime());
  };
  try {
    const bytes = Buffer.from(messageText, 'base64');
    if (stopped.aborted) return await release(0);
    if (bytes.toString('base64') !== messageText) return await poison('is not base64');
    if (dequeueCount > queues.maxDequeueCount) return await poison(`was dequeued ${dequeueCount} times`);
    const hasSucceeded = await run(triggerInput(message, bytes.toString('utf8'))).then(
      () => true,
      () => false,
    );
    if (hasSucceeded) await queue.deleteMessage(messageId, await endHold(), inTime());
    else if (dequeueCount < queues.maxDequeueCount) await release(queues.visibilityTimeout);
    else await poison(`failed ${dequeueCount} times`);
  } catch (error) {
    log('warning', functionName, `Message ${messageId} could not be settled: ${storageErrorText(error)}`);
  } finally {
    void endHold();
  }
}

/** Renews the message's hold at half time. @returns a function that ends this and answers the pop receipt that is valid then. */
function holdMessage(
  { queue, holdSeconds }: Listener,
  { messageId, popReceipt: first }: DequeuedMessageItem,
): () => Promise<string> {
  // Each renewal voids the earlier pop receipt, so whoever needs one waits for a renewal in progress.
  let popReceipt = Promise.resolve(first);
  const renewal = setInterval(() => {
    popReceipt = popReceipt.then(async (current) => {
      try {
        return (await queue.updateMessage(messageId, current, undefined, holdSeconds, inTime())).popReceipt ?? current;
      } catch {
        return current;
      }
    });
  }, holdSeconds * 500);
  return () => {
    clearInterval(renewal);
    return popReceipt;
  };
}

/** The text goes as `string`, as from the real host: the library itself parses JSON. */
function triggerInput(message: DequeuedMessageItem, text: string): TriggerInput {
  return {
    data: { string: text },
    metadata: {
      QueueTrigger: { string: text },
      Id: { string: message.messageId },
      DequeueCount: { json: JSON.stringify(message.dequeueCount) },
    },
  };
}

/** The SDK's own message holds the URL and the whole response; the code says enough. */
function storageErrorText(error: unknown): string {
  return error instanceof RestError ? `(${error.code ?? error.name})` : errorText(error);
}

/** No call to the storage may hang. */
function inTime(): { abortSignal: AbortSignal } {
  return { abortSignal: AbortSignal.timeout(10_000) };
}
