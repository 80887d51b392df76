// `npm run preview`: writes every mail in every language to a folder (text, HTML, .eml) and prints the path. Sends nothing.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { Command } from 'commander';
import * as z from 'zod';
import { toEml } from '../shared/mail/backends/fileBackend';
import {
  buildMail,
  type MailSite,
  renderPasswordChanged,
  renderPasswordReset,
  type RenderedMail,
  renderSupportLinkIssued,
} from '../shared/mail/renderMail';
import { renderOperatorAlert, renderTestMail } from '../shared/mail/renderOperatorMail';
import { builtInLanguages } from '../shared/locales';
import { lookColumns, type SiteLook } from '../shared/look';

const now = new Date('2026-01-02T03:04:05Z');
const expiresAt = new Date('2026-01-02T04:04:05Z');
// As long as a real key, but signed by nothing.
const sampleKey = `${'sample-reset-key-'.repeat(14)}.end`;
const link = `https://codalab.org/accounts/password/reset/key/${sampleKey}/`;

/** Every mail for one language, by name; operator mails are English only. */
function mailsIn(locale: string, look: SiteLook): Map<string, RenderedMail> {
  const site: MailSite = {
    domain: 'codalab.org',
    name: 'CodaLab',
    protocol: 'https',
    from: 'CodaLab <info@codalab.org>',
    contactEmail: 'help@codalab.org',
    forgotPasswordUrl: 'https://codalab.org/accounts/password/reset/',
    locale,
    ...look,
  };
  const accounts = [{ username: 'someuser', link }];
  const mails = new Map([
    ['password-reset', renderPasswordReset({ site, accounts })],
    [
      'password-reset-several',
      renderPasswordReset({ site, accounts: [...accounts, { username: "O'Brien & Co", link }] }),
    ],
    [
      'password-reset-extra-lines',
      renderPasswordReset({ site, accounts, expiresAt, requestedFrom: 'Firefox on Linux' }),
    ],
    ['password-changed', renderPasswordChanged({ site, username: 'someuser' })],
    ['support-link-issued', renderSupportLinkIssued({ site, usernames: ['someuser'], expiresAt })],
  ]);
  if (locale === 'en') {
    const ids = ['Xh3_-aQm0pZr', 'b81Kf0-_aaQ2'];
    mails.set(
      'operator-alert',
      renderOperatorAlert({
        site,
        poisoned: 2,
        oldestAgeMinutes: 7,
        failed: 1,
        misconfigured: 3,
        unreadableAccounts: 0,
        ids,
      }),
    );
    mails.set('test-mail', renderTestMail({ site }));
  }
  return mails;
}

async function writeMail(folder: string, name: string, locale: string, rendered: RenderedMail): Promise<string> {
  const envelope = {
    id: name,
    to: 'someuser@somewhere.com',
    from: 'CodaLab <info@codalab.org>',
    category: name,
    domain: 'codalab.org',
  };
  const mail = buildMail(envelope, rendered);
  const file = `${locale}.${name}`;
  await writeFile(
    join(folder, `${file}.txt`),
    `Subject: ${mail.subject}\nFrom: ${mail.from}\nTo: ${mail.to}\n\n${mail.text}`,
  );
  const { inlineImage } = mail;
  const image = inlineImage && `data:${inlineImage.contentType};base64,${inlineImage.base64}`;
  await writeFile(join(folder, `${file}.html`), mail.html.replace('cid:logo', image ?? 'cid:logo'));
  await writeFile(join(folder, `${file}.eml`), await toEml(mail, now));
  const links = ['txt', 'html', 'eml'].map((kind) => `<a href="${file}.${kind}">${kind}</a>`);
  return `<li>${locale} ${name}: ${links.join(' ')}</li>`;
}

async function preview(folder: string, look: SiteLook): Promise<void> {
  await mkdir(folder, { recursive: true });
  const items: string[] = [];
  for (const locale of builtInLanguages.keys()) {
    for (const [name, rendered] of mailsIn(locale, look)) items.push(await writeMail(folder, name, locale, rendered));
  }
  const page = `<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Mails</title>\n<ul>\n${items.join('\n')}\n</ul>\n</html>\n`;
  await writeFile(join(folder, 'index.html'), page);
  console.log(join(folder, 'index.html'));
}

interface Options {
  readonly out: string;
  readonly brandColor?: string;
  readonly logo?: string;
}

async function lookOf({ brandColor, logo }: Options): Promise<SiteLook> {
  const png = logo === undefined ? undefined : await readFile(logo, 'base64');
  const row = { brandColor, logo: png && `data:image/png;base64,${png}`, logoInMail: true };
  const { success, data, error } = z.object(lookColumns).safeParse(row);
  if (success) return data;
  throw new Error(error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('; '));
}

void new Command('preview')
  .description('Writes every mail in every language to a folder and prints the path of its index.')
  .option('--out <folder>', 'where to', join('tmp', 'preview'))
  .option('--brand-color <color>', 'as in the column brandColor of the site row')
  .option('--logo <file>', 'a PNG, as in the column logo')
  .action(async (options: Options, command: Command) => {
    const look = await lookOf(options).catch((error: unknown) =>
      command.error(`preview: ${error instanceof Error ? error.message : String(error)}`),
    );
    await preview(resolve(options.out), look);
  })
  .parseAsync();
