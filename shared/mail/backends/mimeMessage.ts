// A mail as nodemailer's message: what the smtp and file backends write.
import type { Mail } from '../emailBackend';
import { parseMailbox } from '../mailHeaders';

/** Whether `EMAIL_HOST` is SendGrid's SMTP relay, which reads `X-SMTPAPI`. */
export function isSendGridHost(host: string): boolean {
  return /\.sendgrid\.net$/i.test(host);
}

/** SendGrid's own header for mail by SMTP: the same settings as the API call carries, in ASCII-only JSON. */
function sendGridHeader(mail: Mail): string {
  const off = { settings: { enable: 0 } };
  const on = { settings: { enable: 1 } };
  const filters = {
    clicktrack: { settings: { enable: 0, enable_text: false } },
    opentrack: off,
    subscriptiontrack: off,
    ganalytics: off,
    footer: off,
    bypass_unsubscribe_management: on,
  };
  const json = JSON.stringify({ category: mail.category, unique_args: { mail_id: mail.id }, filters });
  const ascii = json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  // A blank after each comma *between* members is where the line may be folded; inside a string a comma is written \u002c.
  return ascii
    .replace(/"(?:[^"\\]|\\.)*"/g, (text) => text.replace(/,/g, '\\u002c').replace(/ /g, '\\u0020'))
    .replace(/,/g, ', ');
}

/**
 * The message data. Both parts go out quoted-printable: its soft line breaks vanish on decoding, so a link of any length stays
 * whole (H-4), which `format=flowed` or a bare long line does not promise. `forSendGrid` adds `X-SMTPAPI`.
 */
export function toMimeMessage(mail: Mail, { forSendGrid = false } = {}) {
  const from = parseMailbox(mail.from);
  return {
    messageId: mail.messageId,
    from,
    to: { name: '', address: mail.to },
    envelope: { from: from.address, to: [mail.to] },
    subject: mail.subject,
    text: mail.text,
    html: mail.html,
    encoding: 'quoted-printable',
    attachments: (mail.inlineImage === undefined ? [] : [mail.inlineImage]).map(
      ({ contentId: cid, contentType, fileName: filename, base64 }) => ({
        cid,
        contentType,
        filename,
        contentDisposition: 'inline' as const,
        content: Buffer.from(base64, 'base64'),
      }),
    ),
    headers: {
      'Auto-Submitted': 'auto-generated',
      'Content-Language': mail.locale,
      ...(forSendGrid && { 'X-SMTPAPI': { prepared: true, foldLines: true, value: sendGridHeader(mail) } }),
    },
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}
