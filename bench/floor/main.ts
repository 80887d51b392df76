// The floor: empty v4 functions that make the same storage calls, sends and hashes as the app, and do nothing else.
// What the app takes beyond this is its own: parsing, limits, signing, sealing, checks, events.
import { TableClient } from '@azure/data-tables';
import { app, type HttpHandler } from '@azure/functions';
import { QueueClient } from '@azure/storage-queue';
import { hash } from '@node-rs/argon2';

const connectionString = process.env['AzureWebJobsStorage'] ?? '';
const insecure = { allowInsecureConnection: true };
const accounts = TableClient.fromConnectionString(connectionString, 'Accounts', insecure);
const resetKeys = TableClient.fromConnectionString(connectionString, 'ResetKeys', insecure);
const queue = new QueueClient(connectionString, 'outgoing-mail');
/** As long as a sealed mail. */
const message = Buffer.alloc(Number(process.env['FLOOR_MESSAGE_BYTES'] ?? '1200'), 'x').toString('base64');

async function read(partition: string, resetKeyId: string) {
  const filter = `PartitionKey eq '${partition}'`;
  const [, pages] = await Promise.all([
    resetKeys.getEntity(partition, resetKeyId),
    accounts.listEntities({ queryOptions: { filter } }).byPage().next(),
  ]);
  if (pages.done === true || pages.value[0] === undefined) throw new Error('there is no such row');
  return pages.value[0];
}

/** Partition and row come in the query, so that the body need not be read. */
const keysOf = (request: Parameters<HttpHandler>[0]): [string, string] => {
  const query = new URL(request.url).searchParams;
  return [query.get('partition') ?? '', query.get('row') ?? ''];
};

const serve = (name: string, handler: HttpHandler): void => {
  app.http(name, { route: `floor/${name}`, methods: ['POST'], authLevel: 'anonymous', handler });
};

serve('request', async () => {
  await queue.sendMessage(message, { visibilityTimeout: 0 });
  return { status: 202, jsonBody: { status: 'accepted' } };
});

serve('check', async (request) => {
  const account = await read(...keysOf(request));
  return { jsonBody: { username: account['username'] } };
});

serve('redeem', async (request) => {
  const account = await read(...keysOf(request));
  // Argon2id is the default.
  const password = await hash('correct horse battery staple', {
    memoryCost: 19_456,
    timeCost: 2,
    parallelism: 1,
  });
  await queue.sendMessage(message, { visibilityTimeout: 30 });
  const { partitionKey = '', rowKey = '', etag } = account;
  const change = { partitionKey, rowKey, password, generation: 1, lastResetKeyId: 'x'.repeat(43) };
  await accounts.updateEntity(change, 'Merge', { etag });
  return { jsonBody: { status: 'changed', username: account['username'] } };
});
