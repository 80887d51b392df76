// The invariants of test/support/invariants.ts are worth something only if they can fail.
import type { StorageClients } from '../../shared/storage/storage';
import { expectNoSilence, expectNothingLeaked, type SentMail } from '../support/invariants';
import { emptyStorageClients } from '../support/storage';

const secret = 'canary@somewhere.com';
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
