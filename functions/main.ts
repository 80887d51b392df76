// The composition root, and what the bundle is made of: settings → services → registrations.
import { app } from '@azure/functions';
import { readConfig } from '../shared/config';
import { buildServices, type Services } from '../shared/services';
import { withDeadline } from '../shared/clock';
import { reportPoison } from '../shared/outbox/operatorAlert';
import { purgeExpired } from '../shared/storage/purge';
import { outgoingMailQueueName } from '../shared/storage/storage';
import { registerApiCalls, registerBadHealth, registerHealth } from './apiCalls';
import { backgroundTask, emit } from './edge';
import { registerPages } from './pageCalls';

const settings = readConfig();
if (settings.ok) {
  const services = buildServices(settings.config, emit);
  registerHealth(services);
  registerApiCalls(services);
  registerPages(services);
  registerBackground(services);
  app.hook.appTerminate(() => services.outbox.stop());
} else {
  // No other trigger: messages wait in the queue instead of being poisoned.
  emit({ event: 'badSettings', level: 'error', problems: settings.problems });
  registerBadHealth(settings.problems);
}

function registerBackground(services: Services): void {
  const { clock, outbox, settings, site, storage } = services;
  // One message, one mail. Never with `retry`: storage queues take their retries from host.json, and those are for crashes only.
  app.storageQueue('sendMail', {
    queueName: outgoingMailQueueName,
    connection: 'AzureWebJobsStorage',
    handler: backgroundTask('sendMail', outbox.handle),
  });
  // Makes the tables and queues that are missing and writes what is missing of the site row, as CodaLab's initialize.py did.
  app.timer('seedSite', {
    schedule: '0 0 * * * *',
    runOnStartup: settings.development,
    handler: backgroundTask('seedSite', () =>
      withDeadline(30_000, async () => {
        await storage.createMissing();
        emit({ event: 'seedSite', columns: await site.seed() });
      }),
    ),
  });
  // A timer and not a queue trigger: it must not consume what is in the poison queue.
  app.timer('reportPoisonMail', {
    schedule: '0 * * * * *',
    handler: backgroundTask('reportPoisonMail', () => withDeadline(50_000, () => reportPoison(services))),
  });
  app.timer('purgeExpired', {
    schedule: '0 30 * * * *',
    handler: backgroundTask('purgeExpired', () =>
      withDeadline(90_000, async () => {
        emit({ event: 'purgeExpired', ...(await purgeExpired((name) => storage.table(name), clock())) });
      }),
    ),
  });
}
