// Reads the mails that the app kept as .eml files, for the mailbox page of the dev host. Development only; changes nothing.
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import PostalMime from 'postal-mime';

/** One mail as the page shows it. */
export interface KeptMail {
  /** The file's name without `.eml`. */
  readonly id: string;
  readonly subject: string;
  readonly from: string;
  readonly to: string;
  readonly date: Date;
  readonly text: string;
  readonly html: string;
  readonly source: string;
}

const suffix = '.eml';
const isId = (id: string): boolean => /^[\w-]{1,200}$/.test(id);

/** The ids of all mails, newest first: the names begin with the time. None when the directory is not there (yet). */
export async function listMailIds(directory: string): Promise<string[]> {
  const names = await readdir(directory).catch(() => []);
  const ids = names.filter((name) => name.endsWith(suffix)).map((name) => name.slice(0, -suffix.length));
  return ids.filter(isId).sort().reverse();
}

/** One mail, or undefined when there is none of that id. */
export async function readMail(directory: string, id: string): Promise<KeptMail | undefined> {
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
 * The links of a mail, on this host: the path and query of each line that is a URL, so that the mail's own site name does not
 * matter. @param origin the dev host's
 */
export function linksOnThisHost(text: string, origin: string): string[] {
  const urls = (text.match(/^https?:\/\/\S+$/gm) ?? []).filter((url) => URL.canParse(url)).map((url) => new URL(url));
  return urls.map(({ pathname, search }) => `${origin}${pathname}${search}`);
}
