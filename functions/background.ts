// The queue and timer functions.
import { app } from '@azure/functions';
import { withDeadline } from '../shared/deadline';
import { reportPoison } from '../shared/outbox/operatorAlert';
import { purgeExpired } from '../shared/storage/purge';
import { outgoingMailQueueName } from '../shared/storage/storageClients';
import { backgroundTask, emit, type ServicesSource } from './edge';

/** Registers `sendMail`, `seedSite`, `reportPoisonMail` and `purgeExpired`. @param development seeds at start, too */
export function registerBackground(source: ServicesSource, development: boolean): void {
  // One message, one mail. Never with `retry`: storage queues take their retries from host.json, and those are for crashes only.
  app.storageQueue('sendMail', {
    queueName: outgoingMailQueueName,
    connection: 'AzureWebJobsStorage',
    handler: backgroundTask<unknown>('sendMail', source, ({ outbox }, message) => outbox.handle(message)),
  });
  // Makes the tables and queues that are missing, and writes what is missing of the site row (the heir of CodaLab's initialize.py).
  app.timer('seedSite', {
    schedule: '0 0 * * * *',
    runOnStartup: development,
    handler: backgroundTask<unknown>('seedSite', source, ({ site, storage }) =>
      withDeadline(30_000, async () => {
        await storage.createMissing();
        emit({ event: 'seedSite', columns: await site.seed() });
      }),
    ),
  });
  // A timer and not a queue trigger: it must not consume what is in the poison queue.
  app.timer('reportPoisonMail', {
    schedule: '0 * * * * *',
    handler: backgroundTask<unknown>('reportPoisonMail', source, (services) =>
      withDeadline(50_000, () => reportPoison(services)),
    ),
  });
  app.timer('purgeExpired', {
    schedule: '0 30 * * * *',
    handler: backgroundTask<unknown>('purgeExpired', source, ({ storage, clock }) =>
      withDeadline(90_000, async () => {
        emit({ event: 'purgeExpired', ...(await purgeExpired((name) => storage.table(name), clock())) });
      }),
    ),
  });
}
