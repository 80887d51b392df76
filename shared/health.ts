// Is the app able to do its work? Asks each part once, in parallel, and keeps the answer for ten seconds.
import { withDeadline } from './clock';
import { errorFields } from './events';
import type { SiteSource } from './site';
import { outgoingMailQueueName, storageCall, type StorageClients } from './storage/storage';

/** `ok`, or a short reason without any value. */
export type Health = Readonly<Record<'tables' | 'queue' | 'site', string>>;

const cacheMs = 10_000;
const partMs = 3000;

/** Reads what the story reads: the site row and the queue's properties. */
export function createHealthCheck(storage: StorageClients, site: SiteSource, siteId: string): () => Promise<Health> {
  let last: { readonly health: Promise<Health>; readonly until: number } | undefined;
  return () => {
    const now = performance.now();
    if (last === undefined || now >= last.until) {
      last = { health: withDeadline(partMs, () => check(storage, site, siteId)), until: now + cacheMs };
    }
    return last.health;
  };
}

export const isHealthy = (health: Health): boolean => Object.values(health).every((part) => part === 'ok');

async function check(storage: StorageClients, site: SiteSource, siteId: string): Promise<Health> {
  const part = async (ask: () => Promise<unknown>): Promise<string> => {
    try {
      await ask();
      return 'ok';
    } catch (error) {
      const { errorName, errorCode } = errorFields(error);
      return errorCode ?? errorName;
    }
  };
  const [tables, queue, siteRow] = await Promise.all([
    part(() => storage.table('SiteSettings').get('site', siteId)),
    part(() =>
      storageCall('queue', async (abortSignal) =>
        (await storage.queue(outgoingMailQueueName)).getProperties({ abortSignal }),
      ),
    ),
    part(() => site.current()),
  ]);
  return { tables, queue, site: siteRow };
}
