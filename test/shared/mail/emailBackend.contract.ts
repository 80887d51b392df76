// What every e-mail backend keeps, whatever it speaks: run against the real thing of each (a terminal, a folder, an API, an SMTP server).
import PostalMime from 'postal-mime';
import type { EmailBackend } from '../../../shared/mail/emailBackend';
import { longLink, sampleMail } from './sampleMail';

export interface ReceivedMail {
  readonly subject: string;
  readonly fromName: string;
  readonly fromAddress: string;
  /** Every recipient there is: To, Cc, Bcc, envelope. */
  readonly recipients: readonly string[];
  readonly text: string;
  /** Undefined where the backend shows no HTML part. */
  readonly html?: string | undefined;
  readonly messageId: string;
  /** Header names in lower case. */
  readonly headers: ReadonlyMap<string, string>;
}

export interface BackendUnderTest {
  readonly backend: EmailBackend;
  received(): Promise<readonly ReceivedMail[]>;
  close(): Promise<void>;
}

/** Reads an RFC 5322 message; `envelope` are the recipients the transport named. */
export async function readMime(raw: string | Buffer, envelope: readonly string[] = []): Promise<ReceivedMail> {
  const email = await PostalMime.parse(raw);
  const header = [...(email.to ?? []), ...(email.cc ?? []), ...(email.bcc ?? [])].map(
    ({ address }) => address ?? 'group',
  );
  return {
    subject: email.subject ?? '',
    fromName: email.from?.name ?? '',
    fromAddress: email.from?.address ?? '',
    recipients: [...new Set([...header, ...envelope])],
    text: part(email.text ?? ''),
    html: email.html === undefined ? undefined : part(email.html),
    messageId: email.messageId ?? '',
    headers: new Map(email.headers.map(({ key, value }) => [key, value])),
  };
}

/** postal-mime counts the line break before a boundary to the part; RFC 2046 §5.1.1 gives it to the boundary. */
const part = (text: string): string => text.replace(/\r\n/g, '\n').replace(/\n$/, '');

/** Text as a browser reads it out of HTML made by our renderer. */
export function htmlText(html: string): string {
  return html
    .replace(/^[^]*<body/, '<body')
    .replace(/<[^>]*>/g, '')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&quot;/g, '"')
    .replace(/&#39;/g, "'")
    .replace(/&amp;/g, '&');
}

export function htmlLinks(html: string): string[] {
  return [...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href = '']) => href.replace(/&amp;/g, '&'));
}

/** The suite; `start` gives a fresh backend and peer for each test. */
export function describeEmailBackend(name: string, start: () => Promise<BackendUnderTest>): void {
  describe(`the ${name} e-mail backend keeps the contract`, () => {
    let peer: BackendUnderTest;
    beforeEach(async () => {
      peer = await start();
    });
    afterEach(async () => {
      await peer.backend.close();
      await peer.close();
    });

    async function sendAndReceive(mail: ReturnType<typeof sampleMail>): Promise<ReceivedMail> {
      expect(peer.backend.name).toBe(name);
      expect(await peer.backend.send(mail)).toEqual({ outcome: 'accepted', backend: name });
      const [received, ...others] = await peer.received();
      expect(others).toEqual([]);
      if (!received) throw new Error('nothing was received');
      return received;
    }

    it('delivers subject, sender, recipient, text and Message-ID as they are', async () => {
      const mail = sampleMail();
      const received = await sendAndReceive(mail);
      expect(received).toMatchObject({
        subject: '[CodaLab] Password Reset E-mail',
        fromName: 'CodaLab',
        fromAddress: 'info@codalab.org',
        recipients: ['someuser@somewhere.com'],
        text: mail.text,
        messageId: '<Xh3_-aQm0pZr@codalab.org>',
      });
    });

    it('[H-4] delivers a link of full length whole, in text and HTML, with its & intact', async () => {
      const link = `${longLink}?a=1&b=2&amp=3`;
      const received = await sendAndReceive(sampleMail({ link }));
      expect(received.text.split('\n')).toContain(link);
      if (received.html !== undefined) {
        expect(htmlLinks(received.html)).toEqual([link, link]);
        expect(htmlText(received.html)).toContain(link);
      }
    });

    it('carries names in any script, and a display name with commas and quotes', async () => {
      const site = { name: 'Ünïcødé 日本語 🦊', from: '"Lab, \\"Co\\" 日本" <info@codalab.org>' };
      const received = await sendAndReceive(sampleMail({ username: 'Жанна 🙂', site }));
      expect(received.subject).toBe('[Ünïcødé 日本語 🦊] Password Reset E-mail');
      expect(received.fromName).toBe('Lab, "Co" 日本');
      expect(received.fromAddress).toBe('info@codalab.org');
      expect(received.text).toContain('your username is Жанна 🙂.');
    });

    it('[A6] keeps the local part of the recipient as it is stored, byte for byte', async () => {
      const received = await sendAndReceive(sampleMail({ to: 'Some.User+Tag@SomeWhere.COM' }));
      expect(received.recipients.join()).toMatch(/^Some\.User\+Tag@[Ss]ome[Ww]here\.(com|COM)$/);
    });

    it('[M1] has one recipient and no new header when every name has a header in it', async () => {
      const injected = 'X\r\nBcc: evil@evil.example';
      const site = { name: injected, from: `${injected} <info@codalab.org>`, domain: `codalab.org${injected}` };
      const received = await sendAndReceive(sampleMail({ username: injected, site }));
      expect(received.recipients).toEqual(['someuser@somewhere.com']);
      expect(received.headers.has('bcc')).toBe(false);
      expect(received.fromAddress).toBe('info@codalab.org');
      // eslint-disable-next-line no-control-regex -- the control characters are the point
      expect(received.subject + received.fromName).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
    });

    it.each([
      ['subject', { subject: 'a\r\nBcc: evil@evil.example' }],
      ['sender', { from: 'a\n <info@codalab.org>' }],
      ['sender without an address', { from: 'CodaLab' }],
      ['Message-ID', { messageId: '<a@b>\r\nBcc: evil@evil.example' }],
      ['recipient', { to: 'someuser@somewhere.com\r\nBcc: evil@evil.example' }],
      ['recipient, by a comma', { to: 'someuser@somewhere.com,evil@evil.example' }],
      ['recipient, by a group', { to: 'g:someuser@somewhere.com,evil@evil.example;' }],
    ])('[M1] refuses for good a mail built by hand with a bad %s', async (_what, changes) => {
      const result = await peer.backend.send({ ...sampleMail(), ...changes });
      expect(result).toEqual({ outcome: 'permanent', reason: 'unsafe_mail' });
      expect(await peer.received()).toEqual([]);
    });

    it('takes ten mails at once, each by itself', async () => {
      const ids = Array.from({ length: 10 }, (_, index) => `mail-${index}`);
      const results = await Promise.all(ids.map((id) => peer.backend.send(sampleMail({ id }))));
      expect(results.map(({ outcome }) => outcome)).toEqual(ids.map(() => 'accepted'));
      const received = await peer.received();
      expect(received.map(({ messageId }) => messageId).sort()).toEqual(ids.map((id) => `<${id}@codalab.org>`).sort());
    });
  });
}
