// The `console` e-mail backend, default in development: prints each mail in the terminal as Django's does, and keeps it as a file
// where `EMAIL_FILE_PATH` says so (decision 0005). Nothing is sent.
import type { EmailBackend, Mail, SendResult } from './emailBackend';
import { refuseUnsafeMail } from './mailHeaders';

/** What the console backend needs: where to print, and the time for the Date header. */
export interface ConsoleBackendOptions {
  readonly write: (text: string) => void;
  /** Gets every printed mail as well: the file backend. What it answers does not count; a failure is printed. */
  readonly keep?: EmailBackend;
  readonly now?: () => Date;
}

const RULE = '-'.repeat(79);

/** Headers, an empty line, the text part as it is, and a rule: all in one `write`, so that mails sent at once do not mix. */
export function createConsoleBackend({ write, keep, now = () => new Date() }: ConsoleBackendOptions): EmailBackend {
  return {
    name: 'console',
    async send(mail: Mail): Promise<SendResult> {
      const refused = refuseUnsafeMail(mail);
      if (refused) return refused;
      const date = now().toUTCString().replace('GMT', '+0000');
      const headers = [
        `Date: ${date}`,
        `Message-ID: ${mail.messageId}`,
        `Subject: ${mail.subject}`,
        `From: ${mail.from}`,
        `To: ${mail.to}`,
      ];
      write(`${headers.join('\n')}\n\n${mail.text}${RULE}\n`);
      const kept = await keep?.send(mail);
      if (kept !== undefined && kept.outcome !== 'accepted') write(`This mail could not be kept: ${kept.reason}.\n`);
      return { outcome: 'accepted', backend: 'console' };
    },
    close: async () => keep?.close(),
  };
}
