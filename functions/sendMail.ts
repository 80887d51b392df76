// The queue `outgoing-mail`: one message, one mail. Retries are our own (put back with a delay); host.json's are for crashes.
import { app } from '@azure/functions';
import { sendMail } from '../shared/sendMail';
import { outgoingMailQueueName } from '../shared/storage/outgoingMailStorageQueue';
import { backgroundTask, type ServicesSource } from './invocation';

/** Registers `sendMail`. Never with `retry`: storage queues take retries from host.json only. */
export function registerSendMail(source: ServicesSource): void {
  app.storageQueue('sendMail', {
    queueName: outgoingMailQueueName,
    connection: 'AzureWebJobsStorage',
    handler: backgroundTask<unknown>('sendMail', source, sendMail),
  });
}
