// The commands of `npm run site`; it replaces CodaLab's `manage.py set_site`.
import { newId } from '../../shared/clock';
import { createEmailBackend } from '../../shared/mail/backends/createEmailBackend';
import { buildMail, mailSiteOf } from '../../shared/mail/renderMail';
import { renderTestMail } from '../../shared/mail/renderOperatorMail';
import { runDoctor } from '../doctor/runDoctor';
import { CliError } from '../support/errors';
import { print } from '../support/output';
import { addCommand, createProgram, runProgram, type Call, type Run } from '../support/program';
import { requireAddress, requireConfig } from '../support/settings';
import { columns, openSite, setColumn, showSite } from './siteRow';
import { addTextCommands } from './texts';

export const run: Run = (argv, io) => {
  const program = createProgram('site', 'The settings of the site that mails are about, and a check of all.', io);
  addCommand(program, io, 'show', 'show the site row, made from the settings if there is none, and check it', showSite);
  addCommand(program, io, 'set <column> <value>', 'change one column, for example: set domain codalab.org', setColumn)
    .option('--dry-run', 'check the value and change nothing')
    .addHelpText(
      'after',
      `\nColumns: ${columns.join(', ')}.\nAn optional column is emptied by ""; the logo may be a .png file. Takes effect within a minute.`,
    );
  addCommand(program, io, 'doctor', 'check everything from settings to e-mail, with a cure for each fault', runDoctor);
  addCommand(program, io, 'test-mail <address>', 'send a test mail through the e-mail backend', sendTestMail);
  addTextCommands(program, io);
  return runProgram(program, argv, io);
};

/** Sends the operators' test mail as the app would send its own. */
async function sendTestMail(call: Call, address: string): Promise<void> {
  const to = requireAddress(address);
  const { email } = requireConfig(call);
  const { seed, readSite } = openSite(call);
  await seed();
  const row = await readSite();
  const site = mailSiteOf(row, row.locale);
  const id = newId();
  const backend = createEmailBackend(email, { write: call.error });
  const envelope = { id, to, from: site.from, category: 'test-mail', domain: site.domain };
  const sent = await backend.send(buildMail(envelope, renderTestMail({ site })));
  await backend.close();
  const isAccepted = sent.outcome === 'accepted';
  const hint = isAccepted ? (next[sent.backend] ?? 'Check the mailbox and its spam folder.') : '';
  print(call, { id, ...sent }, isAccepted ? `Accepted by ${sent.backend}. ${hint}\n` : '');
  if (!isAccepted) {
    throw new CliError(`The mail was not accepted (${sent.reason}). \`site doctor\` checks the e-mail settings.`);
  }
}

const next: Readonly<Record<string, string>> = {
  console: 'It is printed above and was not sent: EMAIL_BACKEND is console.',
  file: 'It is a file in EMAIL_FILE_PATH and was not sent: EMAIL_BACKEND is file.',
};
