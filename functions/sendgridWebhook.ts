// POST api/webhooks/sendgrid: SendGrid tells what became of our mails. Signed; state only moves forward, so a replay changes nothing.
import { app } from '@azure/functions';
import { problemAnswer, jsonAnswer } from '../shared/http/answer';
import { isGenuine, readReports } from '../shared/mail/sendgridEvents';
import { emit, httpEndpoint, type Endpoint, type ServicesSource } from './invocation';

const maxBytes = 1024 * 1024;
const header = 'x-twilio-email-event-webhook-';

const answerWebhook: Endpoint = async (services, request, signal) => {
  if (Number(request.headers.get('content-length')) > maxBytes) return problemAnswer('request_too_large');
  const body = Buffer.from(await request.arrayBuffer());
  if (body.length > maxBytes) return problemAnswer('request_too_large');
  const signature = request.headers.get(`${header}signature`);
  const timestamp = request.headers.get(`${header}timestamp`);
  if (!isGenuine(services.settings.sendgridWebhookPublicKey, body, signature, timestamp, services.clock())) {
    emit({ event: 'webhookRefused', level: 'warn' });
    return problemAnswer('forbidden');
  }
  const counts = { noted: 0, stale: 0, unknown: 0 };
  for (const { subs, mailId, ...report } of readReports(body)) {
    let noted: 'noted' | 'stale' | 'unknown' = 'unknown';
    for (const sub of subs) {
      if (noted === 'unknown') noted = await services.deliveries.noteProvider(sub, mailId, report, signal); // storage down: 503, SendGrid retries
    }
    counts[noted] += 1;
    const bad = report.state !== 'deferred' && report.state !== 'delivered';
    if (noted === 'noted') emit({ event: 'mailReported', level: bad ? 'error' : 'info', mailId, state: report.state });
  }
  return jsonAnswer(200, counts);
};

/** Registers `sendgridWebhook`. Anonymous for the host: the signature is what counts. */
export function registerSendgridWebhook(source: ServicesSource): void {
  app.http('sendgridWebhook', {
    route: 'api/webhooks/sendgrid',
    methods: ['POST'],
    authLevel: 'anonymous',
    handler: httpEndpoint('sendgridWebhook', source, answerWebhook),
  });
}
