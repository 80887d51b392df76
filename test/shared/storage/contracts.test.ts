// The same contract suites over the memory fakes, which the flow tests use, and over Azurite.
import { createOutgoingMailQueue } from '../../../shared/storage/outgoingMailStorageQueue';
import type { StorageClients } from '../../../shared/services';
import { createMemoryQueue } from '../../fakes/memoryQueue';
import { createMemoryTableStore } from '../../fakes/memoryTableStore';
import { emptyStorageClients } from '../../support/storage';
import { flowStoresContract } from './flowStores.contract';
import { outgoingMailQueueContract } from './outgoingMailQueue.contract';
import { tableStoreContract } from './tableStore.contract';

/** One account of Azurite for all tables of this file. */
let clients: Promise<StorageClients> | undefined;
const azurite = (): Promise<StorageClients> => (clients ??= emptyStorageClients());

tableStoreContract('memory', async () => createMemoryTableStore());
tableStoreContract('Azurite', async () => (await azurite()).table('Limits'));

flowStoresContract('memory', async () => createMemoryTableStore());
flowStoresContract('Azurite', async (name) => (await emptyStorageClients()).table(name));

outgoingMailQueueContract('memory', async () => {
  const queue = createMemoryQueue();
  const visible = async () =>
    queue.sent.filter(({ delaySeconds }) => delaySeconds === 0).map(({ envelope }) => envelope);
  return { queue, visible, poisoned: async () => queue.poisoned };
});

outgoingMailQueueContract('Azurite', async () => {
  const storage = await emptyStorageClients();
  const read = async (name: string): Promise<unknown[]> => {
    const { peekedMessageItems } = await storage.queue(name).peekMessages({ numberOfMessages: 32 });
    return peekedMessageItems.map(({ messageText }) => {
      const text = Buffer.from(messageText, 'base64').toString('utf8');
      try {
        return JSON.parse(text) as unknown;
      } catch {
        return text;
      }
    });
  };
  return {
    queue: createOutgoingMailQueue(storage.queue('outgoing-mail'), storage.queue('outgoing-mail-poison')),
    visible: () => read('outgoing-mail'),
    poisoned: () => read('outgoing-mail-poison'),
  };
});
