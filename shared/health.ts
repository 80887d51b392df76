// Is the app able to do its work? Asks each part once, in parallel, and keeps the answer for ten seconds.
import { errorFields } from './events';
import type { Services } from './services';
import { outgoingMailQueueName } from './storage/outgoingMailStorageQueue';

/** `ok`, or a short reason without any value. */
export type Health = Readonly<Record<'tables' | 'queue' | 'site', string>>;

const cacheMs = 10_000;
const partMs = 3000;

/** Makes the check. It reads what the story reads: the site row and the queue's properties. */
export function createHealthCheck(): (services: Services) => Promise<Health> {
  let last: { readonly health: Promise<Health>; readonly until: number } | undefined;
  return (services) => {
    const now = performance.now();
    if (last === undefined || now >= last.until) last = { health: check(services), until: now + cacheMs };
    return last.health;
  };
}

export const isHealthy = (health: Health): boolean => Object.values(health).every((part) => part === 'ok');

async function check({ storage, settings, site }: Services): Promise<Health> {
  const signal = AbortSignal.timeout(partMs);
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
    part(() => storage.table('SiteSettings').get('site', settings.siteId, signal)),
    part(() => storage.queue(outgoingMailQueueName).createIfNotExists({ abortSignal: signal })),
    part(() => site.current(signal)),
  ]);
  return { tables, queue, site: siteRow };
}
