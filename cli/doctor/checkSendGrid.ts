// Does SendGrid accept the API key, may it send mail, and is the sender's domain authenticated there? Reads only; sends nothing.
import * as z from 'zod';
import { failureBeforeSending } from '../../shared/mail/backends/connectionErrors';
import type { SendGridSettings } from '../../shared/mail/emailBackend';
import { fail, ok, questionMs, warn, type Finding, type CheckInput } from './finding';

const check = 'sendgrid';
const scopesSchema = z.object({ scopes: z.array(z.string()) });
const domainsSchema = z.array(z.object({ domain: z.string(), valid: z.boolean() }));
const newKey =
  'Make a new API key in SendGrid (Settings > API Keys, only the permission "Mail Send") and set SENDGRID_API_KEY.';

/** @param domain the domain of the sender's address */
export async function checkSendGrid(input: CheckInput, settings: SendGridSettings, domain: string): Promise<Finding[]> {
  const scopes = await ask(settings, 'v3/scopes');
  if (typeof scopes === 'string') {
    const cure = 'Is SENDGRID_API_URL right (the EU has its own), and may this computer reach it on port 443?';
    return [fail(check, `SendGrid cannot be reached (${scopes}).`, cure)];
  }
  if (scopes.status === 401 || scopes.status === 403)
    return [fail(check, `SendGrid refuses SENDGRID_API_KEY (${scopes.status}).`, newKey)];
  const granted = scopesSchema.safeParse(scopes.body);
  if (!granted.success) {
    return [
      fail(
        check,
        `SENDGRID_API_URL does not answer like SendGrid (${scopes.status}).`,
        'Is SENDGRID_API_URL right? If it is not set, the global region is used.',
      ),
    ];
  }
  if (!granted.data.scopes.includes('mail.send')) return [fail(check, 'SENDGRID_API_KEY may not send mail.', newKey)];
  return [
    ok(check, 'SendGrid accepts the API key, and it may send mail.'),
    ...(await checkDomain(domain, settings)),
    ...checkWebhook(input),
  ];
}

async function checkDomain(from: string, settings: SendGridSettings): Promise<Finding[]> {
  const answer = await ask(settings, 'v3/whitelabel/domains?limit=200');
  const listed = typeof answer === 'string' ? undefined : domainsSchema.safeParse(answer.body);
  if (listed?.success !== true) {
    return [
      ok(
        'sender domain',
        `Whether ${from} is authenticated at SendGrid cannot be seen with this API key: it may only send, which is as it should be.`,
      ),
    ];
  }
  const own = listed.data.filter(
    ({ domain }) => from === domain.toLowerCase() || from.endsWith(`.${domain.toLowerCase()}`),
  );
  if (own.some(({ valid }) => valid)) return [ok('sender domain', `${from} is authenticated at SendGrid.`)];
  const where = 'SendGrid: Settings > Sender Authentication';
  if (own.length > 0) {
    return [
      fail(
        'sender domain',
        `SendGrid has not verified the DNS records of ${from}.`,
        `Add the records shown at ${where}, and press Verify.`,
      ),
    ];
  }
  return [
    fail(
      'sender domain',
      `The sender's domain ${from} is not authenticated at SendGrid: mail is refused (403), or goes to spam.`,
      `Authenticate it (${where}), or send from one that is: npm run site -- set defaultFromEmail ADDRESS. (A verified single sender works too.)`,
    ),
  ];
}

const checkWebhook = ({ settings }: CheckInput): Finding[] =>
  !settings.ok || settings.config.sendgridWebhookPublicKey !== undefined
    ? []
    : [
        warn(
          'webhook',
          'SENDGRID_WEBHOOK_PUBLIC_KEY is not set: what happens to a mail after SendGrid accepted it is not recorded.',
          'Switch on the Signed Event Webhook (Mail Settings) for https://APP/api/webhooks/sendgrid and set its verification key.',
        ),
      ];

/** One GET. @returns the status and the body as JSON, or a code that says why there was no answer; never SendGrid's own text */
async function ask(
  { apiUrl, apiKey }: SendGridSettings,
  path: string,
): Promise<{ readonly status: number; readonly body: unknown } | string> {
  try {
    const response = await fetch(new URL(path, apiUrl.endsWith('/') ? apiUrl : `${apiUrl}/`), {
      headers: { Authorization: `Bearer ${apiKey}` },
      redirect: 'manual', // a redirect would carry the API key elsewhere
      signal: AbortSignal.timeout(questionMs),
    });
    const text = await response.text();
    return { status: response.status, body: parseJson(text) };
  } catch (error) {
    return failureBeforeSending(error)?.reason ?? 'no answer';
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
