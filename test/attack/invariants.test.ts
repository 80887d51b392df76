// The invariants of test/support/invariants.ts are worth something only if they can fail. And what the edge does with a bug (Q8).
import type { InvocationContext } from '@azure/functions';
import { backgroundTask, httpEndpoint } from '../../functions/invocation';
import type { Services } from '../../shared/services';
import type { TableStore } from '../../shared/storage/tableStore';
import { createMemoryTableStore } from '../fakes/memoryTableStore';
import {
  expectHashOf,
  expectMailsToStoredOnly,
  expectNoSilence,
  expectNothingLeaked,
  expectOneRedemption,
  expectSameAnswer,
  sentMailOf,
  type SentMail,
} from '../support/invariants';
import type { AppAnswer } from '../support/app';
import { oldHash } from '../support/attack';

const secret = 'canary@somewhere.com';

/** Storage of memory tables, and queues with one message each. */
function storageWith(
  edit: (table: (name: string) => ReturnType<typeof createMemoryTableStore>) => void,
  messages: string[] = [],
) {
  const tables = new Map<string, ReturnType<typeof createMemoryTableStore>>();
  const table = (name: string) => {
    const found = tables.get(name) ?? createMemoryTableStore();
    tables.set(name, found);
    return found;
  };
  edit(table);
  const peekedMessageItems = messages.map((messageText) => ({ messageText }));
  const queue = () => ({ exists: async () => true, peekMessages: async () => ({ peekedMessageItems }) });
  return { table: table as (name: string) => TableStore, queue } as unknown as Parameters<
    typeof expectNothingLeaked
  >[1];
}
const answer = (change: Partial<AppAnswer> = {}): AppAnswer => ({
  status: 202,
  headers: new Headers({ a: '1' }),
  text: 'x',
  json: {},
  ...change,
});
const mail: SentMail = { id: 'm', to: ['a@b'], subject: '', text: 'https://codalab.org/x', html: '' };

describe('the invariants', () => {
  it('[LG1] find a secret in the log, in a queue in either form, and in a table outside its own column', async () => {
    const clean = storageWith((table) => {
      table('Accounts').edit('p', 'r', { email: secret });
      table('SiteSettings').edit('site', '1', { contactEmail: secret });
    });
    await expectNothingLeaked('a log', clean, [secret]);
    await expect(expectNothingLeaked(`a log with ${secret}`, clean, [secret])).rejects.toThrow(
      /secret 0 is in the log/,
    );
    for (const message of [secret, Buffer.from(`{"email":"${secret}"}`).toString('base64')]) {
      await expect(
        expectNothingLeaked(
          '',
          storageWith(() => {}, [message]),
          [secret],
        ),
      ).rejects.toThrow(/queue/);
    }
    for (const [name, columns] of [
      ['Accounts', { username: secret }],
      ['Accounts', { email: 'x', remark: `x ${secret}` }],
      ['Deliveries', { email: secret }],
      ['Limits', { bucket: secret }],
      ['ResetKeys', { key: secret }],
    ] as const) {
      const dirty = storageWith((table) => table(name).edit('p', 'r', columns));
      await expect(expectNothingLeaked('', dirty, [secret])).rejects.toThrow(new RegExp(name));
    }
    const inKey = storageWith((table) => table('Limits').edit(secret, 'r', {}));
    await expect(expectNothingLeaked('', inKey, [secret])).rejects.toThrow(/Limits/);
  });

  it('find a mail that has no record', async () => {
    const recorded = storageWith((table) => table('Deliveries').edit('p', 'm', { state: 'accepted' }));
    await expectNoSilence(recorded, [mail]);
    await expect(expectNoSilence(recorded, [{ ...mail, id: 'other' }])).rejects.toThrow();
  });

  it('find a second success, a foreign hash, a difference, a foreign recipient and a foreign link', async () => {
    expect(expectOneRedemption([answer({ status: 410 }), answer({ status: 200 })])).toBe(1);
    expect(() => expectOneRedemption([answer({ status: 200 }), answer({ status: 200 })])).toThrow();
    const row = { etag: '', password: 'other' };
    await expect(expectHashOf(row, { unchanged: oldHash })).rejects.toThrow();
    await expect(expectHashOf(row, { password: 'other' })).rejects.toThrow();
    expectSameAnswer(answer(), answer({ headers: new Headers({ a: '1', date: 'now' }) }));
    for (const change of [
      { status: 200 },
      { text: 'y' },
      { headers: new Headers({ a: '2' }) },
      { headers: new Headers({ a: '1', b: '1' }) },
    ]) {
      expect(() => expectSameAnswer(answer(), answer(change))).toThrow();
    }
    expectMailsToStoredOnly([mail], ['a@b'], 'https://codalab.org');
    for (const change of [
      { to: ['A@b'] },
      { to: ['a@b', 'a@b'] },
      { to: [] },
      { text: 'https://evil.example' },
      { html: '<a href="http://codalab.org">' },
    ]) {
      expect(() => expectMailsToStoredOnly([{ ...mail, ...change }], ['a@b'], 'https://codalab.org')).toThrow();
    }
    const to = [{ email: 'a@b' }];
    const one = { to, custom_args: { mail_id: 'm' } };
    const body = { personalizations: [one], subject: '', content: [] };
    expect(sentMailOf({ body }).to).toEqual(['a@b']);
    expect(() => sentMailOf({ body: { ...body, personalizations: [one, one] } })).toThrow();
    expect(() => sentMailOf({ body: { ...body, personalizations: [{ ...one, bcc: to }] } })).toThrow();
  });
});

describe('a bug behind the edge', () => {
  const lines: string[] = [];
  const write = (line: string): void => void lines.push(line);
  const context = { log: write, warn: write, error: write } as unknown as InvocationContext;
  const bug = Object.assign(new TypeError(`it broke for ${secret}\n    at ${secret}`), { code: 'EBUG' });
  const source = () => Promise.resolve({ config: { allowedOrigins: [] } } as unknown as Services);
  beforeEach(() => (lines.length = 0));

  it('[Q8] in a timer or queue function is thrown to the host without its text, and logged without it', async () => {
    const handler = backgroundTask<unknown>('seedSite', source, () => Promise.reject(bug));
    await expect(handler({}, context)).rejects.toThrow(new Error('seedSite failed: TypeError'));
    await expect(handler({}, context)).rejects.not.toHaveProperty('cause', bug);
    expect(lines.join('')).toContain('"event":"taskFailed"');
    expect(lines.join('')).not.toContain(secret);
  });

  it('[N2] in an HTTP function is a 500 without its text, logged without it', async () => {
    const handler = httpEndpoint('checkKey', source, () => Promise.reject(bug));
    const request = { method: 'POST', headers: new Headers() } as unknown as Parameters<typeof handler>[0];
    const response = await handler(request, context);
    expect(response).toMatchObject({ status: 500, body: expect.stringContaining('internal_error') });
    expect(JSON.stringify(response)).not.toMatch(/canary|TypeError|broke/);
    expect(lines.join('')).toContain('"event":"unexpectedError"');
    expect(lines.join('')).not.toContain(secret);
  });
});
