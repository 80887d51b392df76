// The smtp backend against real SMTP servers on loopback: the contract, TLS, stalls and drops (SM1 to SM5), the pool.
import { spawn } from 'node:child_process';
import { createTransport } from 'nodemailer';
import { createSmtpBackend, judgeSmtpError } from '../../../../shared/mail/backends/smtpBackend';
import type { EmailBackend, SendResult, SmtpSettings } from '../../../../shared/mail/emailBackend';
import {
  type ScriptedSmtp,
  type ScriptedSmtpOptions,
  startScriptedSmtp,
  testCertificate,
} from '../../../fakes/scriptedSmtp';
import { describeEmailBackend, readMime } from '../emailBackend.contract';
import { longLink, sampleMail } from '../sampleMail';

const password = 'a password that must not leak';
const accepted: SendResult = { outcome: 'accepted', backend: 'smtp' };

let open: { server: ScriptedSmtp; backend: EmailBackend }[] = [];
afterEach(async () => {
  for (const { server, backend } of open) {
    await backend.close();
    await server.close();
  }
  open = [];
});

async function start(options: ScriptedSmtpOptions = {}, settings: Partial<SmtpSettings> = {}, ca?: string) {
  const server = await startScriptedSmtp(options);
  const { port } = server;
  const backend = createSmtpBackend({ host: '127.0.0.1', port, security: 'none', timeoutMs: 5_000, ...settings }, ca);
  const peer = { server, backend };
  open.push(peer);
  return peer;
}

const startTls = async (server: ScriptedSmtpOptions['tls'], settings: Partial<SmtpSettings> = {}, ca?: string) =>
  start(
    { ...(server ? { tls: server } : {}), auth: { user: 'apikey', password } },
    { security: 'starttls', user: 'apikey', password, ...settings },
    ca,
  );

describeEmailBackend('smtp', async () => {
  const { server, backend } = await start();
  return {
    backend,
    received: () => Promise.all(server.messages.map(({ raw, to }) => readMime(raw, to))),
    close: () => Promise.resolve(),
  };
});

describe('the message', () => {
  it('has Auto-Submitted, both parts, no line over 998 octets, and no X-SMTPAPI unless SendGrid reads it', async () => {
    const { server, backend } = await start();
    await backend.send(sampleMail({ link: `${longLink}${'x'.repeat(1_000)}/` }));
    const raw = server.messages[0]?.raw ?? '';
    const { headers, html } = await readMime(raw);
    expect(headers.get('auto-submitted')).toBe('auto-generated');
    expect(headers.get('content-language')).toBe('en');
    expect(headers.has('x-smtpapi')).toBe(false);
    expect(html).toContain('Reset your password');
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(78);
  });

  it('carries international domains in punycode, and names the sender’s domain in EHLO', async () => {
    const { server, backend } = await start({ badManners: 'dropAfterDot' });
    await backend.send(sampleMail({ to: 'joerg@bücher.example', site: { from: 'CodaLab <info@köln.example>' } }));
    for (const line of [
      'EHLO xn--kln-sna.example',
      'MAIL FROM:<info@xn--kln-sna.example>',
      'RCPT TO:<joerg@xn--bcher-kva.example>',
      'From: CodaLab <info@xn--kln-sna.example>',
      'To: joerg@xn--bcher-kva.example',
    ])
      expect(server.wire().split('\r\n')).toContain(line);
  });
});

describe('a reply', () => {
  const surelyNot = { outcome: 'transient', surelyNotAccepted: true } as const;

  it.each([
    ['[SM1]', { rcpt: ['450 4.2.0 greylisted'] }, { ...surelyNot, reason: 'smtp_450', retryAfterSeconds: 60 }],
    ['[SM2]', { data: ['552 5.3.4 too big'] }, { outcome: 'permanent', reason: 'smtp_552' }],
  ])('%s of %j: nothing was sent, and the next mail goes out once', async (_case, replies, expected) => {
    const { server, backend } = await start();
    server.script(replies);
    expect(await backend.send(sampleMail())).toEqual(expected);
    expect(server.messages).toEqual([]);
    expect(await backend.send(sampleMail())).toEqual(accepted);
    expect(server.messages).toHaveLength(1);
  });

  it('[SM1] instead of a greeting', async () => {
    const { backend } = await start({ badManners: { greeting: '421 4.3.2 try later' } });
    expect(await backend.send(sampleMail())).toEqual({ ...surelyNot, reason: 'smtp_421', retryAfterSeconds: 60 });
  });

  it('[SM2] to a log-in: accepted, or misconfigured without a word of it', async () => {
    for (const given of [password, 'wrong']) {
      const { backend } = await start({ auth: { user: 'apikey', password } }, { user: 'apikey', password: given });
      expect(await backend.send(sampleMail())).toEqual(
        given === password ? accepted : { ...surelyNot, reason: 'smtp_535', misconfigured: true },
      );
    }
  });
});

