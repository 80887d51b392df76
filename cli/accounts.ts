// `npm run accounts -- …`: the operator's tool for the Accounts table. `--help` lists its commands.
import { run } from './accounts/run';
import { runInTerminal } from './support/io';

void runInTerminal(run);
