// The invariants I1–I6 as assertions, for use after every case.
import { z } from 'zod';
import { verifyPassword } from '../../shared/password/passwordHash';
import type { Row, StorageClients, TableName } from '../../shared/storage/storage';
import type { SendGridRequest } from '../fakes/scriptedSendGrid';
import type { AppAnswer } from './app';

const tableNames: readonly TableName[] = ['SiteSettings', 'Accounts', 'ResetKeys', 'Limits', 'Deliveries'];

export async function rowsOf(storage: StorageClients, name: TableName): Promise<Row[]> {
  const rows: Row[] = [];
  for await (const row of storage.table(name).list("PartitionKey ge ''")) rows.push(row);
  return rows;
}

/** The text of every visible message of a queue, decoded as far as it can be. At most 32. */
export async function messagesOf(
  storage: StorageClients,
  name: 'outgoing-mail' | 'outgoing-mail-poison',
): Promise<string[]> {
  const queue = await storage.queue(name);
  if (!(await queue.exists())) return [];
  const { peekedMessageItems } = await queue.peekMessages({ numberOfMessages: 32 });
  return peekedMessageItems.map(
    ({ messageText }) => `${messageText}\n${Buffer.from(messageText, 'base64').toString('utf8')}`,
  );
}

export interface SentMail {
  readonly id: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const sendGridBody = z.object({
  personalizations: z.array(
    z.object({
      to: z.array(z.object({ email: z.string() })),
      cc: z.array(z.unknown()).optional(),
      bcc: z.array(z.unknown()).optional(),
      custom_args: z.object({ mail_id: z.string() }),
    }),
  ),
  subject: z.string(),
  content: z.array(z.object({ type: z.string(), value: z.string() })),
});

/** Reads what SendGrid was sent, and sees to it that nobody else was addressed. */
export function sentMailOf({ body }: Pick<SendGridRequest, 'body'>): SentMail {
  const { personalizations, subject, content } = sendGridBody.parse(body);
  const [first, ...more] = personalizations;
  expect(more).toEqual([]);
  expect(first?.cc ?? first?.bcc).toBeUndefined();
  const partOf = (type: string): string => content.find((part) => part.type === type)?.value ?? '';
  return {
    id: first?.custom_args.mail_id ?? '',
    to: (first?.to ?? []).map(({ email }) => email),
    subject,
    text: partOf('text/plain'),
    html: partOf('text/html'),
  };
}

const finalStates = new Set(['accepted', 'suppressed', 'failed', 'waiting', 'sending']);

/** I1: every mail that concerns an account is sent, or has a record that says why not. Nothing ends in silence. */
export async function expectNoSilence(storage: StorageClients, mails: readonly SentMail[]): Promise<void> {
  const rows = (await rowsOf(storage, 'Deliveries')).filter(({ partitionKey }) => partitionKey !== 'alert');
  expect(rows.filter(({ state }) => !finalStates.has(String(state)))).toEqual([]);
  const recorded = new Set(rows.map(({ rowKey }) => rowKey));
  expect(mails.filter(({ id }) => !recorded.has(id))).toEqual([]);
}

/** I2: at most one of the answers to redemptions of one key is a success. @returns the index of the winner, or -1 */
export function expectOneRedemption(answers: readonly AppAnswer[]): number {
  const statuses = answers.map(({ status }) => status);
  expect(statuses.filter((status) => status === 200).length).toBeLessThanOrEqual(1);
  return statuses.indexOf(200);
}

/** I3: the stored hash is the one of before, or the winner's password and nobody else's. */
export async function expectHashOf(
  row: Row | undefined,
  expected: { readonly unchanged: string } | { readonly password: string; readonly losers?: readonly string[] },
): Promise<void> {
  const hash = String(row?.['password']);
  if ('unchanged' in expected) {
    expect(hash).toBe(expected.unchanged);
    return;
  }
  expect(hash).toMatch(/^argon2\$argon2id\$v=19\$m=19456,t=2,p=1\$[\w+/]{22}\$[\w+/]{43}$/);
  await expect(verifyPassword(expected.password, hash)).resolves.toBe(true);
  for (const loser of expected.losers ?? []) await expect(verifyPassword(loser, hash)).resolves.toBe(false);
}

/** I4: no reset key, password, API key or full address in the log, the queues, or a table outside its own column. */
export async function expectNothingLeaked(
  log: string,
  storage: StorageClients,
  secrets: readonly string[],
): Promise<void> {
  const tables = await Promise.all(tableNames.map(async (name) => [name, await rowsOf(storage, name)] as const));
  const places: [string, string][] = [
    ['the log', log],
    ['the queue', (await messagesOf(storage, 'outgoing-mail')).join('\n')],
    ['the poison queue', (await messagesOf(storage, 'outgoing-mail-poison')).join('\n')],
    ...tables.map(([name, rows]): [string, string] => [
      name,
      rows.map((row) => withoutOwnColumns(name, row)).join('\n'),
    ]),
  ];
  const hits = places.flatMap(([place, text]) =>
    // Not the secret itself in the failure's message: a test's output is a log, too.
    secrets.flatMap((secret, index) =>
      secret.length > 5 && text.includes(secret) ? [`secret ${index} is in ${place}`] : [],
    ),
  );
  expect(hits).toEqual([]);
}

function withoutOwnColumns(table: TableName, row: Row): string {
  if (table === 'SiteSettings') return '';
  return JSON.stringify(table === 'Accounts' ? { ...row, email: undefined } : row);
}

/** I5: two answers that nobody can tell apart. */
export function expectSameAnswer(one: AppAnswer, other: AppAnswer): void {
  const comparable = ({ status, text, headers }: AppAnswer) => ({
    status,
    text,
    headers: [...headers].filter(([name]) => name !== 'date').sort(),
  });
  expect(comparable(other)).toEqual(comparable(one));
}

/** I6: each mail has exactly one recipient, a stored address byte for byte, and links of the configured site only. */
export function expectMailsToStoredOnly(mails: readonly SentMail[], stored: readonly string[], origin: string): void {
  for (const { to, text, html } of mails) {
    expect(to).toHaveLength(1);
    expect(stored).toContain(to[0]);
    for (const [link] of `${text} ${html}`.matchAll(/https?:\/\/[^\s"'<>)]+/g))
      expect(new URL(link).origin).toBe(origin);
  }
}
