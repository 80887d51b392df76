// Does the SMTP server answer, with TLS as we demand it, and does it take our log-in? Ends before any mail.
import { createTransport } from 'nodemailer';
import type { SmtpSettings } from '../../shared/mail/emailBackend';
import { smtpOptions } from '../../shared/mail/backends/smtpBackend';
import { judgeSmtpError } from '../../shared/mail/backends/smtpErrors';
import { fail, ok, questionMs, warn, type Finding } from './finding';

const check = 'smtp';

const port =
  'Are EMAIL_HOST and EMAIL_PORT right (587 for STARTTLS, 465 with EMAIL_USE_SSL), and is the port open from here? Azure closes 25 for ever.';
const logIn =
  'Are EMAIL_HOST_USER and EMAIL_HOST_PASSWORD right? For SendGrid the user is the word apikey and the password an API key.';
const tls =
  'The server offers no STARTTLS, or its certificate is not trusted or is for another name. EMAIL_HOST must be the name in the certificate; NODE_EXTRA_CA_CERTS adds an authority.';
const cures: Readonly<Record<string, string>> = {
  connection_refused: port,
  unreachable: port,
  timeout: port,
  connection_lost: port,
  dns: 'There is no such host: is EMAIL_HOST right?',
  tls,
  tls_set_email_use_ssl:
    'Port 465 speaks TLS from the first byte: set EMAIL_USE_SSL=true (or EMAIL_PORT=587 for STARTTLS).',
  smtp_auth: logIn,
  smtp_535: logIn,
  smtp_530: logIn,
  smtp_534: logIn,
  smtp_538: logIn,
};

/** @param domain the name for EHLO */
export async function checkSmtp(settings: SmtpSettings, domain: string): Promise<Finding[]> {
  const { security, user } = settings;
  const transport = createTransport({
    ...smtpOptions({ ...settings, timeoutMs: questionMs }),
    name: domain,
    socketTimeout: questionMs,
  });
  try {
    await transport.verify();
    const how = security === 'none' ? 'without TLS' : 'over TLS';
    return [ok(check, `The SMTP server answers ${how}${user === undefined ? '' : ' and takes the log-in'}.`)];
  } catch (error) {
    const judged = judgeSmtpError(error, settings, { bodyStarted: false, timedOut: false });
    const reason = judged.outcome === 'accepted' ? 'unknown' : judged.reason;
    const cure = cures[reason] ?? 'Ask whoever runs the server what this code means.';
    const temporary = /^smtp_4/.test(reason);
    return [(temporary ? warn : fail)(check, `The SMTP server cannot be used (${reason}).`, cure)];
  } finally {
    transport.close();
  }
}
