// What `site doctor` asks of storage beyond the app's own calls: it looks and makes nothing, not even what is missing.
import { RestError, type QueueClient } from '@azure/storage-queue';
import type { StorageUnavailable } from '../errors';
import { unavailable, type TableStore } from './tableStore';

/**
 * Is the table there, and may we write to it? Asks for the removal of a row that never exists: the one call that needs the right
 * to write, changes nothing and does not make the table.
 * @returns `missing` when there is no such table
 * @throws StorageUnavailable
 */
export async function probeTable(table: TableStore, signal: AbortSignal): Promise<'there' | 'missing'> {
  try {
    await table.remove('doctor', 'doctor', 'W/"nothing"', signal);
    return 'there';
  } catch (error) {
    const failure = unavailable('tables', error);
    if (failure.code === 'TableNotFound') return 'missing';
    throw failure;
  }
}

export interface QueueState {
  readonly outcome: 'there' | 'missing' | 'failed';
  /** Messages, about, also those that wait invisibly. */
  readonly count: number;
  /** When the first message that can be seen was put in. */
  readonly oldest?: Date;
  /** The service's clock, from the `Date` of its answer: also a refusal has one. */
  readonly serverTime?: Date;
  readonly failure?: StorageUnavailable;
}

/** The state of a queue; peeks, never receives. Never throws. */
export async function probeQueue(queue: QueueClient, signal: AbortSignal): Promise<QueueState> {
  try {
    const { approximateMessagesCount: count = 0, date } = await queue.getProperties({ abortSignal: signal });
    const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 1, abortSignal: signal });
    const oldest = peekedMessageItems[0]?.insertedOn;
    return { outcome: 'there', count, ...(oldest && { oldest }), ...(date && { serverTime: date }) };
  } catch (error) {
    const failure = unavailable('queue', error);
    const date = error instanceof RestError ? error.response?.headers.get('date') : undefined;
    const outcome = failure.code === 'QueueNotFound' ? 'missing' : 'failed';
    return { outcome, count: 0, failure, ...(date !== undefined && { serverTime: new Date(date) }) };
  }
}
