// What may stand in a mail header: user text is cleaned and cut here before it reaches a subject, an address or a Message-ID. Must never
// let a control character through (attack cases M1, M2). Also the mail as nodemailer's message, as the smtp and file backends write it.
import { domainToASCII } from 'node:url';
import type { Mail, SendResult } from './emailBackend';

/** Longest site or display name shown in a mail, in code points. */
export const maxNameLength = 100;
/** Longest username shown in a mail, in code points (Django's own limit for a username). */
export const maxUsernameLength = 150;
/** Longest header line without its CRLF, in octets (RFC 5322 §2.1.1). */
const maxLineOctets = 998;

// C0, DEL, C1 (with U+0085), line and paragraph separator: all that some program takes for the end of a line.
const lineBreakers = /[\p{Cc}\u2028\u2029]+/gu;
// Bidirectional controls reorder what is read; U+FEFF and lone surrogates are no text at all.
const invisible = /[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\p{Cs}]/gu;
const oneAddress = /^[^\s,;:<>()[\]"\\]+@[^\s,;:<>()"\\@]+$/;
const unsafeInHeader = /[\p{Cc}\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\p{Cs}]/u;

/**
 * One line of user text, fit for a header and for the body: line breakers become one blank, bidirectional controls go,
 * and what is longer than `maxCodePoints` is cut and ends in `…`.
 */
export function cleanText(text: string, maxCodePoints: number): string {
  // Cut first, so that a value of megabytes costs nothing; four units per code point leave room for what is removed.
  const clean = text
    .slice(0, maxCodePoints * 4)
    .replace(lineBreakers, ' ')
    .replace(invisible, '')
    .trim();
  const points = Array.from(clean);
  const cut = points.length > maxCodePoints || text.length > maxCodePoints * 4;
  return cut ? points.slice(0, maxCodePoints - 1).join('') + '…' : clean;
}

/** A subject that fits one header line of 998 octets together with `Subject: ` (M2). */
export function cleanSubject(text: string): string {
  let subject = cleanText(text, 300);
  while (Buffer.byteLength(`Subject: ${subject}`) > maxLineOctets)
    subject = cleanText(subject, Array.from(subject).length - 1);
  return subject;
}

/** A mailbox: the address, and the display name (empty if there is none). */
export interface Mailbox {
  readonly name: string;
  readonly address: string;
}

/** Reads `addr@domain`, `Name <addr@domain>` or `"Name" <addr@domain>`; the address ends at its first blank or control character. */
export function parseMailbox(text: string): Mailbox {
  const parts = /^([^]*)<([^<>]*)>\s*$/.exec(text);
  const address = (parts?.[2] ?? text).trim().split(/[\s\p{Cc}\u2028\u2029,;<>"()]/u)[0] ?? '';
  const quoted = /^"([^]*)"$/.exec((parts?.[1] ?? '').trim());
  const name = quoted?.[1] === undefined ? (parts?.[1] ?? '') : quoted[1].replace(/\\([^])/g, '$1');
  return { name: cleanText(name, maxNameLength), address };
}

/** `addr@domain` or `Name <addr@domain>`, the name as a quoted-string unless it is made of plain words (RFC 5322 §3.4). */
export function formatMailbox({ name, address }: Mailbox): string {
  if (name === '') return address;
  const plain = /^[\p{L}\p{N}\p{M}!#$%&'*+\-/=?^_`{|}~ ]+$/u.test(name);
  return `${plain ? name : `"${name.replace(/["\\]/g, '\\$&')}"`} <${address}>`;
}

/** The host of `domain` (which may carry a port) as the right side of a Message-ID: lower case, punycode, no port. */
function messageIdHost(domain: string): string {
  const url = `http://${domain}`;
  return URL.canParse(url) ? new URL(url).hostname : 'localhost';
}

/** `<id@host>` (RFC 5322 §3.6.4), the same for every attempt of one mail; characters outside A–Z a–z 0–9 - _ become `%XX`. */
export function formatMessageId(id: string, domain: string): string {
  return `<${safeId(id)}@${messageIdHost(domain)}>`;
}

/** A mail id as a file name or a left side of a Message-ID: distinct ids stay distinct. */
export function safeId(id: string): string {
  return Array.from(Buffer.from(id), (byte) => {
    const character = String.fromCharCode(byte);
    return /[\w-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`;
  }).join('');
}

/** The address with its domain in ASCII: `info@bücher.example` becomes `info@xn--bcher-kva.example`. The local part stays as it is. */
export function asciiDomain(address: string): string {
  const at = address.lastIndexOf('@') + 1;
  const domain = address.slice(at);
  return isAscii(domain) ? address : address.slice(0, at) + (domainToASCII(domain) || domain);
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);

/** The reason for a mail that a provider without SMTPUTF8 (RFC 6531) cannot take. */
export const nonAsciiLocalPart = 'non_ascii_local_part';

/** For providers without SMTPUTF8: refuses a recipient whose local part is not ASCII for good, and such a sender as a wrong setting. */
export function refuseNonAscii({ to, from }: Mail): SendResult | undefined {
  const reason = nonAsciiLocalPart;
  if (!isAscii(asciiDomain(parseMailbox(from).address)))
    return { outcome: 'transient', reason, surelyNotAccepted: true, misconfigured: true };
  return isAscii(asciiDomain(to)) ? undefined : { outcome: 'permanent', reason };
}

/**
 * The last guard of every backend: refuses for good a mail whose header fields hold a control character, whose `to` is not one bare
 * address, or whose sender has no address. buildMail makes no such mail (M1).
 */
export function refuseUnsafeMail(mail: Mail): SendResult | undefined {
  const fields = [mail.subject, mail.from, mail.to, mail.messageId, mail.locale, mail.category];
  const addresses = [mail.to, parseMailbox(mail.from).address];
  if (addresses.every((address) => oneAddress.test(address)) && !fields.some((field) => unsafeInHeader.test(field)))
    return undefined;
  return { outcome: 'permanent', reason: 'unsafe_mail' };
}

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
