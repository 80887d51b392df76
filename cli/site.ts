// `npm run site -- …`: the site settings, the doctor and the test mail. `--help` lists its commands.
import { run } from './site/run';
import { runInTerminal } from './support/io';

void runInTerminal(run);
