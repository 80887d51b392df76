// The routes of the mailbox: /dev/mailbox on the dev host, which shows the mails the console backend kept (decision 0005).
// Never deployed: nothing in functions/ or shared/ knows it.
import type { DevAnswer, DevRoute } from '../host/endpoints';
import { mailboxPage, mailboxPolicy, views } from './mailboxPage';
import { listMailIds, readMail, type KeptMail } from './readMails';

const shownMails = 100;
const common = { 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff', 'Referrer-Policy': 'no-referrer' };

/** A mail's own HTML: no script, no remote content, no origin; its inline styles are all it has. */
const mailPolicy = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'";

const html = (body: string, policy: string): DevAnswer => ({
  status: 200,
  headers: { ...common, 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy },
  body,
});
const nothing: DevAnswer = { status: 404, headers: { ...common, 'Content-Type': 'text/plain' }, body: 'No such mail.' };

/** @param directory where the `.eml` files are, `EMAIL_FILE_PATH` */
export function mailboxRoutes(directory: string): DevRoute[] {
  const known = new Map<string, KeptMail>(); // a kept mail never changes
  const load = async (id: string): Promise<KeptMail | undefined> => {
    const mail = known.get(id) ?? (await readMail(directory, id));
    if (mail !== undefined) known.set(id, mail);
    return mail;
  };
  const page = async (url: URL, id: string | undefined): Promise<DevAnswer> => {
    const ids = (await listMailIds(directory)).slice(0, shownMails);
    const mails = (await Promise.all(ids.map(load))).filter((mail) => mail !== undefined);
    const shown = id === undefined ? mails[0] : await load(id);
    if (id !== undefined && shown === undefined) return nothing;
    const view = views.find((name) => name === url.searchParams.get('view')) ?? 'text';
    return html(mailboxPage(mails, shown, view, url.origin), mailboxPolicy);
  };
  return [
    { method: 'GET', path: '/dev/mailbox', handle: ({ url }) => page(url, undefined) },
    {
      method: 'GET',
      path: '/dev/mailbox-newest',
      handle: async () => {
        const [newest = ''] = await listMailIds(directory);
        return { status: 200, headers: { ...common, 'Content-Type': 'text/plain' }, body: newest };
      },
    },
    { method: 'GET', path: '/dev/mailbox/{id}', handle: ({ url, params }) => page(url, params['id']) },
    {
      method: 'GET',
      path: '/dev/mailbox/{id}/html',
      handle: async ({ params }) => {
        const mail = await load(params['id'] ?? '');
        return mail === undefined ? nothing : html(mail.html, mailPolicy);
      },
    },
  ];
}
