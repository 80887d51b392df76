// The console and the file backend: the contract, and what a developer sees.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createConsoleBackend, createFileBackend } from '../../../../shared/mail/backends/developmentBackends';
import { describeEmailBackend, readMime, type ReceivedMail } from '../emailBackend.contract';
import { sampleMail } from '../sampleMail';

const clock = () => new Date('2026-01-02T03:04:05.678Z');

async function readPrinted(printed: string): Promise<ReceivedMail> {
  const [head = '', ...text] = printed.replace(/-{79}\n$/, '').split('\n\n');
  const { messageId, ...mail } = await readMime(head);
  return { ...mail, messageId, text: text.join('\n\n') };
}

describeEmailBackend('console', () => {
  const printed: string[] = [];
  return Promise.resolve({
    backend: createConsoleBackend({ write: (text) => printed.push(text), clock }),
    received: () => Promise.all(printed.map(readPrinted)),
    close: () => Promise.resolve(),
  });
});

it('the console shows headers, an empty line, the text part and a rule', async () => {
  let printed = '';
  await createConsoleBackend({ write: (text) => (printed += text), clock }).send({ ...sampleMail(), text: 'Hello\n' });
  expect(printed).toBe(`Date: Fri, 02 Jan 2026 03:04:05 +0000
Message-ID: <Xh3_-aQm0pZr@codalab.org>
Subject: [CodaLab] Password Reset E-mail
From: CodaLab <info@codalab.org>
To: someuser@somewhere.com

Hello
-------------------------------------------------------------------------------
`);
});

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'mail-'));
});
afterEach(async () => {
  await rm(directory, { recursive: true, force: true });
});

describeEmailBackend('file', () => {
  let milliseconds = 0;
  return Promise.resolve({
    backend: createFileBackend({ directory, clock: () => new Date(milliseconds++) }),
    async received() {
      const files = await readdir(directory);
      return Promise.all(files.sort().map(async (file) => readMime(await readFile(join(directory, file)))));
    },
    close: () => Promise.resolve(),
  });
});

it.each([
  ['a1-B_2', '20260102T030405678Z-a1-B_2.eml'],
  ['../../etc/x y', '20260102T030405678Z-%2e%2e%2f%2e%2e%2fetc%2fx%20y.eml'],
])('the file of the mail %s is named by time and id, in a folder that is made for it', async (id, name) => {
  const folder = join(directory, 'new', 'folder');
  await createFileBackend({ directory: folder, clock }).send(sampleMail({ id }));
  expect(await readdir(folder)).toEqual([name]);
});

it('the file is a message any mail program opens: CRLF, MIME, Auto-Submitted, both parts', async () => {
  await createFileBackend({ directory, clock }).send(sampleMail());
  const [file = ''] = await readdir(directory);
  const raw = await readFile(join(directory, file), 'utf8');
  expect(raw.replace(/\r\n/g, '')).not.toMatch(/[\r\n]/);
  const { headers, html } = await readMime(raw);
  expect(Object.fromEntries(headers)).toMatchObject({
    'mime-version': '1.0',
    'auto-submitted': 'auto-generated',
    'content-language': 'en',
    date: 'Fri, 02 Jan 2026 03:04:05 +0000',
  });
  expect(html).toContain('Reset your password');
});

it('a folder that cannot be written makes a transient result, by the code alone', async () => {
  await writeFile(join(directory, 'occupied'), '');
  const result = await createFileBackend({ directory: join(directory, 'occupied', 'x'), clock }).send(sampleMail());
  const refused = { outcome: 'transient', surelyNotAccepted: true, misconfigured: true };
  expect(result).toEqual({ ...refused, reason: 'file_enotdir' });
});
