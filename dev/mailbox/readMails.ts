// Reads the mails that the app kept as .eml files, for the mailbox page. Development only; changes nothing.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import PostalMime from 'postal-mime';

/** One mail as the page shows it. */
export type KeptMail = NonNullable<Awaited<ReturnType<typeof readMail>>>;

const suffix = '.eml';
const isId = (id: string): boolean => /^[\w-]{1,200}$/.test(id);
const resetPath = '/accounts/password/reset/';

/** The ids of all mails, newest first: the names begin with the time. None when the directory is not there (yet). */
export async function listMailIds(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  const ids = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  return ids.filter(isId).sort().reverse();
}

/**
 * One mail, or undefined when there is none of that id.
 * @param id the file's name without `.eml`
 */
export async function readMail(directory: string, id: string) {
  if (!isId(id)) return undefined;
  const source = await readFile(path.join(directory, `${id}${suffix}`)).catch(() => undefined);
  if (source === undefined) return undefined;
  const { subject, from, to, date, text, html } = await PostalMime.parse(source);
  return {
    id,
    subject: subject ?? '',
    from: from?.address ?? '',
    to: (to ?? []).map(({ address }) => address ?? '').join(', '),
    date: new Date(date ?? 0),
    text: text ?? '',
    html: html ?? '',
    source: source.toString('utf8'),
  };
}

/**
 * The page on this machine that a mailed link leads to: by its reset key, whatever the site's own link template, else by its path.
 * @param origin of the app here
 * @returns undefined for a link to elsewhere, such as the site's log-in page
 */
function linkHere(url: string, origin: string): { here: string; key: string | undefined } | undefined {
  if (!/^https?:/.test(url) || !URL.canParse(url)) return undefined;
  const key = /\beyJ[\w-]+\.[\w-]+\.[\w-]+/.exec(url)?.[0];
  if (key !== undefined) return { here: `${origin}${resetPath}key/${key}/`, key };
  const { pathname, search } = new URL(url);
  return pathname.startsWith(resetPath) ? { here: `${origin}${pathname}${search}`, key } : undefined;
}

/**
 * The links of a mail that lead to this app, each once, in the order of the text: `url` as mailed, `here` the same page on this
 * machine, the reset `key` in it, and as `label` the words of the mail's own button (empty if it has no HTML).
 */
export function mailedLinks({ text, html }: Pick<KeptMail, 'text' | 'html'>, origin: string) {
  const labels = new Map<string, string>();
  for (const [, href = '', content = ''] of html.matchAll(/<a\s[^>]*?href="([^"]*)"[^>]*>(.*?)<\/a>/gis)) {
    const url = unescapeHtml(href);
    if (!labels.has(url)) labels.set(url, unescapeHtml(content.replace(/<[^>]*>/g, '')).trim());
  }
  const urls = new Set(text.match(/https?:\/\/[^\s<>"]*[^\s<>".,;:)]/g) ?? []);
  return [...urls].flatMap((url) => {
    const found = linkHere(url, origin);
    return found ? [{ label: labels.get(url) ?? '', url, ...found }] : [];
  });
}

/** The HTML part with its links leading to the app here, in a new tab: the frame it is shown in may open nothing else. */
export function htmlWithLinksHere(html: string, origin: string): string {
  const linked = html.replace(/href="([^"]*)"/gi, (whole, href: string) => {
    const found = linkHere(unescapeHtml(href), origin);
    return found ? `href="${found.here.replaceAll('&', '&amp;')}"` : whole;
  });
  return linked.replace(/<head>/i, '<head><base target="_blank">');
}

const entities: Record<string, string> = {
  ...{ '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" },
  ...{ '&#x2F;': '/', '&#x60;': '`', '&#x3D;': '=' },
};

/** Undoes what Mustache escapes. */
const unescapeHtml = (text: string): string => text.replace(/&#?\w+;/g, (entity) => entities[entity] ?? entity);