describe('[SM3] TLS', () => {
  const refused: SendResult = { outcome: 'transient', reason: 'tls', surelyNotAccepted: true, misconfigured: true };

  it.each(['starttls', 'implicit'] as const)('%s with a trusted certificate: sent, encrypted', async (security) => {
    const certificate = await testCertificate();
    const tls = { ...certificate, implicit: security === 'implicit' };
    const { server, backend } = await startTls(tls, { security }, certificate.cert);
    expect(await backend.send(sampleMail())).toEqual(accepted);
    expect(server.messages).toMatchObject([{ secure: true }]);
  });

  it('STARTTLS not offered: neither log-in, sender, recipient nor link crosses the wire', async () => {
    const { server, backend } = await start(
      { badManners: 'stallAtData' },
      { security: 'starttls', user: 'apikey', password, timeoutMs: 300 },
    );
    expect(await backend.send(sampleMail())).toEqual(refused);
    expect(server.wire()).toMatch(/^EHLO [^\r]*\r\nSTARTTLS\r\n/);
    expect(server.wire()).not.toMatch(/AUTH|MAIL|RCPT|http/);
  });

  it.each([
    ['self-signed', {}],
    ['expired', { expired: true, trusted: true }],
    ['for another name', { name: 'mail.example.org', trusted: true }],
  ])(
    'a certificate that is %s: nothing sent',
    async (_what, { trusted = false, ...how }: { trusted?: boolean; name?: string; expired?: boolean }) => {
      const certificate = await testCertificate(how);
      for (const security of ['starttls', 'implicit'] as const) {
        const tls = { ...certificate, implicit: security === 'implicit' };
        const { server, backend } = await startTls(tls, { security }, trusted ? certificate.cert : undefined);
        expect(await backend.send(sampleMail())).toEqual(refused);
        expect(server.messages).toEqual([]);
      }
    },
  );

  it('TLS 1.0 only: nothing sent', async () => {
    const certificate = await testCertificate();
    const tls = { ...certificate, only: 'TLSv1', implicit: true } as const;
    const { server, backend } = await startTls(tls, { security: 'implicit' }, certificate.cert);
    expect(await backend.send(sampleMail())).toEqual(refused);
    expect(server.messages).toEqual([]);
    // It is our backend that refuses: a client that takes anything is served.
    const anything = { minVersion: 'TLSv1', ciphers: 'DEFAULT:@SECLEVEL=0', rejectUnauthorized: false } as const;
    const permissive = createTransport({ host: '127.0.0.1', port: server.port, secure: true, tls: anything });
    await expect(permissive.verify()).resolves.toBe(true);
  });

  it('`none` stays plain even where STARTTLS is offered, as in Django', async () => {
    const { server, backend } = await start({ tls: await testCertificate() });
    expect(await backend.send(sampleMail())).toEqual(accepted);
    expect(server.messages).toMatchObject([{ secure: false }]);
  });
});

