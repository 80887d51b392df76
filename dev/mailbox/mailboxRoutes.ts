// The page of the dev host itself: the mailbox, which shows the mails the console backend kept (decision 0005), and links to the app.
// The dev host serves them beside the app; beside Core Tools they have a server of their own.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Answer, Endpoint, HttpCall } from '../host/httpServer';
import { mailboxPage, mailSandbox, pagePolicy, views } from './mailboxPage';
import { htmlWithLinksHere, listMailIds, mailedLinks, readMail, type KeptMail } from './readMails';

const shownMails = 100;
const common = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };

/** For a mail's own HTML: no script, no remote content, no origin. */
const mailPolicy = `sandbox ${mailSandbox}; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'`;

const found = (type: string, body: string, more: Record<string, string> = {}): Answer => ({
  status: 200,
  headers: { ...common, 'Content-Type': `${type}; charset=utf-8`, ...more },
  body,
});
const html = (body: string, policy = pagePolicy): Answer =>
  found('text/html', body, { 'Content-Security-Policy': policy });
const nothing: Answer = { ...found('text/plain', 'No such mail.'), status: 404 };

/**
 * @param directory where the `.eml` files are, `EMAIL_FILE_PATH`
 * @param appUrl the app's origin, to which the mails' links lead; default: the origin these pages are asked from
 */
export function mailboxRoutes(directory: string, appUrl?: string): Endpoint[] {
  const loadNewest = async (): Promise<KeptMail[]> => {
    const ids = (await listMailIds(directory)).slice(0, shownMails);
    return (await Promise.all(ids.map((id) => readMail(directory, id)))).filter((mail) => mail !== undefined);
  };
  const page = async ({ url, params: { id } }: HttpCall): Promise<Answer> => {
    const mails = await loadNewest();
    const shown = id === undefined ? mails[0] : await readMail(directory, id);
    if (id !== undefined && shown === undefined) return nothing;
    const view = views.find((name) => name === url.searchParams.get('view')) ?? 'text';
    return html(mailboxPage(mails, shown, view, appUrl ?? url.origin));
  };
  return [
    ...['/', '/dev/mailbox', '/dev/mailbox/{id}'].map((path) => ({ path, answer: page })),
    {
      path: '/dev/mailbox/{id}/html',
      answer: async ({ url: { origin }, params: { id = '' } }) => {
        const mail = await readMail(directory, id);
        return mail === undefined ? nothing : html(htmlWithLinksHere(mail.html, appUrl ?? origin), mailPolicy);
      },
    },
    {
      path: '/dev/mailbox.json',
      answer: async ({ url: { origin } }) => {
        const mails = (await loadNewest()).map((mail) => {
          const { id, date, from, to, subject, text } = mail;
          return { id, date, from, to, subject, text, links: mailedLinks(mail, appUrl ?? origin) };
        });
        return found('application/json', `${JSON.stringify(mails, null, 2)}\n`);
      },
    },
    {
      path: '/dev/mailbox-newest',
      answer: async () => found('text/plain', (await listMailIds(directory))[0] ?? ''),
    },
  ];
}

/**
 * Makes sure that the app keeps its mails: sets `EMAIL_FILE_PATH` in `environment` when it is not set. Live reset links stand in
 * these files, so a directory made here is removed at the end of the process.
 * @returns the directory
 */
export function useMailboxDirectory(environment: Record<string, string | undefined>): string {
  const given = environment['EMAIL_FILE_PATH'];
  if (given) return given;
  const directory = mkdtempSync(path.join(tmpdir(), 'mailbox-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  environment['EMAIL_FILE_PATH'] = directory;
  return directory;
}
