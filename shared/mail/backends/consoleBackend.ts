// The `console` e-mail backend, default in development: prints each mail in the terminal as Django's does, and keeps it as a file
// where `EMAIL_FILE_PATH` says so (decision 0005). Nothing is sent.
import type { Clock } from '../../clock';
import type { EmailBackend } from '../emailBackend';
import { refuseUnsafeMail } from '../mailHeaders';

const rule = '-'.repeat(79);

export interface ConsoleBackendOptions {
  readonly write: (text: string) => void;
  /** Gets every printed mail as well. Its outcome does not count; a failure is printed. */
  readonly keep?: EmailBackend | undefined;
  readonly clock: Clock;
}

/** Headers, an empty line, the text part and a rule in one `write`, so that concurrent mails do not mix. */
export function createConsoleBackend({ write, keep, clock }: ConsoleBackendOptions): EmailBackend {
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
