// `site test-mail ADDRESS`: does mail work? Sends the operators' test mail as the app would send its own.
import { newId } from '../../shared/clock';
import type { Config } from '../../shared/config';
import { createEmailBackend } from '../../shared/mail/backends/createEmailBackend';
import { buildMail } from '../../shared/mail/renderMail';
import { renderTestMail } from '../../shared/mail/renderOperatorMail';
import { createStorageClients } from '../../shared/services';
import { createSiteSource, type Site } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import { requireAddress } from '../accounts/selection';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { printJson } from '../support/output';
import type { CommonOptions } from '../support/program';
import { requireConfig } from '../support/settings';

export async function sendTestMail(io: Io, address: string, options: CommonOptions): Promise<void> {
  const to = requireAddress(address);
  const config = requireConfig(io, options);
  const { domain, name, protocol, defaultFromEmail, locale } = await readSite(io, config);
  const rendered = renderTestMail({ site: { domain, name, protocol, from: defaultFromEmail, locale } });
  const id = newId();
  const backend = createEmailBackend(config.email, { write: io.error });
  const sent = await backend.send(
    buildMail({ id, to, from: defaultFromEmail, category: 'test-mail', domain }, rendered),
  );
  await backend.close();
  if (options.json === true) printJson(io, { id, ...sent });
  if (sent.outcome !== 'accepted') {
    throw new CliError(
      `The mail was not accepted (${sent.reason}). \`npm run site -- doctor\` looks at the e-mail settings.`,
    );
  }
  if (options.json !== true)
    io.out(
      `Accepted by ${sent.backend}. ${next[sent.backend] ?? 'Look into the mailbox, and into its spam folder.'}\n`,
    );
}

const next: Readonly<Record<string, string>> = {
  console: 'It is printed above and was not sent: EMAIL_BACKEND is console.',
  file: 'It is a file in EMAIL_FILE_PATH and was not sent: EMAIL_BACKEND is file.',
};

/** The row as the app reads it: seeded when it is missing, refused when it is bad. */
async function readSite(io: Io, { storage, siteId, siteDefaults, development }: Config): Promise<Site> {
  const rows = createSiteTable((await createStorageClients(storage)).table('SiteSettings'), siteId);
  return createSiteSource(rows, siteDefaults, development, io.clock, () => {}).current(io.signal);
}
