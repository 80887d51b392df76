// The composition root, and what the bundle is made of: settings → services → registrations.
import { app } from '@azure/functions';
import { readConfig } from '../shared/config';
import { buildServices, type Services } from '../shared/services';
import { withDeadline } from '../shared/clock';
import { reportPoison } from '../shared/outbox/operatorAlert';
import { purgeExpired } from '../shared/storage/purge';
import { outgoingMailQueueName } from '../shared/storage/storageClients';
import { registerApiCalls, registerHealth } from './apiCalls';
import { backgroundTask, emit, type ServicesSource } from './edge';
import { registerPages } from './pageCalls';

const settings = readConfig();
let services: Services | undefined;

const source = (): Promise<Services> => {
  if (!settings.ok) throw new Error('the settings are bad'); // only health is registered then, and it does not ask
  services ??= buildServices(settings.config, emit);
  return Promise.resolve(services);
};

registerHealth(settings, source);
if (settings.ok) {
  const { linksEndpoint, development } = settings.config;
  registerApiCalls(source, linksEndpoint);
  registerPages(source);
  registerBackground(source, development);
  app.hook.appTerminate(() => services?.outbox.stop());
} else {
  // No other trigger: messages wait in the queue instead of being poisoned.
  emit({ event: 'badSettings', level: 'error', problems: settings.problems });
}

/** Registers `sendMail`, `seedSite`, `reportPoisonMail` and `purgeExpired`. @param development seeds at start, too */
function registerBackground(source: ServicesSource, development: boolean): void {
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
