// Turns the sentences of a mail into its text part and its HTML part, so that both say the same.
// User text is a value here, never a template: it is escaped in HTML and literal in text (attack cases H-1 to H-4).
import Mustache from 'mustache';
import { mailLayout } from './mailLayout';

/** Text somebody chose (a username, a site name): literal, and not made a link by mail clients where HTML can prevent it. */
export interface UserText {
  readonly userText: string;
}

/** The values that the messages of one mail may name. */
export type MailView = Readonly<Record<string, string | UserText>>;

/** A paragraph, or a link with its button; `message` and `label` are sentences of a language file. */
export type MailBlock =
  | { readonly kind: 'paragraph'; readonly message: string; readonly view: MailView }
  | { readonly kind: 'link'; readonly label: string; readonly view: MailView; readonly url: string };

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
 * an element around each separator breaks the run, while what is read, copied and compared stays the same bytes (H-2).
 */
function userTextAsHtml(text: string): string {
  return text
    .split(/([.:/@](?=\S))/)
    .map((piece, index) => (index % 2 === 1 ? `<span>${piece}</span>` : escapeHtml(piece)))
    .join('');
}

const asText = (value: string | UserText): string => (typeof value === 'string' ? value : value.userText);
const asHtml = (value: string | UserText): string =>
  typeof value === 'string' ? escapeHtml(value) : userTextAsHtml(value.userText);

/** One sentence for the text part or a subject. */
export function renderMessage(message: string, view: MailView): string {
  return Mustache.render(message, view, {}, { escape: asText });
}

// The sentence itself is escaped before it is parsed (its tags hold nothing that escaping changes), so a translator may write `&`.
function renderMessageAsHtml(message: string, view: MailView): string {
  return Mustache.render(escapeHtml(message).replace(/\n/g, ' '), view, {}, { escape: asHtml });
}

/** Both parts of one mail: blocks are separated by an empty line in the text, which ends in one line feed. */
export function renderBlocks(
  blocks: readonly MailBlock[],
  frame: { locale: string; dir: string; subject: string },
): { readonly text: string; readonly html: string } {
  const text = blocks.map((block) => (block.kind === 'link' ? block.url : renderMessage(block.message, block.view)));
  const htmlBlocks = blocks.map((block) =>
    block.kind === 'link'
      ? { link: { url: block.url, label: renderMessageAsHtml(block.label, block.view) } }
      : { paragraph: renderMessageAsHtml(block.message, block.view) },
  );
  const html = Mustache.render(mailLayout, { ...frame, blocks: htmlBlocks }, {}, { escape: escapeHtml });
  return { text: text.join('\n\n') + '\n', html };
}
