// The text part and the HTML part of a mail from the same sentences, so that both say the same, and the HTML frame of every mail.
// User text is a value here, never a template: it is escaped in HTML and literal in text.
// No remote content; readable with styles stripped, with images off, in dark mode, and at 320 px.
// Outlook on Windows draws with Word: it gets tables, a fixed width, and a button that is a coloured cell around its link. (A VML
// button has a fixed size, and a label may hold a username of any length.)
import { LRUCache } from 'lru-cache';
import Mustache from 'mustache';
import { type Logo, type Palette, type Palettes, palettesOf } from '../look';

const mailStyle = ({
  dark: { main, on },
}: Palettes): string => `:root { color-scheme: light dark; supported-color-schemes: light dark; }
@media (prefers-color-scheme: dark) {
.page { background: #16181c !important; }
.card { background: #22252b !important; border-color: #3a3f47 !important; }
.account { border-color: #3a3f47 !important; }
.ink { color: #e8eaed !important; }
.soft { color: #b0b7c0 !important; }
.link { color: ${main} !important; }
.button { background: ${main} !important; }
.button a { color: ${on} !important; }
}
@media (max-width: 480px) {
.outer { padding: 16px 12px !important; }
.card { padding: 24px 20px 8px !important; }
.account { padding: 16px 16px 4px !important; }
.wide { width: 100% !important; }
.button a { display: block !important; padding: 14px 16px !important; }
}`;

/**
 * Mustache template. Values arrive escaped: `{{{…}}}` is HTML that renderBlocks made. Inline styles first, since some clients drop
 * the head.
 */
const mailLayout = `<!DOCTYPE html>
<html lang="{{locale}}" dir="{{dir}}" xmlns:o="urn:schemas-microsoft-com:office:office">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="supported-color-schemes" content="light dark">
<meta name="format-detection" content="telephone=no, date=no, address=no, email=no, url=no">
<title>{{subject}}</title>
<!--[if mso]><xml><o:OfficeDocumentSettings><o:PixelsPerInch>96</o:PixelsPerInch></o:OfficeDocumentSettings></xml>
<style>td, h1, p, a { font-family: 'Segoe UI', Arial, sans-serif !important; }</style><![endif]-->
<style>
{{{style}}}
</style>
</head>
<body class="page" style="margin:0;padding:0;background:#f2f4f7;">
<div role="main">
<table role="presentation" class="page" width="100%" cellpadding="0" cellspacing="0" border="0" bgcolor="#f2f4f7" style="background:#f2f4f7;">
<tr><td class="outer" align="center" style="padding:32px 16px;">
<!--[if mso]><table role="presentation" width="560" cellpadding="0" cellspacing="0" border="0"><tr><td><![endif]-->
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="max-width:560px;table-layout:fixed;font-family:-apple-system,'Segoe UI',Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5;overflow-wrap:anywhere;word-break:break-word;">
<tr><td align="center" style="padding:0 8px 20px;">
<h1 class="ink" style="margin:0;color:#1f2328;font-size:20px;font-weight:600;line-height:1.3;">{{#logo}}<img src="{{src}}" width="{{width}}" height="{{height}}" alt="{{alt}}" style="display:block;border:0;">{{/logo}}{{^logo}}{{{siteName}}}{{/logo}}</h1>
</td></tr>
<tr><td class="card" bgcolor="#ffffff" style="padding:32px 32px 16px;background:#ffffff;border:1px solid #dfe3e8;border-radius:12px;text-align:start;">
{{#blocks}}
{{#paragraph}}
<p class="ink" style="margin:0 0 16px;color:#1f2328;">{{{.}}}</p>
{{/paragraph}}
{{#link}}
{{#heading}}
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="table-layout:fixed;">
<tr><td style="padding:0 0 16px;">
<table role="presentation" width="100%" cellpadding="0" cellspacing="0" border="0" style="table-layout:fixed;border-collapse:separate;">
<tr><td class="account" style="padding:20px 20px 4px;border:1px solid #dfe3e8;border-radius:10px;">
<p class="ink" style="margin:0 0 12px;color:#1f2328;">{{{.}}}</p>
{{/heading}}
<table role="presentation" class="wide" cellpadding="0" cellspacing="0" border="0" style="border-collapse:separate;">
<tr><td class="button" align="center" bgcolor="{{light.main}}" style="border-radius:8px;background:{{light.main}};mso-padding-alt:14px 28px;"><a href="{{url}}" style="display:inline-block;padding:14px 28px;color:{{light.on}};font-weight:600;text-decoration:none;">{{{label}}}</a></td></tr>
</table>
<p class="soft" style="margin:0;padding:16px 0;color:#57606a;font-size:13px;">{{{fallback}}}<br><a class="soft" href="{{url}}" style="color:#57606a;font-size:12px;word-break:break-all;text-decoration:none;">{{url}}</a></p>
{{#heading}}
</td></tr>
</table>
</td></tr>
</table>
{{/heading}}
{{/link}}
{{/blocks}}
</td></tr>
{{#footer}}
<tr><td class="soft" align="center" style="padding:20px 8px 0;color:#57606a;font-size:13px;">{{#lines}}<p style="margin:0 0 4px;">{{{.}}}</p>{{/lines}}</td></tr>
{{/footer}}
</table>
<!--[if mso]></td></tr></table><![endif]-->
</td></tr>
</table>
</div>
</body>
</html>
`;

