// Is there an e-mail backend that sends, and is somebody told when it does not? The backends' own checks are in files of their own.
import { existsSync } from 'node:fs';
import { ehloName } from '../../shared/mail/backends/smtpBackend';
import { checkSendGrid } from './checkSendGrid';
import { readRow } from './checkSite';
import { checkSmtp } from './checkSmtp';
import { fail, ok, warn, type Check, type Finding, type Patient } from './finding';

export const checkEmail: Check = async (patient) => {
  const { settings, development } = patient;
  if (!settings.ok) return [];
  const { email, admins } = settings.config;
  const domain = ehloName(await senderOf(patient)).toLowerCase();
  const findings: Finding[] = [];
  for (const name of email.backends) {
    switch (name) {
      case 'sendgrid':
        if (email.sendgrid) findings.push(...(await checkSendGrid(patient, email.sendgrid, domain)));
        break;
      case 'smtp':
        if (email.smtp) findings.push(...(await checkSmtp(email.smtp, domain)));
        break;
      case 'console':
        findings.push(pretending('console', 'Mail is printed and not sent', development));
        break;
      case 'file':
        findings.push(pretending('file', 'Mail is written to EMAIL_FILE_PATH and not sent', development));
        if (!existsSync(email.filePath ?? '')) {
          findings.push(
            warn(
              'file',
              'The folder EMAIL_FILE_PATH does not exist yet.',
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
        'ADMINS is empty: nobody is told by mail of mail that is stuck.',
        'Set ADMINS to the addresses of the operators.',
      ),
    );
  }
  return findings;
};

/** The row's sender, which counts, else the settings'. */
async function senderOf(patient: Patient): Promise<string> {
  const row = await readRow(patient).catch(() => undefined); // another check reports it
  const stored = row?.['defaultFromEmail'];
  if (typeof stored === 'string') return stored;
  return patient.settings.ok ? patient.settings.config.siteDefaults.defaultFromEmail : '';
}

const pretending = (check: string, what: string, development: boolean): Finding =>
  development
    ? ok(check, `${what}, as is usual in development.`)
    : fail(
        check,
        `${what}: ALLOW_DEV_EMAIL_BACKEND lets that pass.`,
        'Set EMAIL_BACKEND=sendgrid or smtp, and remove ALLOW_DEV_EMAIL_BACKEND.',
      );
