// The invariants I1–I6 as assertions, for use after every case.
import { z } from 'zod';
import type { Row, StorageClients, TableName } from '../../shared/storage/storage';
import type { SendGridRequest } from '../fakes/scriptedSendGrid';
import type { AppAnswer } from './app';
import { verifyPassword } from './verifyPassword';

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
  readonly messageId: string;
  readonly to: string;
  readonly category: string;
  readonly text: string;
  readonly html: string;
  /** The reset key in it, empty in a notice. */
  readonly key: string;
}

const sendGridBody = z.object({
  // Exactly one recipient, and nobody in copy.
  personalizations: z.tuple([
    z.object({
      to: z.tuple([z.object({ email: z.string() })]),
      cc: z.undefined().optional(),
      bcc: z.undefined().optional(),
      custom_args: z.object({ mail_id: z.string() }),
    }),
  ]),
  headers: z.object({ 'Message-ID': z.string() }),
  categories: z.tuple([z.string()]),
  content: z.tuple([z.object({ value: z.string() }), z.object({ value: z.string() })]),
});
const read = new WeakMap<SendGridRequest, SentMail>();

/** Reads what SendGrid was sent. */
export function sentMailOf(request: SendGridRequest): SentMail {
  const known = read.get(request);
  if (known !== undefined) return known;
  const { personalizations, headers, categories, content } = sendGridBody.parse(request.body);
  const [{ to, custom_args: args }] = personalizations;
  const [text, html] = content.map(({ value }) => value);
  const mail = {
    ...{ id: args.mail_id, messageId: headers['Message-ID'], to: to[0].email, category: categories[0] },
    ...{ text: text ?? '', html: html ?? '', key: /\/reset\/key\/([^/\s]+)\//.exec(text ?? '')?.[1] ?? '' },
  };
  read.set(request, mail);
  return mail;
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

/** I6: each mail goes to a stored address byte for byte, and its links are of the configured site only. */
export function expectMailsToStoredOnly(mails: readonly SentMail[], stored: readonly string[], origin: string): void {
  for (const { to, text, html } of mails) {
    expect(stored).toContain(to);
    for (const [link] of `${text} ${html}`.matchAll(/https?:\/\/[^\s"'<>)]+/g))
      expect(new URL(link).origin).toBe(origin);
  }
}
