// Is there an e-mail backend that sends, and are operators told if it does not? No mail is sent.
import { createTransport } from 'nodemailer';
import * as z from 'zod';
import { failureBeforeSending } from '../../shared/mail/backends/connectionErrors';
import { ehloName, judgeSmtpError, smtpOptions } from '../../shared/mail/backends/smtpBackend';
import type { SendGridSettings, SmtpSettings } from '../../shared/mail/emailBackend';
import { readRow } from './checkSite';
import { fail, ok, warn, type Check, type CheckInput, type Finding } from './finding';

/** How long one question to a mail provider may take, in ms. */
const questionMs = 10_000;

export const checkEmail: Check = async (input) => {
  const { settings, development } = input;
  if (!settings.ok) return [];
  const { email, admins } = settings.config;
  const domain = ehloName(await senderOf(input)).toLowerCase();
  const findings: Finding[] = [];
  for (const name of email.backends) {
    if (name === 'sendgrid' && email.sendgrid) findings.push(...(await checkSendGrid(input, email.sendgrid, domain)));
    if (name === 'smtp' && email.smtp) findings.push(...(await checkSmtp(email.smtp, domain)));
    if (name === 'console' || name === 'file') findings.push(notSending(name, development));
  }
  if (admins.length === 0 && !development) {
    const what = 'ADMINS is empty: no operator gets a mail about mail that is stuck.';
    findings.push(warn('alerts', what, 'Set ADMINS to the addresses of the operators.'));
  }
  return findings;
};

/** The sender of the site row, else of the settings. */
async function senderOf(input: CheckInput): Promise<string> {
  const row = await readRow(input).catch(() => undefined); // which another check reports
  const stored = row?.['defaultFromEmail'];
  if (typeof stored === 'string') return stored;
  return input.settings.ok ? input.settings.config.siteDefaults.defaultFromEmail : '';
}

function notSending(check: 'console' | 'file', development: boolean): Finding {
  const what = `Mail is ${check === 'file' ? 'written to EMAIL_FILE_PATH' : 'printed'} and not sent`;
  if (development) return ok(check, `${what}, as is usual in development.`);
  const cure = 'Set EMAIL_BACKEND=sendgrid or smtp, and remove ALLOW_DEV_EMAIL_BACKEND.';
  return fail(check, `${what}: ALLOW_DEV_EMAIL_BACKEND allows that.`, cure);
}

/** By the reason of the failure, the first that fits. */
const cures: readonly (readonly [RegExp, string])[] = [
  [
    /^(?:connection_\w+|unreachable|timeout)$/,
    'Is EMAIL_PORT right (587; 465 with EMAIL_USE_SSL), and open? Azure blocks 25.',
  ],
  [/^dns$/, 'There is no such host: is EMAIL_HOST right?'],
  [
    /^tls$/,
    'The server offers no STARTTLS, or its certificate is not trusted (NODE_EXTRA_CA_CERTS) or not for EMAIL_HOST.',
  ],
  [/^tls_set/, 'Port 465 speaks TLS from the first byte: set EMAIL_USE_SSL=true (or EMAIL_PORT=587 for STARTTLS).'],
  [/^smtp_(?:auth|53[0458])$/, 'Are EMAIL_HOST_USER (for SendGrid the word apikey) and EMAIL_HOST_PASSWORD right?'],
  [/./, 'Ask the operator of the server what this code means.'],
];

async function checkSmtp(settings: SmtpSettings, senderDomain: string): Promise<Finding[]> {
  const { security, user } = settings;
  const transport = createTransport({
    ...smtpOptions({ ...settings, timeoutMs: questionMs }),
    name: senderDomain,
    socketTimeout: questionMs,
  });
  try {
    await transport.verify();
    const how = security === 'none' ? 'without TLS' : 'over TLS';
    return [ok('smtp', `The SMTP server answers ${how}${user === undefined ? '' : ' and accepts the log-in'}.`)];
  } catch (error) {
    const judged = judgeSmtpError(error, settings, { bodyStarted: false, timedOut: false });
    const reason = judged.outcome === 'accepted' ? 'unknown' : judged.reason;
    const [, cure = ''] = cures.find(([reasons]) => reasons.test(reason)) ?? [];
    const report = reason.startsWith('smtp_4') ? warn : fail; // it may pass
    return [report('smtp', `The SMTP server cannot be used (${reason}).`, cure)];
  } finally {
    transport.close();
  }
}

const scopesSchema = z.object({ scopes: z.array(z.string()) });
const domainsSchema = z.array(z.object({ domain: z.string(), valid: z.boolean() }));
const newKey = 'Make a new API key in SendGrid (only the permission "Mail Send") and set SENDGRID_API_KEY.';

async function checkSendGrid({ settings }: CheckInput, sendgrid: SendGridSettings, domain: string): Promise<Finding[]> {
  const scopes = await ask(sendgrid, 'v3/scopes');
  if (typeof scopes === 'string') {
    const cure = 'Is SENDGRID_API_URL right (the EU has its own), and may this computer reach it on port 443?';
    return [fail('sendgrid', `SendGrid cannot be reached (${scopes}).`, cure)];
  }
  if (scopes.status === 401 || scopes.status === 403)
    return [fail('sendgrid', `SendGrid refuses SENDGRID_API_KEY (${scopes.status}).`, newKey)];
  const granted = scopesSchema.safeParse(scopes.body);
  if (!granted.success) {
    const cure = 'Is SENDGRID_API_URL right? If it is not set, the global region is used.';
    return [fail('sendgrid', `SENDGRID_API_URL does not answer like SendGrid (${scopes.status}).`, cure)];
  }
  if (!granted.data.scopes.includes('mail.send'))
    return [fail('sendgrid', 'SENDGRID_API_KEY may not send mail.', newKey)];
  const findings = [
    ok('sendgrid', 'SendGrid accepts the API key, and it may send mail.'),
    await checkDomain(domain, sendgrid),
  ];
  if (settings.ok && settings.config.sendgridWebhookPublicKey === undefined) {
    const what = 'SENDGRID_WEBHOOK_PUBLIC_KEY is not set: what happens to an accepted mail is not recorded.';
    const cure = 'Switch on the Signed Event Webhook: docs/operations.md, "SendGrid webhook".';
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
    return ok(name, `Whether ${from} is authenticated cannot be seen: the API key may only send, as it should be.`);
  }
  const isOwn = (domain: string): boolean => from === domain || from.endsWith(`.${domain}`);
  const own = domains.filter(({ domain }) => isOwn(domain.toLowerCase()));
  if (own.some(({ valid }) => valid)) return ok(name, `${from} is authenticated at SendGrid.`);
  if (own.length > 0) {
    const cure = `Add the records shown at ${where}, and press Verify.`;
    return fail(name, `SendGrid has not verified the DNS records of ${from}.`, cure);
  }
  const what = `The sender's domain ${from} is not authenticated at SendGrid: mail is refused (403), or goes to spam.`;
  return fail(name, what, `Authenticate it (${where}), or set defaultFromEmail to an address at one that is.`);
}

/** One GET. @returns the status and the body as JSON, or a code that says why there was no answer; never SendGrid's own text */
async function ask({ apiUrl, apiKey }: SendGridSettings, path: string) {
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
