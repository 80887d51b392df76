// `npm run preview`: writes every mail in every language to a folder (text, HTML, .eml) and prints the path, with the look and the texts
// of the site's row if storage answers. Sends and stores nothing.
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import * as z from 'zod';
import { withDeadline } from '../shared/clock';
import { builtInLanguages } from '../shared/locales';
import { applyTexts, type TextOverride } from '../shared/locales/overrides';
import { lookColumns, type SiteLook } from '../shared/look';
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
import { openSite, readPng } from './site/siteRow';
import { readTextsFile } from './site/textsTable';
import { CliError, explain } from './support/errors';
import { createProgram, runProgram, withStorageOptions, type Call, type Run } from './support/program';

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
function mailsIn(row: Site, site: MailSite): Readonly<Record<string, RenderedMail>> {
  const someuser = { username: 'someuser', link: resetLink(row, sampleKey) };
  const several = [someuser, { ...someuser, username: "O'Brien & Co" }];
  const extraLines = { expiresAt, requestedFrom: 'Firefox on Linux' };
  const mails = {
    'password-reset': renderPasswordReset({ site, accounts: [someuser] }),
    'password-reset-several': renderPasswordReset({ site, accounts: several }),
    'password-reset-extra-lines': renderPasswordReset({ site, accounts: [someuser], ...extraLines }),
    'password-changed': renderPasswordChanged({ site, username: 'someuser' }),
    'support-link-issued': renderSupportLinkIssued({ site, usernames: ['someuser'], expiresAt }),
  };
  if (site.locale !== 'en') return mails;
  const counts = { poisoned: 2, oldestAgeMinutes: 7, failed: 1, unreadableAccounts: 0, misconfigured: 3 };
  const alert = renderOperatorAlert({ site, ...counts, ids: ['Xh3_-aQm0pZr', 'b81Kf0-_aaQ2'] });
  return { ...mails, 'operator-alert': alert, 'test-mail': renderTestMail({ site }) };
}

/** @returns an item of the index */
async function writeMail(path: string, site: Site, name: string, rendered: RenderedMail): Promise<string> {
  const { defaultFromEmail: from, domain } = site;
  const mail = buildMail({ id: name, to: 'someuser@somewhere.com', from, category: name, domain }, rendered);
  const { subject, to, text, html, inlineImage } = mail;
  const image = inlineImage && `data:${inlineImage.contentType};base64,${inlineImage.base64}`;
  await writeFile(`${path}.txt`, `Subject: ${subject}\nFrom: ${from}\nTo: ${to}\n\n${text}`);
  await writeFile(`${path}.html`, html.replace('cid:logo', image ?? 'cid:logo'));
  await writeFile(`${path}.eml`, await toEml(mail, now));
  const links = ['txt', 'html', 'eml'].map((kind) => `<a href="${basename(path)}.${kind}">${kind}</a>`);
  return `<li>${basename(path)}: ${links.join(' ')}</li>`;
}

type Preview = Call<{
  readonly out: string;
  readonly brandColor?: string;
  readonly logo?: string;
  readonly texts?: string;
}>;

export const run: Run = (argv, io) => {
  const program = createProgram('preview', 'Writes every mail in every language to a folder and prints its index.', io)
    .option('--out <folder>', 'where to', join('tmp', 'preview'))
    .option('--brand-color <color>', 'instead of the column brandColor of the site row')
    .option('--logo <file>', 'a PNG, instead of the column logo')
    .option('--texts <file>', 'texts as for `site texts import`, besides those of the site');
  withStorageOptions(program).action(() => preview({ ...io, options: program.opts() }));
  return runProgram(program, argv, io);
};

async function preview(call: Preview): Promise<void> {
  const { options } = call;
  const { site: row, texts } = await readSite(call);
  const site = { ...row, ...(await lookOf(call)) };
  const fromFile = options.texts === undefined ? [] : await readTextsFile(call, options.texts);
  const { catalog } = applyTexts(builtInLanguages, [...texts, ...fromFile]);
  const folder = resolve(call.cwd, options.out);
  await mkdir(folder, { recursive: true });
  const items: string[] = [];
  for (const locale of catalog.keys()) {
    for (const [name, rendered] of Object.entries(mailsIn(site, mailSiteOf(site, locale, catalog)))) {
      items.push(await writeMail(join(folder, `${locale}.${name}`), site, name, rendered));
    }
  }
  const index = join(folder, 'index.html');
  const list = `<ul>\n${items.join('\n')}\n</ul>`;
  const head = '<!DOCTYPE html>\n<html lang="en">\n<meta charset="utf-8">\n<title>Mails</title>';
  await writeFile(index, `${head}\n${list}\n</html>\n`);
  call.out(`${index}\n`);
}

/** The site's own row and texts; the sample's where there are none, unless `--account` asks for them. */
async function readSite(call: Preview): Promise<{ site: Site; texts: readonly TextOverride[] }> {
  try {
    const { rows, readSite: readRow } = openSite(call);
    const [site, texts] = await withDeadline(5000, () => Promise.all([readRow(), rows.readTexts()]));
    return { site, texts };
  } catch (error) {
    if (call.options.account !== undefined) throw error;
    const [why] = explain(error).split('\n');
    call.error(`Shown for the sample site: the site row was not read. ${why?.replace(/:$/, '.')}\n`);
    return { site: sampleSite, texts: [] };
  }
}

/** What the options change. */
async function lookOf(call: Preview): Promise<SiteLook> {
  const { brandColor, logo } = call.options;
  const url = logo === undefined ? undefined : await readPng(call, logo);
  const columns = { brandColor, logo: url, logoInMail: url === undefined ? undefined : true };
  const { success, data, error } = z.object(lookColumns).safeParse(columns);
  if (success) return Object.fromEntries(Object.entries(data).filter(([, value]) => value !== undefined));
  throw new CliError(error.issues.map(({ path, message }) => `${path.join('.')} ${message}`).join('\n'));
}