/** Text somebody chose (a username, a site name): literal, and not made a link by mail clients where HTML can prevent it. */
export interface UserText {
  readonly userText: string;
}

export interface MailAddress {
  readonly address: string;
}

/** The values that the messages of one mail may name. */
export type MailView = Readonly<Record<string, string | UserText | MailAddress>>;

/** A sentence of a language file with its values. */
export interface Sentence {
  readonly message: string;
  readonly view: MailView;
}

export type MailBlock =
  | ({ readonly kind: 'paragraph' } & Sentence)
  /** A button with its address below; with a `heading` it is one of several, set apart from the others. */
  | {
      readonly kind: 'link';
      readonly heading?: Sentence | undefined;
      readonly label: Sentence;
      /** HTML part only: before the address. */
      readonly fallback: string;
      readonly url: string;
    };

/** What stands around the blocks; only the HTML part shows it. */
export interface MailFrame {
  readonly locale: string;
  readonly dir: string;
  readonly subject: string;
  readonly siteName: string;
  readonly brandColor?: string | undefined;
  readonly logo?: Logo | undefined;
  readonly footer: readonly Sentence[];
}

/** The `cid:` of the logo, which a backend attaches to the mail. */
export const logoContentId = 'logo';

function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}

/**
 * A name as HTML. Mail clients turn whatever looks like `evil.example` or `http://…` into a link by looking at one run of text;
 * an element around each separator breaks the run, while what is read, copied and compared stays the same bytes.
 */
function userTextAsHtml(text: string): string {
  return text
    .split(/([.:/@](?=\S))/)
    .map((piece, index) => (index % 2 === 1 ? `<span>${piece}</span>` : escapeHtml(piece)))
    .join('');
}

function asText(value: string | UserText | MailAddress): string {
  if (typeof value === 'string') return value;
  return 'address' in value ? value.address : value.userText;
}

function asHtml(value: string | UserText | MailAddress): string {
  if (typeof value === 'string') return escapeHtml(value);
  if ('userText' in value) return `<b>${userTextAsHtml(value.userText)}</b>`;
  const { address } = value;
  const href = `mailto:${encodeURIComponent(address).replace('%40', '@')}`;
  return `<a class="link" href="${escapeHtml(href)}" style="color:inherit;">${escapeHtml(address)}</a>`;
}

/** One sentence for the text part or a subject. */
export const renderMessage = (message: string, view: MailView): string =>
  Mustache.render(message, view, {}, { escape: asText });

// The sentence is escaped before it is parsed (its tags hold nothing that escaping changes), so a translator may write `&`.
const sentenceAsHtml = ({ message, view }: Sentence): string =>
  Mustache.render(escapeHtml(message).replace(/\n/g, ' '), view, {}, { escape: asHtml });

function blockAsText(block: MailBlock): string[] {
  if (block.kind === 'paragraph') return [renderMessage(block.message, block.view)];
  const { heading, url } = block;
  return heading === undefined ? [url] : [renderMessage(heading.message, heading.view), url];
}

function blockAsHtml(block: MailBlock) {
  if (block.kind === 'paragraph') return { paragraph: sentenceAsHtml(block) };
  const { heading, label, fallback, url } = block;
  const headingHtml = heading && sentenceAsHtml(heading);
  return { link: { heading: headingHtml, url, label: sentenceAsHtml(label), fallback: escapeHtml(fallback) } };
}

/** Shades are computed once per colour; a site has one, and a new one after an edit. */
const lookOf = new LRUCache<string, { readonly light: Palette; readonly style: string }>({
  max: 4,
  memoMethod: (brandColor) => {
    const palettes = palettesOf(brandColor);
    return { light: palettes.light, style: mailStyle(palettes) };
  },
});

/** Both parts of one mail: blocks are separated by an empty line in the text, which ends in one line feed. */
export function renderBlocks(
  blocks: readonly MailBlock[],
  { siteName, brandColor, logo, footer, ...frame }: MailFrame,
): { readonly text: string; readonly html: string } {
  const lines = footer.map(sentenceAsHtml);
  const view = {
    ...frame,
    ...lookOf.memo(brandColor ?? ''),
    siteName: userTextAsHtml(siteName),
    logo: logo && {
      src: `cid:${logoContentId}`,
      width: String(logo.width),
      height: String(logo.height),
      alt: siteName,
    },
    blocks: blocks.map(blockAsHtml),
    footer: lines.length > 0 && { lines },
  };
  const html = Mustache.render(mailLayout, view, {}, { escape: escapeHtml });
  return { text: blocks.flatMap(blockAsText).join('\n\n') + '\n', html };
}
