// The file backend: the contract, read back from the folder, and how the files are named and written.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createFileBackend } from '../../../../shared/mail/backends/developmentBackends';
import { describeEmailBackend, readMime } from '../emailBackend.contract';
import { sampleMail } from '../sampleMail';

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

const clock = () => new Date('2026-01-02T03:04:05.678Z');

it('names the file by time and mail id, and leaves nothing else behind', async () => {
  await createFileBackend({ directory: join(directory, 'new', 'folder'), clock }).send(sampleMail({ id: 'a1-B_2' }));
  expect(await readdir(join(directory, 'new', 'folder'))).toEqual(['20260102T030405678Z-a1-B_2.eml']);
});

it('keeps a mail id from naming another folder', async () => {
  await createFileBackend({ directory, clock }).send(sampleMail({ id: '../../etc/x y' }));
  expect(await readdir(directory)).toEqual(['20260102T030405678Z-%2e%2e%2f%2e%2e%2fetc%2fx%20y.eml']);
});

it('writes a message any mail program opens: CRLF, MIME, Auto-Submitted, both parts', async () => {
  await createFileBackend({ directory, clock }).send(sampleMail());
  const [file = ''] = await readdir(directory);
  const raw = await readFile(join(directory, file), 'utf8');
  expect(raw.replace(/\r\n/g, '')).not.toMatch(/[\r\n]/);
  const { headers, html } = await readMime(raw);
  expect(headers.get('mime-version')).toBe('1.0');
  expect(headers.get('auto-submitted')).toBe('auto-generated');
  expect(headers.get('content-language')).toBe('en');
  expect(headers.get('date')).toBe('Fri, 02 Jan 2026 03:04:05 +0000');
  expect(html).toContain('Reset your password');
});

it('says transient, by the code alone, when the folder cannot be written', async () => {
  await writeFile(join(directory, 'occupied'), '');
  const result = await createFileBackend({ directory: join(directory, 'occupied', 'x'), clock }).send(sampleMail());
  expect(result).toEqual({
    outcome: 'transient',
    reason: 'file_enotdir',
    surelyNotAccepted: true,
    misconfigured: true,
  });
});
