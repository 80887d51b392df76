// The invariants of test/support/invariants.ts are worth something only if they can fail.
import type { StorageClients } from '../../shared/storage/storage';
import { expectNoSilence, expectNothingLeaked, type SentMail } from '../support/invariants';
import { emptyStorageClients } from '../support/storage';

const secret = 'canary@somewhere.com';
const mail: SentMail = { id: 'm', messageId: 'm', to: 'a@b', category: '', text: '', html: '', key: '' };

describe('the invariants over storage', () => {
  let storage: StorageClients;
  beforeAll(async () => {
    storage = await emptyStorageClients();
    await storage.table('Accounts').insert('p', 'clean', { email: secret });
    await storage.table('SiteSettings').insert('site', '1', { contactEmail: secret });
    await storage.table('Deliveries').insert('p', 'm', { state: 'accepted' });
  });

  const leaked = (log = '') => expectNothingLeaked(log, storage, [secret]);

  it('[LG1] find a secret in the log and in a queue', async () => {
    await leaked('a log');
    await expect(leaked(`a log with ${secret}`)).rejects.toThrow(/0 is in the log/);
    const queue = await storage.queue('outgoing-mail');
    for (const message of [secret, Buffer.from(`{"email":"${secret}"}`).toString('base64')]) {
      await queue.sendMessage(message);
      await expect(leaked()).rejects.toThrow(/queue/);
      await queue.clearMessages();
    }
  });

  it.each([
    ['Accounts', 'p', { username: secret }],
    ['Accounts', 'p', { email: 'x', remark: `x ${secret}` }],
    ['Deliveries', 'p', { email: secret }],
    ['Limits', 'p', { bucket: secret }],
    ['Limits', secret, {}],
    ['ResetKeys', 'p', { key: secret }],
  ] as const)('[LG1] find a secret in %s outside its own column', async (name, partition, columns) => {
    await storage.table(name).insert(partition, 'dirty', columns);
    await expect(leaked()).rejects.toThrow(new RegExp(name));
    await storage.table(name).remove(partition, 'dirty', '*');
  });

  it('find a mail that has no record', async () => {
    await expectNoSilence(storage, [mail]);
    await expect(expectNoSilence(storage, [{ ...mail, id: 'other' }])).rejects.toThrow();
  });
});
