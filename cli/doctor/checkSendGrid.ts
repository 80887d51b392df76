// Does SendGrid accept the API key, may it send mail, and is the sender's domain authenticated there? Reads only; sends nothing.
import * as z from 'zod';
import { failureBeforeSending } from '../../shared/mail/backends/connectionErrors';
import type { SendGridSettings } from '../../shared/mail/emailBackend';
import { fail, ok, questionMs, warn, type CheckInput, type Finding } from './finding';

const check = 'sendgrid';
const scopesSchema = z.object({ scopes: z.array(z.string()) });
const domainsSchema = z.array(z.object({ domain: z.string(), valid: z.boolean() }));
const newKey =
  'Make a new API key in SendGrid (Settings > API Keys, only the permission "Mail Send") and set SENDGRID_API_KEY.';

/** @param domain the domain of the sender's address */
export async function checkSendGrid(
  { settings }: CheckInput,
  sendgrid: SendGridSettings,
  domain: string,
): Promise<Finding[]> {
  const scopes = await ask(sendgrid, 'v3/scopes');
  if (typeof scopes === 'string') {
    const cure = 'Is SENDGRID_API_URL right (the EU has its own), and may this computer reach it on port 443?';
    return [fail(check, `SendGrid cannot be reached (${scopes}).`, cure)];
  }
  if (scopes.status === 401 || scopes.status === 403)
    return [fail(check, `SendGrid refuses SENDGRID_API_KEY (${scopes.status}).`, newKey)];
  const granted = scopesSchema.safeParse(scopes.body);
  if (!granted.success) {
    const cure = 'Is SENDGRID_API_URL right? If it is not set, the global region is used.';
    return [fail(check, `SENDGRID_API_URL does not answer like SendGrid (${scopes.status}).`, cure)];
  }
  if (!granted.data.scopes.includes('mail.send')) return [fail(check, 'SENDGRID_API_KEY may not send mail.', newKey)];
  const findings = [
    ok(check, 'SendGrid accepts the API key, and it may send mail.'),
    await checkDomain(domain, sendgrid),
  ];
  if (settings.ok && settings.config.sendgridWebhookPublicKey === undefined) {
    const what =
      'SENDGRID_WEBHOOK_PUBLIC_KEY is not set: what happens to a mail after SendGrid accepted it is not recorded.';
    const cure =
      'Switch on the Signed Event Webhook (Mail Settings) for https://APP/api/webhooks/sendgrid and set its verification key.';
    findings.push(warn('webhook', what, cure));
  }
  return findings;
}

async function checkDomain(from: string, sendgrid: SendGridSettings): Promise<Finding> {
  const name = 'sender domain';
  const where = 'SendGrid: Settings > Sender Authentication';
  const answer = await ask(sendgrid, 'v3/whitelabel/domains?limit=200');
  const { data: domains } = domainsSchema.safeParse(typeof answer === 'string' ? undefined : answer.body);
  if (domains === undefined) {
    const what = `Whether ${from} is authenticated at SendGrid cannot be seen with this API key: it may only send, as it should be.`;
    return ok(name, what);
  }
  const isOwn = (domain: string): boolean => from === domain || from.endsWith(`.${domain}`);
  const own = domains.filter(({ domain }) => isOwn(domain.toLowerCase()));
  if (own.some(({ valid }) => valid)) return ok(name, `${from} is authenticated at SendGrid.`);
  if (own.length > 0) {
    const cure = `Add the records shown at ${where}, and press Verify.`;
    return fail(name, `SendGrid has not verified the DNS records of ${from}.`, cure);
  }
  return fail(
    name,
    `The sender's domain ${from} is not authenticated at SendGrid: mail is refused (403), or goes to spam.`,
    `Authenticate it (${where}), or send from one that is: npm run site -- set defaultFromEmail ADDRESS. (A verified single sender works too.)`,
  );
}

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
    return { status: response.status, body: await response.json().catch(() => undefined) };
  } catch (error) {
    return failureBeforeSending(error)?.reason ?? 'no answer';
  }
}
