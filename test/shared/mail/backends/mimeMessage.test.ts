// The message for SendGrid's SMTP relay: the header that carries what the API call carries.
import { createTransport } from 'nodemailer';
import PostalMime from 'postal-mime';
import { isSendGridHost, toMimeMessage } from '../../../../shared/mail/mailHeaders';
import type { Mail } from '../../../../shared/mail/emailBackend';
import { sampleLogo } from '../../../support/pageStates';
import { readMime } from '../emailBackend.contract';
import { sampleMail } from '../sampleMail';

async function compose(mail: Mail) {
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await composer.sendMail(toMimeMessage(mail, { forSendGrid: true }));
  if (!Buffer.isBuffer(message)) throw new Error('no buffer');
  return message.toString();
}

it.each(['Xh3_-aQm0pZr', 'a, b ü "quoted" \\ 🦊', ', '.repeat(20)])(
  '[G1] X-SMTPAPI switches tracking off and names category and mail id (%j), in folded ASCII lines',
  async (id) => {
    const raw = await compose(sampleMail({ id }));
    const header = (await readMime(raw)).headers.get('x-smtpapi') ?? '';
    expect(header).toMatch(/^[\x20-\x7e]+$/);
    expect(JSON.parse(header)).toEqual({
      category: 'password-reset',
      unique_args: { mail_id: id },
      filters: {
        clicktrack: { settings: { enable: 0, enable_text: false } },
        opentrack: { settings: { enable: 0 } },
        subscriptiontrack: { settings: { enable: 0 } },
        ganalytics: { settings: { enable: 0 } },
        footer: { settings: { enable: 0 } },
        bypass_unsubscribe_management: { settings: { enable: 1 } },
      },
    });
    expect(Math.max(...raw.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(998);
  },
);

it('attaches the logo inline, beside the HTML part that shows it', async () => {
  const raw = await compose(sampleMail({ site: { logo: sampleLogo, logoInMail: true } }));
  expect(raw).toMatch(/multipart\/alternative[^]*text\/plain[^]*multipart\/related[^]*text\/html[^]*image\/png/);
  const { attachments, html } = await PostalMime.parse(raw, { attachmentEncoding: 'base64' });
  expect(html).toContain('src="cid:logo"');
  expect(attachments).toMatchObject([
    { contentId: '<logo>', mimeType: 'image/png', disposition: 'inline', content: sampleLogo.split(',')[1] },
  ]);
});

it.each([
  ['smtp.sendgrid.net', true],
  ['SMTP.EU.SendGrid.net', true],
  ['smtp.sendgrid.net.evil.example', false],
  ['notsendgrid.net', false],
])('%s is SendGrid: %s', (host, expected) => {
  expect(isSendGridHost(host)).toBe(expected);
});
