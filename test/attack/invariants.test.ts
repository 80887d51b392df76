// The invariants of test/support/invariants.ts are worth something only if they can fail.
import type { StorageClients } from '../../shared/storage/storageClients';
import type { AppAnswer } from '../support/app';
import { oldHash } from '../support/attack';
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
import { emptyStorageClients } from '../support/storage';

const secret = 'canary@somewhere.com';
const answer = (change: Partial<AppAnswer> = {}): AppAnswer => ({
  ...{ status: 202, headers: new Headers({ a: '1' }), text: 'x', json: {} },
  ...change,
});
const mail: SentMail = { id: 'm', to: ['a@b'], subject: '', text: 'https://codalab.org/x', html: '' };

describe('the invariants over storage', () => {
  let storage: StorageClients;
  beforeAll(async () => {
    storage = await emptyStorageClients();
    await storage.table('Accounts').insert('p', 'clean', { email: secret });
    await storage.table('SiteSettings').insert('site', '1', { contactEmail: secret });
    await storage.table('Deliveries').insert('p', 'm', { state: 'accepted' });
  });

  it('[LG1] find a secret in the log', async () => {
    await expectNothingLeaked('a log', storage, [secret]);
    await expect(expectNothingLeaked(`a log with ${secret}`, storage, [secret])).rejects.toThrow(/0 is in the log/);
  });

  it.each([secret, Buffer.from(`{"email":"${secret}"}`).toString('base64')])(
    '[LG1] find a secret in a queue: %s',
    async (message) => {
      const queue = await storage.queue('outgoing-mail');
      await queue.sendMessage(message);
      await expect(expectNothingLeaked('', storage, [secret])).rejects.toThrow(/queue/);
      await queue.clearMessages();
    },
  );

  it.each([
    ['Accounts', 'p', { username: secret }],
    ['Accounts', 'p', { email: 'x', remark: `x ${secret}` }],
    ['Deliveries', 'p', { email: secret }],
    ['Limits', 'p', { bucket: secret }],
    ['Limits', secret, {}],
    ['ResetKeys', 'p', { key: secret }],
  ] as const)('[LG1] find a secret in %s outside its own column', async (name, partition, columns) => {
    await storage.table(name).insert(partition, 'dirty', columns);
    await expect(expectNothingLeaked('', storage, [secret])).rejects.toThrow(new RegExp(name));
    await storage.table(name).remove(partition, 'dirty', '*');
  });

  it('find a mail that has no record', async () => {
    await expectNoSilence(storage, [mail]);
    await expect(expectNoSilence(storage, [{ ...mail, id: 'other' }])).rejects.toThrow();
  });
});

it('the invariants find a second success, a foreign hash, a difference, a foreign recipient and a foreign link', async () => {
  expect(expectOneRedemption([answer({ status: 410 }), answer({ status: 200 })])).toBe(1);
  expect(() => expectOneRedemption([answer({ status: 200 }), answer({ status: 200 })])).toThrow();
  const row = { partitionKey: '', rowKey: '', etag: '', password: 'other' };
  await expect(expectHashOf(row, { unchanged: oldHash })).rejects.toThrow();
  await expect(expectHashOf(row, { password: 'other' })).rejects.toThrow();
  expectSameAnswer(answer(), answer({ headers: new Headers({ a: '1', date: 'now' }) }));
  const headers = [new Headers({ a: '2' }), new Headers({ a: '1', b: '1' })];
  for (const change of [{ status: 200 }, { text: 'y' }, ...headers.map((other) => ({ headers: other }))]) {
    expect(() => expectSameAnswer(answer(), answer(change))).toThrow();
  }
  expectMailsToStoredOnly([mail], ['a@b'], 'https://codalab.org');
  const recipients = [['A@b'], ['a@b', 'a@b'], []].map((to) => ({ to }));
  for (const change of [...recipients, { text: 'https://evil.example' }, { html: '<a href="http://codalab.org">' }]) {
    expect(() => expectMailsToStoredOnly([{ ...mail, ...change }], ['a@b'], 'https://codalab.org')).toThrow();
  }
  const to = [{ email: 'a@b' }];
  const one = { to, custom_args: { mail_id: 'm' } };
  const body = { personalizations: [one], subject: '', content: [] };
  expect(sentMailOf({ body }).to).toEqual(['a@b']);
  expect(() => sentMailOf({ body: { ...body, personalizations: [one, one] } })).toThrow();
  expect(() => sentMailOf({ body: { ...body, personalizations: [{ ...one, bcc: to }] } })).toThrow();
});
