// Two configurations on one storage, as while secrets are rotated (docs/operations.md): every mail is opened, every link works,
// whichever instance handles which step.
import { addressHashOf } from '../../shared/address';
import { readConfig } from '../../shared/config';
import type { AppEvent } from '../../shared/events';
import { checkKey, redeemKey, requestReset } from '../../shared/resetFlow';
import { buildServices, type Services } from '../../shared/services';
import { startScriptedSendGrid, type ScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { eventually, exampleSettings } from '../support/app';
import { emptyStorage } from '../support/storage';

const secret = (kid: string): string => `${kid}:${Buffer.alloc(32, `secret ${kid} `).toString('base64')}`;
const list = (...kids: string[]): string => kids.map(secret).join(',');
const password = 'correct horse battery staple';

let sendgrid: ScriptedSendGrid;
let connectionString: string;
let serial = 0;
const events: AppEvent[] = [];

beforeAll(async () => {
  sendgrid = await startScriptedSendGrid();
  connectionString = emptyStorage();
  await host({}).storage.createMissing();
});
afterAll(() => sendgrid.close());

/** An instance with these secrets. */
function host(secrets: { readonly sign?: string; readonly seal?: string }): Services {
  const read = readConfig({
    ...exampleSettings,
    AzureWebJobsStorage: connectionString,
    EMAIL_BACKEND: 'sendgrid',
    SENDGRID_API_KEY: 'SG.rotation',
    SENDGRID_API_URL: sendgrid.url,
    RESET_SIGNING_SECRETS: secrets.sign ?? list('a'),
    MAIL_SEALING_SECRETS: secrets.seal,
  });
  if (!read.ok) throw new Error(read.problems.join('\n'));
  return buildServices(read.config, (event) => events.push(event));
}

/** A request to this instance for an account of its own. */
async function ask(issuer: Services): Promise<string> {
  const email = `person${++serial}@somewhere.com`;
  const account = { email, username: email, password: 'pbkdf2_sha256$1$salt$AAAA', isActive: true, generation: 0 };
  await issuer.storage.table('Accounts').insert(addressHashOf(email), '1', account);
  await requestReset(issuer, email, {});
  return email;
}

/** Hands the next visible message to an instance. */
async function handleNext(worker: Services): Promise<void> {
  const queue = await worker.storage.queue('outgoing-mail');
  const message = await eventually(async () => (await queue.receiveMessages()).receivedMessageItems[0]);
  await worker.outbox.handle(JSON.parse(Buffer.from(message.messageText, 'base64').toString('utf8')));
  await queue.deleteMessage(message.messageId, message.popReceipt);
}

function keyFor(email: string): string {
  const mail = sendgrid.requests.find(({ body }) => JSON.stringify(body.personalizations).includes(email));
  const key = /\/reset\/key\/([^/\s]+)\//.exec(JSON.stringify(mail?.body ?? ''))?.[1];
  if (key === undefined) throw new Error('no link was mailed');
  return key;
}

async function expectLink(redeemer: Services, key: string): Promise<void> {
  await expect(checkKey(redeemer, key)).resolves.toMatchObject({ outcome: 'live' });
  await expect(redeemKey(redeemer, key, password)).resolves.toMatchObject({ outcome: 'changed' });
  await (await redeemer.storage.queue('outgoing-mail')).clearMessages(); // the notice
}

describe.each([
  ['a signing secret is added', { sign: list('a') }, { sign: list('a', 'b') }],
  ['the new signing secret signs', { sign: list('a', 'b') }, { sign: list('b', 'a') }],
  ['the old signing secret is dropped', { sign: list('b', 'a') }, { sign: list('b') }],
  ['a sealing secret is added', { seal: list('s') }, { seal: list('s', 't') }],
  ['the new sealing secret seals', { seal: list('s', 't') }, { seal: list('t', 's') }],
  ['the old sealing secret is dropped', { seal: list('t', 's') }, { seal: list('t') }],
])('while %s', (_step, before, after) => {
  it('loses no link and no mail, whichever instance handles which step', async () => {
    const hosts = [host(before), host(after)];
    for (const issuer of hosts)
      for (const worker of hosts)
        for (const redeemer of hosts) {
          const email = await ask(issuer);
          await handleNext(worker);
          await expectLink(redeemer, keyFor(email));
        }
  });
});

it('a link and a waiting mail from before the rotation work until the old secret is dropped', async () => {
  const before = host({ sign: list('a'), seal: list('s') });
  const [mailed, waiting] = [await ask(before), await ask(before)];
  await handleNext(before);
  const after = host({ sign: list('b', 'a'), seal: list('t', 's') });
  await handleNext(after);
  await expectLink(after, keyFor(mailed));
  await expectLink(after, keyFor(waiting));
});

it('sealing secrets may come to one instance before the other: mails wait for an instance that has them', async () => {
  const [without, having] = [host({}), host({ seal: list('s') })];
  const old = await ask(without);
  await handleNext(having);
  await expectLink(without, keyFor(old));

  const early = await ask(having);
  await handleNext(without);
  expect(events.at(-1)).toMatchObject({ event: 'sendMail', outcome: 'retry_later', reason: 'unknown_kid' });
  await handleNext(having); // after the 10 s that the message was put back for
  await expectLink(without, keyFor(early));
}, 60_000);
