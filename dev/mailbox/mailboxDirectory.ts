// Where the mailbox's mails are kept: EMAIL_FILE_PATH if somebody set it, else a directory that goes when the host goes.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Makes sure that the app keeps its mails: sets `EMAIL_FILE_PATH` in `environment` when it is not set. Live reset links stand in
 * these files, so a directory made here is removed at the end of the process.
 * @returns the directory
 */
export function useMailboxDirectory(environment: Record<string, string | undefined>): string {
  const given = environment['EMAIL_FILE_PATH'];
  if (given) return given;
  const directory = mkdtempSync(path.join(tmpdir(), 'mailbox-'));
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  environment['EMAIL_FILE_PATH'] = directory;
  return directory;
}
