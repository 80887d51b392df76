// The floor: empty v4 functions that make the same storage calls, sends and hashes as the app, with the SDKs as they come, and do
// nothing else. What the app takes beyond this is its own: parsing, limits, signing, sealing, checks, events.
import { randomUUID } from 'node:crypto';
import { TableClient } from '@azure/data-tables';
import { app, type HttpHandler } from '@azure/functions';
import { QueueClient } from '@azure/storage-queue';
import { hash } from '@node-rs/argon2';
import { Client } from '@sendgrid/client';
import { MailService } from '@sendgrid/mail';
import { Webhook } from 'standardwebhooks';

const connectionString = process.env['AzureWebJobsStorage'] ?? '';
const table = (name: string) =>
  TableClient.fromConnectionString(connectionString, name, { allowInsecureConnection: true });
const [accounts, resetKeys, limits, deliveries] = ['Accounts', 'ResetKeys', 'Limits', 'Deliveries'].map(table) as [
  TableClient,
  TableClient,
  TableClient,
  TableClient,
];
const queue = new QueueClient(connectionString, 'outgoing-mail');
/** As long as a sealed mail. */
const message = Buffer.alloc(1400, 'x').toString('base64');

async function accountIn(sub: string) {
  const filter = `PartitionKey eq '${sub}'`;
  const pages = await accounts.listEntities({ queryOptions: { filter } }).byPage().next();
  if (pages.done === true || pages.value[0] === undefined) throw new Error('there is no such row');
  return pages.value[0];
}

async function read(sub: string, resetKeyId: string) {
  const [, account] = await Promise.all([resetKeys.getEntity(sub, resetKeyId), accountIn(sub)]);
  return account;
}

/** Partition and row come in the query, so that the body need not be read. */
const keysOf = (request: Parameters<HttpHandler>[0]): [string, string] => {
  const query = new URL(request.url).searchParams;
  return [query.get('sub') ?? '', query.get('row') ?? ''];
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

/** Argon2id as it is by default. */
const hashed = () => hash('correct horse battery staple', { memoryCost: 19_456, timeCost: 2, parallelism: 1 });

serve('redeem', async (request) => {
  const account = await read(...keysOf(request));
  const password = await hashed();
  await queue.sendMessage(message, { visibilityTimeout: 5 });
  const { partitionKey = '', rowKey = '', etag } = account;
  const change = { partitionKey, rowKey, password, generation: 1, lastResetKeyId: 'x'.repeat(43) };
  await accounts.updateEntity(change, 'Merge', { etag });
  return { jsonBody: { status: 'changed', username: account['username'] } };
});

// The queue function: the six calls of a mail to an address that asks for the first time, and one send.
const mailer = new MailService();
const client = new Client();
mailer.setClient(client);
mailer.setApiKey('SG.bench');
client.setDefaultRequest('baseUrl', process.env['SENDGRID_API_URL'] ?? ''); // after the key, which resets it
const [text, html] = ['x'.repeat(800), 'x'.repeat(Number(process.env['FLOOR_HTML_BYTES'] ?? '2500'))];
const bucket = (kind: string) => ({
  partitionKey: randomUUID(),
  rowKey: 'bucket',
  ...{ kind, tokens: 2, at: new Date(), charged: 'x'.repeat(22), day: '2026-01-01', dayCount: 1, fullAt: new Date() },
});

app.storageQueue('sendMail', {
  queueName: 'outgoing-mail',
  connection: 'AzureWebJobsStorage',
  handler: async (received) => {
    const { sub } = received as { sub: string };
    const [now, row] = [new Date(), { partitionKey: sub, rowKey: randomUUID() }];
    const sending = { state: 'sending', attempt: 0, leaseUntil: now, claimId: 'x'.repeat(22), updatedAt: now };
    const fresh = { kind: 'passwordReset', acceptedAt: now, charged: false };
    const { etag = '' } = await deliveries.createEntity({ ...row, ...fresh, ...sending });
    await limits.createEntity(bucket('ip'));
    const account = await accountIn(sub);
    await limits.createEntity(bucket('address'));
    await resetKeys.createEntity({ ...row, accountId: '1', credentialVersion: 'x'.repeat(43), expiresAt: now });
    const [response] = await mailer.send({
      to: String(account['email']),
      from: 'info@codalab.org',
      subject: 'Reset',
      text,
      html,
    });
    if (response.statusCode !== 202) throw new Error(`the provider answered ${response.statusCode}`);
    const accepted = { state: 'accepted', backend: 'sendgrid', charged: true, updatedAt: now };
    await deliveries.updateEntity({ ...row, ...accepted }, 'Merge', { etag });
  },
});

// A site that keeps its own accounts: the same signed calls, the account's id and credential version from the query.
const directoryUrl = process.env['ACCOUNT_DIRECTORY_URL'];
if (directoryUrl) {
  const webhook = new Webhook(process.env['ACCOUNT_DIRECTORY_SECRETS'] ?? '');
  const call = async (name: string, content: object): Promise<unknown> => {
    const [id, at, body] = [randomUUID(), new Date(), JSON.stringify(content)];
    const headers = {
      'Content-Type': 'application/json',
      'webhook-id': id,
      'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
      'webhook-signature': webhook.sign(id, at, body),
    };
    const answer = await fetch(`${directoryUrl}/${name}`, { method: 'POST', headers, body });
    if (answer.status !== 200) throw new Error(`the site answered ${answer.status}`);
    return answer.json();
  };
  const readAt = async (request: Parameters<HttpHandler>[0]) => {
    const [sub, row] = keysOf(request);
    const { accountId } = await resetKeys.getEntity(sub, row);
    const { account } = (await call('get', { id: accountId })) as {
      account: { id: string; credentialVersion: string };
    };
    return { ...account, resetKeyId: row };
  };
  serve('siteCheck', async (request) => ({ jsonBody: await readAt(request) }));
  serve('siteRedeem', async (request) => {
    const account = await readAt(request);
    const password = `argon2${await hashed()}`;
    await queue.sendMessage(message, { visibilityTimeout: 5 });
    await call('set-password', { ...account, password });
    return { jsonBody: { status: 'changed' } };
  });
}
