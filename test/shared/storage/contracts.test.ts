// The same contract suites over the memory fakes, which the tests of the story use, and over Azurite.
import { withDeadline } from '../../../shared/clock';
import { createAccountsTable } from '../../../shared/storage/accountsTable';
import { createOutgoingMailQueue } from '../../../shared/storage/outgoingMailQueue';
import { createStorageClients, type StorageClients, type TableStore } from '../../../shared/storage/storage';
import { createMemoryQueue } from '../../fakes/memoryQueue';
import { createMemoryTableStore } from '../../fakes/memoryTableStore';
import { addressHashOf } from '../../../shared/address';
import { emptyStorage, emptyStorageClients } from '../../support/storage';
import { accountDirectoryContract, type DirectoryUnderTest } from '../directory/accountDirectory.contract';
import { outgoingMailQueueContract, storesContract } from './stores.contract';
import { tableStoreContract } from './tableStore.contract';

/** One account of Azurite for all tables of this file. */
let clients: Promise<StorageClients> | undefined;
const azurite = (): Promise<StorageClients> => (clients ??= emptyStorageClients());

tableStoreContract('memory', async () => createMemoryTableStore());
tableStoreContract('Azurite', async () => (await azurite()).table('Limits'));

storesContract('memory', async () => createMemoryTableStore());
storesContract('Azurite', async (name) => (await azurite()).table(name));

function accountsIn(table: TableStore): DirectoryUnderTest {
  return {
    directory: createAccountsTable(table, () => undefined),
    seed: async (accounts) => {
      for await (const { partitionKey = '', rowKey = '' } of table.list("PartitionKey ge ''")) {
        await table.remove(partitionKey, rowKey, '*');
      }
      for (const { id, ...columns } of accounts) await table.insert(addressHashOf(columns.email), id, columns);
    },
  };
}
accountDirectoryContract('the table in memory', async () => accountsIn(createMemoryTableStore()));
accountDirectoryContract('the table in Azurite', async () =>
  accountsIn((await emptyStorageClients()).table('Accounts')),
);

outgoingMailQueueContract('memory', async () => {
  const queue = createMemoryQueue();
  const visible = async () =>
    queue.sent.filter(({ delaySeconds }) => delaySeconds === 0).map(({ envelope }) => envelope);
  return { queue, visible, poisoned: async () => queue.poisoned };
});

async function azuriteQueue() {
  const storage = await emptyStorageClients();
  const peek = async (name: string) =>
    (await (await storage.queue(name)).peekMessages({ numberOfMessages: 32 })).peekedMessageItems;
  const read = async (name: string): Promise<unknown[]> =>
    (await peek(name)).map(({ messageText }) => {
      const text = Buffer.from(messageText, 'base64').toString('utf8');
      return text.startsWith('{') || text === 'null' ? (JSON.parse(text) as unknown) : text;
    });
  return {
    queue: createOutgoingMailQueue(storage.putMessage),
    peek,
    visible: () => read('outgoing-mail'),
    poisoned: () => read('outgoing-mail-poison'),
  };
}
outgoingMailQueueContract('Azurite', azuriteQueue);

it('messages never expire: an app that is down for a week loses no mail', async () => {
  const { queue, peek } = await azuriteQueue();
  await queue.send({ v: 1, id: 'A'.repeat(22), attempt: 0, kid: 'a', sealed: 'x' }, 0);
  await queue.poison('x');
  const messages = [...(await peek('outgoing-mail')), ...(await peek('outgoing-mail-poison'))];
  expect(messages.map(({ expiresOn }) => expiresOn.getUTCFullYear())).toEqual([9999, 9999]);
});

describe('D3 a table or queue that is not there', () => {
  const empty = () => createStorageClients({ kind: 'connectionString', connectionString: emptyStorage() });

  it('is an outage, and not made by the way: an empty one would answer that nobody has an account', async () => {
    const storage = empty();
    const table = storage.table('Accounts');
    const missing = { name: 'StorageUnavailable', part: 'tables', code: 'TableNotFound' };
    await expect(table.insert('p', 'r', {})).rejects.toMatchObject(missing);
    await expect(table.get('p', 'r')).rejects.toMatchObject(missing);
    await expect(table.merge('p', 'r', {}, '*')).rejects.toMatchObject(missing);
    await expect(table.remove('p', 'r', '*')).rejects.toMatchObject(missing);
    await expect(table.page("PartitionKey eq 'p'", undefined)).rejects.toMatchObject(missing);
    const sent = createOutgoingMailQueue(storage.putMessage).poison('x');
    await expect(sent).rejects.toMatchObject({ part: 'queue', code: 'QueueNotFound' });
  });

  it('is made by createMissing, again and again, and within the deadline', async () => {
    const storage = empty();
    await expect(withDeadline(AbortSignal.abort(), () => storage.createMissing())).rejects.toThrow();
    for (let time = 0; time < 2; time++) await storage.createMissing();
    await expect(storage.table('Accounts').get('p', 'r')).resolves.toBeUndefined();
  });
});
