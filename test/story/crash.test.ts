// `kill -9` at each step of sendMail: nothing is lost, at most one repeat, with the same Message-ID and a link that works.
import { setTimeout as later } from 'node:timers/promises';
import { startFaultProxy, type FaultRule } from '../fakes/faultProxy';
import { startScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { addAccount, eventually, keyIn, someuser, startApp, type App } from '../support/app';
import { emptyStorage } from '../support/storage';

const quietSeconds = 8;

interface Crash {
  readonly app: App;
  readonly mails: readonly { readonly messageId: string; readonly text: string }[];
}

/** Runs a request into a crash at the call that the rule holds, starts again, and waits until the mail is recorded. */
async function crashAt(rule: FaultRule): Promise<Crash> {
  const connectionString = emptyStorage();
  const proxy = await startFaultProxy(connectionString);
  const sendgrid = await startScriptedSendGrid();
  const env = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: 'SG.test', SENDGRID_API_URL: sendgrid.url };
  const first = await startApp({ connectionString: proxy.connectionString, env, queueHoldSeconds: 2, timers: false });
  await addAccount(first, someuser);
  const reached = proxy.rule(rule);
  await first.post('password-reset/request', { email: someuser.email });
  await reached;
  first.host.signal('SIGKILL');
  await first.host.exited;
  await proxy.close();

  const app = await startApp({ connectionString, env, queueHoldSeconds: 2, timers: false });
  await eventually(async () => {
    for await (const row of app.storage.table('Deliveries').list("state eq 'accepted'"))
      return row;
    return undefined;
  }, 100);
  await later(quietSeconds * 1000); // a second mail would come within the queue's hold
  const mails = sendgrid.requests.map(({ body }) => {
    const mail = body as { headers: Record<string, string>; content: { value: string }[] };
    return { messageId: mail.headers['Message-ID'] ?? '', text: mail.content[0]?.value ?? '' };
  });
  await sendgrid.close();
  return { app, mails };
}

async function expectGoodLink({ app, mails }: Crash): Promise<void> {
  for (const { text } of mails) {
    await expect(app.post('password-reset/check', { key: keyIn(text) })).resolves.toMatchObject({ status: 200 });
  }
  await app.stop();
}

const forever = new Promise<never>(() => {});

// The lease of a dead worker lasts 60 s, so each case takes more than a minute; they run at the same time.
it('[Q5] kill -9 before the mail is sent, after it was accepted and after it was recorded', async () => {
  const [beforeSend, afterAccept, afterRecord] = await Promise.all([
    crashAt({ service: 'table', method: 'POST', path: /ResetKeys/, fault: { hold: forever } }),
    crashAt({ service: 'table', method: 'PATCH', path: /Deliveries/, fault: { hold: forever } }),
    crashAt({ service: 'queue', method: 'DELETE', fault: { hold: forever } }),
  ]);
  expect(beforeSend.mails).toHaveLength(1);
  expect(afterAccept.mails).toHaveLength(2);
  expect(new Set(afterAccept.mails.map(({ messageId }) => messageId)).size).toBe(1);
  expect(afterRecord.mails).toHaveLength(1);
  for (const crash of [beforeSend, afterAccept, afterRecord]) await expectGoodLink(crash);
}, 180_000);
