// The e-mail backends of development: nothing is sent. `console`, the default, prints each mail in the terminal as Django's does, and
// keeps it as a file where `EMAIL_FILE_PATH` says so (decision 0005). `file` writes one `.eml` per mail, as Django's filebased backend.
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../clock';
import type { EmailBackend, Mail } from '../emailBackend';
import { refuseUnsafeMail, safeId, toMimeMessage } from '../mailHeaders';
import { property } from './connectionErrors';

const rule = '-'.repeat(79);

export interface ConsoleBackendOptions {
  /** The standard output if absent. */
  readonly write?: ((text: string) => void) | undefined;
  /** Gets every printed mail as well. Its outcome does not count; a failure is printed. */
  readonly keep?: EmailBackend | undefined;
  readonly clock: Clock;
}

/** Headers, an empty line, the text part and a rule in one `write`, so that concurrent mails do not mix. */
export function createConsoleBackend({
  write = (text) => process.stdout.write(text),
  keep,
  clock,
}: ConsoleBackendOptions): EmailBackend {
  return {
    name: 'console',
    async send(mail) {
      const refused = refuseUnsafeMail(mail);
      if (refused) return refused;
      const headers = [
        `Date: ${clock().toUTCString().replace('GMT', '+0000')}`,
        `Message-ID: ${mail.messageId}`,
        `Subject: ${mail.subject}`,
        `From: ${mail.from}`,
        `To: ${mail.to}`,
      ];
      write(`${headers.join('\n')}\n\n${mail.text}${rule}\n`);
      const kept = await keep?.send(mail);
      if (kept !== undefined && kept.outcome !== 'accepted') write(`This mail could not be kept: ${kept.reason}.\n`);
      return { outcome: 'accepted', backend: 'console' };
    },
    close: async () => keep?.close(),
  };
}

/** The mail as an RFC 5322 message with CRLF line ends: what an `.eml` file holds. */
export async function toEml(mail: Mail, date: Date): Promise<Buffer> {
  const { createTransport } = await import('nodemailer');
  const composer = createTransport({ streamTransport: true, buffer: true, newline: 'windows' });
  const { message } = await composer.sendMail({ ...toMimeMessage(mail), date });
  if (!Buffer.isBuffer(message)) throw new Error('nodemailer has changed: no buffer');
  return message;
}

/** `20260102T030405678Z-<mail id>.eml`: sorts by time, holds no character of a path. */
function fileName(mail: Mail, date: Date): string {
  return `${date.toISOString().replace(/[-:.]/g, '')}-${safeId(mail.id).slice(0, 150)}.eml`;
}

/** Writes under another name first, then renames: a reader of the directory never sees half a mail. */
async function writeWhole(directory: string, name: string, content: Buffer): Promise<void> {
  await mkdir(directory, { recursive: true });
  const partial = join(directory, `.${name}.partial`);
  try {
    await writeFile(partial, content);
    await rename(partial, join(directory, name));
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Mail into `directory`, which is made if it is missing. A full or forbidden disk is transient (`file_enospc`, `file_eacces`). */
export function createFileBackend({ directory, clock }: { directory: string; clock: Clock }): EmailBackend {
  return {
    name: 'file',
    async send(mail) {
      const refused = refuseUnsafeMail(mail);
      if (refused) return refused;
      const date = clock();
      try {
        await writeWhole(directory, fileName(mail, date), await toEml(mail, date));
        return { outcome: 'accepted', backend: 'file' };
      } catch (error) {
        const code = property(error, 'code');
        const reason = typeof code === 'string' ? `file_${code.toLowerCase()}` : 'file';
        return { outcome: 'transient', reason, surelyNotAccepted: true, misconfigured: true };
      }
    },
    close: () => Promise.resolve(),
  };
}
