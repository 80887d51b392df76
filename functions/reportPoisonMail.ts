// Timer, each minute: tells the operators of poisoned and failed mail. A timer, not a queue trigger: it must consume nothing.
import { app } from '@azure/functions';
import { reportPoison } from '../shared/reportPoison';
import { backgroundTask, type ServicesSource } from './invocation';

const reportMs = 50_000;

/** Registers `reportPoisonMail`. */
export function registerReportPoisonMail(source: ServicesSource): void {
  app.timer('reportPoisonMail', {
    schedule: '0 * * * * *',
    handler: backgroundTask<unknown>('reportPoisonMail', source, (services) =>
      reportPoison(services, AbortSignal.timeout(reportMs)),
    ),
  });
}
