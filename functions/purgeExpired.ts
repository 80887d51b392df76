// Timer, hourly: deletes rows that have served their time.
import { app } from '@azure/functions';
import { purgeExpired } from '../shared/storage/purge';
import { backgroundTask, emit, type ServicesSource } from './invocation';

const purgeMs = 90_000;

/** Registers `purgeExpired`. */
export function registerPurgeExpired(source: ServicesSource): void {
  app.timer('purgeExpired', {
    schedule: '0 30 * * * *',
    handler: backgroundTask<unknown>('purgeExpired', source, async ({ storage, clock }) => {
      const deleted = await purgeExpired((name) => storage.table(name), clock(), AbortSignal.timeout(purgeMs));
      emit({ event: 'purgeExpired', ...deleted });
    }),
  });
}
