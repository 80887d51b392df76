// `npm run outbox -- …`: what became of a mail, and the mails that stay in the poison queue. `--help` lists its commands.
import { run } from './outbox/run';
import { runInTerminal } from './support/io';

void runInTerminal(run);
