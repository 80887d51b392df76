// The console backend: the contract, and what a developer sees in the terminal.
import { systemClock } from '../../../../shared/clock';
import { createConsoleBackend } from '../../../../shared/mail/backends/developmentBackends';
import { parseMailbox } from '../../../../shared/mail/mailHeaders';
import { describeEmailBackend, type ReceivedMail } from '../emailBackend.contract';
import { sampleMail } from '../sampleMail';

function readPrinted(printed: string): ReceivedMail {
  const end = printed.indexOf('\n\n');
  const lines = printed.slice(0, end).split('\n');
  const headers = new Map(
    lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 2)]),
  );
  const { name: fromName, address: fromAddress } = parseMailbox(headers.get('from') ?? '');
  const recipients = ['to', 'cc', 'bcc'].flatMap((name) => headers.get(name) ?? []);
  const text = printed.slice(end + 2).replace(/-{79}\n$/, '');
  return {
    subject: headers.get('subject') ?? '',
    fromName,
    fromAddress,
    recipients,
    text,
    messageId: headers.get('message-id') ?? '',
    headers,
  };
}

describeEmailBackend('console', () => {
  const printed: string[] = [];
  return Promise.resolve({
    backend: createConsoleBackend({ write: (text) => printed.push(text), clock: systemClock }),
    received: () => Promise.resolve(printed.map(readPrinted)),
    close: () => Promise.resolve(),
  });
});

it('prints headers, an empty line, the text part and a rule', async () => {
  let printed = '';
  const backend = createConsoleBackend({
    write: (text) => (printed += text),
    clock: () => new Date('2026-01-02T03:04:05Z'),
  });
  await backend.send({ ...sampleMail(), text: 'Hello\n' });
  expect(printed).toBe(`Date: Fri, 02 Jan 2026 03:04:05 +0000
Message-ID: <Xh3_-aQm0pZr@codalab.org>
Subject: [CodaLab] Password Reset E-mail
From: CodaLab <info@codalab.org>
To: someuser@somewhere.com

Hello
-------------------------------------------------------------------------------
`);
});
