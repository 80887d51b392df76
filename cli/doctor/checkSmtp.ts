// Does the SMTP server answer, with TLS as we demand it, and does it take our log-in? Ends before any mail.
import { createTransport } from 'nodemailer';
import type { EmailSettings } from '../../shared/mail/emailBackend';
import { judgeSmtpError } from '../../shared/mail/smtpErrors';
import { fail, ok, questionMs, warn, type Finding } from './finding';

const check = 'smtp';
type SmtpSettings = NonNullable<EmailSettings['smtp']>;

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
  smtp_auth: logIn,
  smtp_535: logIn,
  smtp_530: logIn,
  smtp_534: logIn,
  smtp_538: logIn,
};

export async function checkSmtp({
  host,
  port: portNumber,
  security,
  user,
  password,
}: SmtpSettings): Promise<Finding[]> {
  const transport = createTransport({
    host,
    port: portNumber,
    secure: security === 'implicit',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { minVersion: 'TLSv1.2', rejectUnauthorized: true },
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
    connectionTimeout: questionMs,
    greetingTimeout: questionMs,
    socketTimeout: questionMs,
  });
  try {
    await transport.verify();
    const how = security === 'none' ? 'without TLS' : 'over TLS';
    return [ok(check, `The SMTP server answers ${how}${user === undefined ? '' : ' and takes the log-in'}.`)];
  } catch (error) {
    const judged = judgeSmtpError(error, false, false);
    const reason = judged.outcome === 'accepted' ? 'unknown' : judged.reason;
    const cure = cures[reason] ?? 'Ask whoever runs the server what this code means.';
    const temporary = /^smtp_4/.test(reason);
    return [(temporary ? warn : fail)(check, `The SMTP server cannot be used (${reason}).`, cure)];
  } finally {
    transport.close();
  }
}
