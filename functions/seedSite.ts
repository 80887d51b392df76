// Timer, hourly: writes what is missing of the site row from the settings (the heir of CodaLab's initialize.py). Never changes
// what an operator wrote.
import { app } from '@azure/functions';
import { backgroundTask, emit, type ServicesSource } from './invocation';

const seedMs = 30_000;

/** Registers `seedSite`. @param development at start too, so that a new clone has its row at once */
export function registerSeedSite(source: ServicesSource, development: boolean): void {
  app.timer('seedSite', {
    schedule: '0 0 * * * *',
    runOnStartup: development,
    handler: backgroundTask<unknown>('seedSite', source, async ({ site }) => {
      const columns = await site.seed(AbortSignal.timeout(seedMs));
      emit({ event: 'seedSite', columns });
    }),
  });
}