describe('a connection that goes wrong', () => {
  it.each<[string, ScriptedSmtpOptions, Partial<SmtpSettings>]>([
    ['connection_refused', {}, { port: 1 }],
    ['dns', {}, { host: 'mail.invalid' }],
    ['connection_lost', { badManners: 'dropBeforeGreeting' }, {}],
  ])('%s before anything was said: surely not accepted', async (reason, options, settings) => {
    const { backend } = await start(options, settings);
    expect(await backend.send(sampleMail())).toEqual({ outcome: 'transient', reason, surelyNotAccepted: true });
  });

  it('[SM4] dropped after the final dot: perhaps accepted, and not repeated by the pool', async () => {
    const { server, backend } = await start({ badManners: 'dropAfterDot' });
    expect(await backend.send(sampleMail())).toEqual({
      outcome: 'transient',
      reason: 'connection_lost',
      surelyNotAccepted: false,
    });
    expect(server.wire().match(/^DATA/gm)).toHaveLength(1);
    expect(server.connections()).toBe(1);
  });

  it.each([
    ['no greeting', 'noGreeting', true],
    ['an EHLO reply that never ends', 'trickleEhlo', true],
    ['a stall at DATA', 'stallAtData', true],
    ['a stall after the final dot', 'stallAfterDot', false],
  ] as const)('[SM5] %s ends at the deadline', async (_what, badManners, surelyNotAccepted) => {
    const { backend } = await start({ badManners }, { timeoutMs: 400 });
    const started = performance.now();
    const result = await backend.send(sampleMail());
    expect(performance.now() - started).toBeLessThan(2_000);
    expect(result).toEqual({ outcome: 'transient', reason: 'timeout', surelyNotAccepted });
  });
});

describe('the pool', () => {
  it('never opens more than three connections', async () => {
    const { server, backend } = await start();
    const ids = Array.from({ length: 30 }, (_, index) => `mail-${index}`);
    await Promise.all(ids.map((id) => backend.send(sampleMail({ id }))));
    expect(server.messages).toHaveLength(30);
    expect(server.connections()).toBeLessThanOrEqual(3);
  });

  it('uses its connection again, and sends the next mail when the server has closed it', async () => {
    const { server, backend } = await start();
    for (let count = 0; count < 10; count += 1) await backend.send(sampleMail());
    expect(server.connections()).toBe(1);
    await server.disconnectAll();
    expect(await backend.send(sampleMail())).toEqual(accepted);
    expect([server.messages.length, server.connections()]).toEqual([11, 2]);
  });

  it.each(['none', 'starttls'] as const)('lets the process end while a connection is idle (%s)', async (security) => {
    const certificate = await testCertificate();
    const { server } = await start({ tls: certificate });
    const script = `
      const { createSmtpBackend } = require('./shared/mail/backends/smtpBackend.ts');
      const settings = { host: '127.0.0.1', port: ${server.port}, security: '${security}', timeoutMs: 5000 };
      createSmtpBackend(settings, process.argv[1]).send(JSON.parse(process.argv[2])).then(
        (result) => process.stdout.write(result.outcome));`;
    const args = ['--require', 'tsx/cjs', '-e', script, '--', certificate.cert, JSON.stringify(sampleMail())];
    const child = spawn(process.execPath, args);
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const timer = setTimeout(() => child.kill(), 10_000);
    const code = await new Promise((resolve) => child.once('exit', resolve));
    clearTimeout(timer);
    expect({ printed, code }).toEqual({ printed: 'accepted', code: 0 });
  });
});

describe('an error of nodemailer, by reply code, enhanced status code and command', () => {
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
    ['DATA', '452 4.3.1 full', later('smtp_452')],
    ['MAIL FROM', '503 5.5.1 bad sequence', later('smtp_503')],
    ['AUTH PLAIN', '535 5.7.8 failed', misconfigured('smtp_535')],
    ['MAIL FROM', '530 5.7.0 STARTTLS first', misconfigured('smtp_530')],
    ['CONN', '554 5.7.1 go away', policy('smtp_554')],
    ['MAIL FROM', '550 no such sender', misconfigured('smtp_550')],
    ['RCPT TO', '554 5.7.1 <someuser@somewhere.com>: Relay access denied', policy('smtp_554')],
    ['RCPT TO', '553 5.7.1 Sender address rejected: not owned by user', policy('smtp_553')],
    ['RCPT TO', '550 5.1.8 Sender address rejected: Domain not found', policy('smtp_550')],
    ['DATA', '550-5.7.26 unauthenticated\n550 5.7.26 sender', policy('smtp_550')],
    ['RCPT TO', '550 5.1.1 User unknown', permanent('smtp_550')],
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
});
