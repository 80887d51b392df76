// Turns the sentences of a mail into its text part and its HTML part, so that both say the same.
// User text is a value here, never a template: it is escaped in HTML and literal in text.
import Mustache from 'mustache';
import { palettesOf, type Logo } from '../look';
import { mailLayout, mailStyle } from './mailLayout';

/** Text somebody chose (a username, a site name): literal, and not made a link by mail clients where HTML can prevent it. */
export interface UserText {
  readonly userText: string;
}

/** An address to write to. */
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

/** Both parts of one mail: blocks are separated by an empty line in the text, which ends in one line feed. */
export function renderBlocks(
  blocks: readonly MailBlock[],
  { siteName, brandColor, logo, footer, ...frame }: MailFrame,
): { readonly text: string; readonly html: string } {
  const palettes = palettesOf(brandColor);
  const lines = footer.map(sentenceAsHtml);
  const view = {
    ...frame,
    light: palettes.light,
    style: mailStyle(palettes),
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
