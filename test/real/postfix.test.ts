// The smtp backend against a real Postfix: the contract, log-in, TLS and the refusals whose codes a fake would only repeat.
import { createSmtpBackend } from '../../shared/mail/backends/smtpBackend';
import type { SmtpSettings } from '../../shared/mail/emailBackend';
import { describeEmailBackend, readMime } from '../shared/mail/emailBackend.contract';
import { sampleMail } from '../shared/mail/sampleMail';
import { password, postfixMissing, startPostfix, user } from './postfixServer';

const missing = postfixMissing();

(missing === undefined ? describe : describe.skip)(
  `with a real Postfix${missing === undefined ? '' : ` (${missing})`}`,
  () => {
    let postfix: Awaited<ReturnType<typeof startPostfix>>;
    beforeAll(async () => {
      postfix = await startPostfix();
    });
    afterAll(() => postfix.close());
    afterEach(() => postfix.clear());

    const backend = (
      service: Parameters<typeof postfix.portOf>[0] = 'submission',
      more: Partial<SmtpSettings> = {},
    ) => {
      const login = { user, password, security: 'starttls', timeoutMs: 5_000 } as const;
      return createSmtpBackend({ host: '127.0.0.1', port: postfix.portOf(service), ...login, ...more }, postfix.ca);
    };
    const send = async (mail = sampleMail(), ...how: Parameters<typeof backend>) => {
      const one = backend(...how);
      const result = await one.send(mail);
      await one.close();
      return result;
    };
    const misconfigured = (reason: string) =>
      ({ outcome: 'transient', reason, surelyNotAccepted: true, misconfigured: true }) as const;
    const policy = (reason: string) => ({ ...misconfigured(reason), maxAttempts: 12 });

    describeEmailBackend('smtp', () =>
      Promise.resolve({
        backend: backend(),
        received: async () =>
          Promise.all(
            (await postfix.delivered()).map((raw) => readMime(raw, /^X-Original-To: (.*)$/m.exec(raw)?.slice(1))),
          ),
        close: () => Promise.resolve(),
      }),
    );

    it('delivers text and HTML byte for byte, over TLS, greeted by the sender’s domain', async () => {
      const mail = { ...sampleMail(), text: `.\n..\n \nFrom here\n${'x'.repeat(2_000)} =20\n\u00a0é🦊\n` };
      expect(await send(mail)).toEqual({ outcome: 'accepted', backend: 'smtp' });
      const [raw = '', ...others] = await postfix.delivered();
      expect(others).toEqual([]);
      expect(await readMime(raw)).toMatchObject({ text: mail.text, html: mail.html, messageId: mail.messageId });
      expect(raw).toMatch(
        /^Received: from codalab\.org \(localhost \[127\.0\.0\.1\]\)\s+by \S+ \(Postfix\) with ESMTPSA /m,
      );
    });

    it('implicit TLS is accepted; STARTTLS on that port gets no greeting', async () => {
      expect(await send(sampleMail(), 'implicitTls', { security: 'implicit' })).toMatchObject({ outcome: 'accepted' });
      expect(await send(sampleMail(), 'implicitTls', { timeoutMs: 500 })).toMatchObject({ surelyNotAccepted: true });
    });

    it.each([
      ['a wrong password (535 5.7.8)', 'smtp_535', 'submission', { password: 'wrong' }],
      ['a server that offers no STARTTLS', 'tls', 'plain', {}],
      ['TLS that the server requires (530 5.7.0)', 'smtp_530', 'tlsRequired', { security: 'none', user: undefined }],
    ] as const)('%s is misconfigured', async (_what, reason, service, settings) => {
      expect(await send(sampleMail(), service, settings)).toEqual(misconfigured(reason));
      expect(await postfix.delivered()).toEqual([]);
    });

    it('relay access denied (554 5.7.1) is misconfigured', async () => {
      const elsewhere = sampleMail({ to: 'someuser@elsewhere.example' });
      expect(await send(elsewhere, 'plain', { security: 'none', user: undefined })).toEqual(policy('smtp_554'));
    });

    it('a sender that the log-in does not own (553 5.7.1) is misconfigured', async () => {
      const mail = sampleMail({ site: { from: 'other@codalab.org' } });
      expect(await send(mail)).toEqual(policy('smtp_553'));
    });

    it('an unknown recipient (550 5.1.1) is refused for good', async () => {
      const unknown = sampleMail({ to: 'nobody@somewhere.com' });
      expect(await send(unknown)).toEqual({ outcome: 'permanent', reason: 'smtp_550' });
    });
  },
);
