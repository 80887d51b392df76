// Is there an e-mail backend that sends, and are operators told if it does not? The check of SMTP ends before any mail.
import { existsSync } from 'node:fs';
import { createTransport } from 'nodemailer';
import { ehloName, judgeSmtpError, smtpOptions } from '../../shared/mail/backends/smtpBackend';
import type { SmtpSettings } from '../../shared/mail/emailBackend';
import { checkSendGrid } from './checkSendGrid';
import { readRow } from './checkSite';
import { fail, ok, questionMs, warn, type Check, type CheckInput, type Finding } from './finding';

export const checkEmail: Check = async (input) => {
  const { settings, development } = input;
  if (!settings.ok) return [];
  const { email, admins } = settings.config;
  const domain = ehloName(await senderOf(input)).toLowerCase();
  const findings: Finding[] = [];
  for (const name of email.backends) {
    switch (name) {
      case 'sendgrid':
        if (email.sendgrid) findings.push(...(await checkSendGrid(input, email.sendgrid, domain)));
        break;
      case 'smtp':
        if (email.smtp) findings.push(...(await checkSmtp(email.smtp, domain)));
        break;
      case 'console':
        findings.push(notSending('console', 'Mail is printed and not sent', development));
        break;
      case 'file':
        findings.push(notSending('file', 'Mail is written to EMAIL_FILE_PATH and not sent', development));
        if (!existsSync(email.filePath ?? '')) {
          findings.push(
            warn(
              'file',
              'The directory EMAIL_FILE_PATH does not exist.',
              'It is made with the first mail; is the name right?',
            ),
          );
        }
        break;
    }
  }
  if (admins.length === 0 && !development) {
    findings.push(
      warn(
        'alerts',
        'ADMINS is empty: no operator gets a mail about mail that is stuck.',
        'Set ADMINS to the addresses of the operators.',
      ),
    );
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

const notSending = (check: string, what: string, development: boolean): Finding =>
  development
    ? ok(check, `${what}, as is usual in development.`)
    : fail(
        check,
        `${what}: ALLOW_DEV_EMAIL_BACKEND allows that.`,
        'Set EMAIL_BACKEND=sendgrid or smtp, and remove ALLOW_DEV_EMAIL_BACKEND.',
      );

const port =
  'Are EMAIL_HOST and EMAIL_PORT right (587 for STARTTLS, 465 with EMAIL_USE_SSL), and is the port open from here? Azure blocks port 25.';
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
async function checkSmtp(settings: SmtpSettings, domain: string): Promise<Finding[]> {
  const { security, user } = settings;
  const transport = createTransport({
    ...smtpOptions({ ...settings, timeoutMs: questionMs }),
    name: domain,
    socketTimeout: questionMs,
  });
  try {
    await transport.verify();
    const how = security === 'none' ? 'without TLS' : 'over TLS';
    return [ok('smtp', `The SMTP server answers ${how}${user === undefined ? '' : ' and accepts the log-in'}.`)];
  } catch (error) {
    const judged = judgeSmtpError(error, settings, { bodyStarted: false, timedOut: false });
    const reason = judged.outcome === 'accepted' ? 'unknown' : judged.reason;
    const cure = cures[reason] ?? 'Ask the operator of the server what this code means.';
    const temporary = /^smtp_4/.test(reason);
    return [(temporary ? warn : fail)('smtp', `The SMTP server cannot be used (${reason}).`, cure)];
  } finally {
    transport.close();
  }
}
