// What a nodemailer error means, by reply code, enhanced status code and command (SM1 to SM5).
import { judgeSmtpError } from '../../../../shared/mail/backends/smtpBackend';
import type { SmtpSettings } from '../../../../shared/mail/emailBackend';

const judge = (
  error: object,
  {
    bodyStarted = false,
    timedOut = false,
    ...settings
  }: Partial<SmtpSettings & Record<'bodyStarted' | 'timedOut', boolean>> = {},
) => judgeSmtpError(error, { port: 587, security: 'starttls', ...settings }, { bodyStarted, timedOut });
const replied = (command: string, response: string) => ({
  command,
  response,
  responseCode: Number(response.slice(0, 3)),
});

const transient = (reason: string) => ({ outcome: 'transient', reason, surelyNotAccepted: true });
const later = (reason: string) => ({ ...transient(reason), retryAfterSeconds: 60 });
const misconfigured = (reason: string) => ({ ...transient(reason), misconfigured: true });
/** Of the 5.7.x kind: a recipient's own policy looks the same, so the attempts are bounded. */
const policy = (reason: string) => ({ ...misconfigured(reason), maxAttempts: 12 });
const permanent = (reason: string) => ({ outcome: 'permanent', reason });

it.each([
  ['CONN', '421 4.3.2 try later', later('smtp_421')],
  ['RCPT TO', '450 4.2.0 greylisted', later('smtp_450')],
  ['RCPT TO', '451 4.7.1 greylisted', later('smtp_451')],
  ['DATA', '452 4.3.1 full', later('smtp_452')],
  ['MAIL FROM', '503 5.5.1 bad sequence', later('smtp_503')],
  ['AUTH PLAIN', '535 5.7.8 failed', misconfigured('smtp_535')],
  ['AUTH PLAIN', '534 5.7.9 too weak', misconfigured('smtp_534')],
  ['MAIL FROM', '530 5.7.0 STARTTLS first', misconfigured('smtp_530')],
  ['CONN', '554 5.7.1 go away', policy('smtp_554')],
  ['MAIL FROM', '550 no such sender', misconfigured('smtp_550')],
  ['RCPT TO', '554 5.7.1 <someuser@somewhere.com>: Relay access denied', policy('smtp_554')],
  ['RCPT TO', '553 5.7.1 Sender address rejected: not owned by user', policy('smtp_553')],
  ['RCPT TO', '550 5.1.8 Sender address rejected: Domain not found', policy('smtp_550')],
  ['DATA', '550-5.7.26 unauthenticated\n550 5.7.26 sender', policy('smtp_550')],
  ['RCPT TO', '550 5.1.1 User unknown', permanent('smtp_550')],
  ['RCPT TO', '550 no such user', permanent('smtp_550')],
  ['RCPT TO', '553 5.1.3 bad address syntax', permanent('smtp_553')],
  ['DATA', '554 5.6.0 bad content', permanent('smtp_554')],
  ['MAIL FROM', '552 5.3.4 too big', permanent('smtp_552')],
  ['MAIL FROM', '553 5.6.7 Address requires SMTPUTF8', permanent('non_ascii_local_part')],
])('at %s, %j', (command, response, expected) => {
  expect(judge(replied(command, response))).toEqual(expected);
});

it('silence on port 465 without EMAIL_USE_SSL says what to set', () => {
  const greeting = { code: 'ETIMEDOUT', timeoutType: 'GREETING_TIMEOUT' };
  for (const [error, timedOut] of [
    [greeting, false],
    [{ name: 'AbortError' }, true],
    [{ code: 'ECONNRESET' }, false],
  ] as const)
    expect(judge(error, { port: 465, timedOut })).toEqual(misconfigured('tls_set_email_use_ssl'));
  expect(judge(greeting)).toEqual(transient('timeout'));
  expect(judge(greeting, { port: 465, security: 'implicit' })).toEqual(transient('timeout'));
});
