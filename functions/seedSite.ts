// Timer, hourly: makes the tables and queues that are missing, and writes what is missing of the site row from the settings (the
// heir of CodaLab's initialize.py). Never changes what an operator wrote.
import { app } from '@azure/functions';
import { backgroundTask, emit, type ServicesSource } from './invocation';

const seedMs = 30_000;

/** Registers `seedSite`. @param development at start too, so that a new clone has its row at once */
export function registerSeedSite(source: ServicesSource, development: boolean): void {
  app.timer('seedSite', {
    schedule: '0 0 * * * *',
    runOnStartup: development,
    handler: backgroundTask<unknown>('seedSite', source, async ({ site, storage }) => {
      const signal = AbortSignal.timeout(seedMs);
      await storage.createMissing(signal);
      const columns = await site.seed(signal);
      emit({ event: 'seedSite', columns });
    }),
  });
}
