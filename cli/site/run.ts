// The commands of `npm run site`; it replaces CodaLab's `manage.py set_site`.
import { newId } from '../../shared/clock';
import { createEmailBackend } from '../../shared/mail/backends/createEmailBackend';
import { buildMail, mailSiteOf } from '../../shared/mail/renderMail';
import { renderTestMail } from '../../shared/mail/renderOperatorMail';
import { siteSchema } from '../../shared/site';
import { createSiteTable } from '../../shared/storage/siteTable';
import { runDoctor } from '../doctor/runDoctor';
import { CliError } from '../support/errors';
import { printJson } from '../support/output';
import { addCommand, createProgram, runProgram, type CommonOptions, type Io, type Run } from '../support/program';
import { requireAddress, requireConfig } from '../support/settings';
import { columns, setColumn, showSite, type SetOptions } from './siteRow';
import { addTextCommands } from './texts';

export const run: Run = (argv, io) => {
  const program = createProgram(
    'site',
    'The settings of the site that mails are about, and a check of everything.',
    io,
  );

  addCommand(
    program,
    'show',
    'show the site row and check it; an empty table is filled from the settings first',
  ).action((options: CommonOptions) => showSite(io, options));
  addCommand(program, 'set <column> <value>', 'change one column, for example: set domain codalab.org')
    .option('--dry-run', 'check the value and change nothing')
    .addHelpText(
      'after',
      `\nColumns: ${columns.join(', ')}.\nAn optional column is emptied by ""; the logo may be a .png file. Takes effect within a minute.`,
    )
    .action((column: string, value: string, options: SetOptions) => setColumn(io, column, value, options));
  addCommand(
    program,
    'doctor',
    'check settings, storage, site row, accounts and e-mail, with a cure for each fault',
  ).action((options: CommonOptions) => runDoctor(io, options));
  addCommand(program, 'test-mail <address>', 'send a test mail through the configured e-mail backend').action(
    (address: string, options: CommonOptions) => sendTestMail(io, address, options),
  );
  addTextCommands(program, io);
  return runProgram(program, argv, io);
};

/** Sends the operators' test mail as the app would send its own. */
async function sendTestMail(io: Io, address: string, options: CommonOptions): Promise<void> {
  const to = requireAddress(address);
  const { email, storage, siteId, siteDefaults, development } = requireConfig(io, options);
  const clients = io.openStorage(storage);
  const rows = createSiteTable(clients.table('SiteSettings'), clients.table('SiteTexts'), siteId);
  await rows.fillIn(siteDefaults);
  const checked = siteSchema(development).safeParse(await rows.read());
  if (!checked.success) throw new CliError('The site row is not valid: `npm run site -- show` says why.');
  const site = mailSiteOf(checked.data, checked.data.locale);
  const id = newId();
  const backend = createEmailBackend(email, { write: io.error });
  const envelope = { id, to, from: site.from, category: 'test-mail', domain: site.domain };
  const sent = await backend.send(buildMail(envelope, renderTestMail({ site })));
  await backend.close();
  if (options.json === true) printJson(io, { id, ...sent });
  if (sent.outcome !== 'accepted') {
    throw new CliError(
      `The mail was not accepted (${sent.reason}). \`npm run site -- doctor\` checks the e-mail settings.`,
    );
  }
  if (options.json === true) return;
  io.out(`Accepted by ${sent.backend}. ${next[sent.backend] ?? 'Check the mailbox and its spam folder.'}\n`);
}

const next: Readonly<Record<string, string>> = {
  console: 'It is printed above and was not sent: EMAIL_BACKEND is console.',
  file: 'It is a file in EMAIL_FILE_PATH and was not sent: EMAIL_BACKEND is file.',
};
