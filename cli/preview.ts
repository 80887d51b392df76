// `npm run preview`: writes every mail in every language to a folder (text, HTML, .eml) and prints the path, with the look and the texts
// of the site's row if storage answers. Sends and stores nothing.
import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import { withDeadline } from '../shared/clock';
import { builtInLanguages } from '../shared/locales';
import { applyTexts, type TextOverride } from '../shared/locales/overrides';
import { lookColumns, withoutBadLook, type SiteLook } from '../shared/look';
import { toEml } from '../shared/mail/backends/developmentBackends';
import {
  buildMail,
  mailSiteOf,
  type MailSite,
  renderPasswordChanged,
  renderPasswordReset,
  type RenderedMail,
  renderSupportLinkIssued,
} from '../shared/mail/renderMail';
import { renderOperatorAlert, renderTestMail } from '../shared/mail/renderOperatorMail';
import { defaultResetUrl, resetLink, type Site } from '../shared/site';
import { createSiteTable } from '../shared/storage/siteTable';
import { openSite, readPng } from './site/siteRow';
import { readTextsFile } from './site/textsTable';
import { CliError, explain } from './support/errors';
import { createProgram, runProgram, type CommonOptions, type Io, type Run } from './support/program';

const now = new Date('2026-01-02T03:04:05Z');
const expiresAt = new Date('2026-01-02T04:04:05Z');
// As long as a real key, but signed by nothing.
const sampleKey = `${'sample-reset-key-'.repeat(14)}.end`;

const sampleSite: Site = {
  domain: 'codalab.org',
  name: 'CodaLab',
  protocol: 'https',
  defaultFromEmail: 'CodaLab <info@codalab.org>',
  serverEmail: 'info@codalab.org',
  contactEmail: 'help@codalab.org',
  locale: 'en',
  resetUrl: defaultResetUrl,
};

/** Every mail for one language, by name; operator mails are English only. */
function mailsIn(row: Site, site: MailSite): Map<string, RenderedMail> {
  const link = resetLink(row, sampleKey);
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
  if (site.locale === 'en') {
    const ids = ['Xh3_-aQm0pZr', 'b81Kf0-_aaQ2'];
    mails.set(
      'operator-alert',
      renderOperatorAlert({
        site,
        poisoned: 2,
        oldestAgeMinutes: 7,
        failed: 1,
        unreadableAccounts: 0,
        misconfigured: 3,
        ids,
      }),
    );
    mails.set('test-mail', renderTestMail({ site }));
  }
  return mails;
}

async function writeMail(
  folder: string,
  { defaultFromEmail: from, domain }: Site,
  name: string,
  locale: string,
  rendered: RenderedMail,
): Promise<string> {
  const mail = buildMail({ id: name, to: 'someuser@somewhere.com', from, category: name, domain }, rendered);
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

interface Options extends CommonOptions {
  readonly out: string;
  readonly brandColor?: string;
  readonly logo?: string;
  readonly texts?: string;
}

export const run: Run = (argv, io) => {
  const program = createProgram('preview', 'Writes every mail in every language to a folder and prints its index.', io)
    .option('--out <folder>', 'where to', join('tmp', 'preview'))
    .option('--brand-color <color>', 'instead of the column brandColor of the site row')
    .option('--logo <file>', 'a PNG, instead of the column logo')
    .option('--texts <file>', 'texts as for `site texts import`, besides those of the site')
    .option('--account <name>', 'read the site row and its texts from this cloud storage account')
    .option('--settings <file>', 'read this settings file instead of local.settings.json')
    .action((options: Options) => preview(io, options));
  return runProgram(program, argv, io);
};

async function preview(io: Io, options: Options): Promise<void> {
  const { site: row, texts } = await readSite(io, options);
  const site = { ...row, ...(await lookOf(io, options)) };
  const fromFile = options.texts === undefined ? [] : await readTextsFile(io, options.texts);
  const { catalog } = applyTexts(builtInLanguages, [...texts, ...fromFile]);
  const folder = resolve(io.cwd, options.out);
  await mkdir(folder, { recursive: true });
  const items: string[] = [];
  for (const locale of catalog.keys()) {
    for (const [name, rendered] of mailsIn(site, mailSiteOf(site, locale, catalog))) {
      items.push(await writeMail(folder, site, name, locale, rendered));
    }
  }
  const index = join(folder, 'index.html');
  const list = `<ul>\n${items.join('\n')}\n</ul>`;
  await writeFile(
    index,
    `<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Mails</title>\n${list}\n</html>\n`,
  );
  io.out(`${index}\n`);
}

/** The site's own row and texts; the sample's where there are none, unless `--account` asks for them. */
async function readSite(io: Io, options: Options): Promise<{ site: Site; texts: readonly TextOverride[] }> {
  try {
    const { table, textsTable, siteId, schema } = openSite(io, options);
    const rows = createSiteTable(table, textsTable, siteId);
    const [row, texts] = await withDeadline(5000, () => Promise.all([rows.read(), rows.readTexts()]));
    if (row === undefined) throw new CliError(`There is no site row ${siteId}.`);
    const { data, error } = schema.safeParse(withoutBadLook(row).row);
    if (data === undefined)
      throw new CliError(`The site row is not valid: ${error.issues.map(({ path }) => path.join('.')).join(', ')}.`);
    return { site: data, texts };
  } catch (error) {
    if (options.account !== undefined) throw error;
    io.error(
      `Shown for the sample site: the site row was not read. ${explain(error).split('\n')[0]?.replace(/:$/, '.')}\n`,
    );
    return { site: sampleSite, texts: [] };
  }
}

/** What the options change. */
async function lookOf(io: Io, { brandColor, logo }: Options): Promise<SiteLook> {
  const url = logo === undefined ? undefined : await readPng(resolve(io.cwd, logo));
  const columns = { brandColor, logo: url, logoInMail: url === undefined ? undefined : true };
  const { success, data, error } = z.object(lookColumns).safeParse(columns);
  if (success) return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
  throw new CliError(error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n'));
}
