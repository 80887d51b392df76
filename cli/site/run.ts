// The commands of `npm run site`, the heir of CodaLab's `manage.py set_site`.
import { runDoctor, type DoctorOptions } from '../doctor/runDoctor';
import type { Run } from '../support/io';
import { addCommand, createProgram, runProgram, type CommonOptions } from '../support/program';
import { sendTestMail } from './sendTestMail';
import { columns, setColumn, type SetOptions } from './setColumn';
import { showSite } from './showSite';

export const run: Run = (argv, io) => {
  const program = createProgram('site', 'The settings of the site that mails are about, and whether all is well.', io);

  addCommand(
    program,
    'show',
    'show the site row, and whether it is good; an empty table is filled from the settings first',
  ).action((options: CommonOptions) => showSite(io, options));
  addCommand(program, 'set <column> <value>', 'change one column, such as: set domain codalab.org')
    .option('--dry-run', 'check the value and change nothing')
    .addHelpText(
      'after',
      `\nColumns: ${columns.join(', ')}.\nAn optional column is emptied by "". Takes effect within a minute.`,
    )
    .action((column: string, value: string, options: SetOptions) => setColumn(io, column, value, options));
  addCommand(program, 'doctor', 'look at settings, storage, site row and e-mail, and say what to do about each fault')
    .option('--workspace <id>', 'also search this Log Analytics workspace for links and reset keys')
    .action((options: DoctorOptions) => runDoctor(io, options));
  addCommand(program, 'test-mail <address>', 'send a test mail through the configured e-mail backend').action(
    (address: string, options: CommonOptions) => sendTestMail(io, address, options),
  );

  return runProgram(program, argv, io);
};
