// `kill -9` at each step of sendMail: nothing is lost, at most one repeat, with the same Message-ID and a link that works.
import { addressHashOf } from '../../shared/address';
import { createStorageClients } from '../../shared/storage/storageClients';
import { startFaultProxy, type FaultRule } from '../fakes/faultProxy';
import { addAccount, eventually, keyIn, someuser } from '../support/app';
import { startTarget } from '../support/attack';
import { sentMailOf } from '../support/invariants';
import { emptyStorage } from '../support/storage';

/** Runs a request into a crash at the call that the rule holds, lets the lease run out, and starts again. @returns the Message-IDs */
async function crashAt(rule: FaultRule): Promise<string[]> {
  const connectionString = emptyStorage();
  const proxy = await startFaultProxy(connectionString);
  const first = await startTarget({ connectionString: proxy.connectionString, queueHoldSeconds: 2 });
  await addAccount(first.app, someuser);
  const reached = proxy.rule(rule);
  await first.request(someuser.email);
  await reached;
  await first.app.host.stop('SIGKILL');
  await proxy.close();

  const { sendgrid } = first;
  const deliveries = createStorageClients({ kind: 'connectionString', connectionString }).table('Deliveries');
  for await (const { rowKey = '' } of deliveries.list("state eq 'sending'")) {
    await deliveries.merge(addressHashOf(someuser.email), rowKey, { leaseUntil: new Date(0) }, '*');
  }
  const next = await startTarget({ connectionString, sendgrid, queueHoldSeconds: 2 });
  // The dead process held the message for 2 s; nothing waits any longer once this one has handled it.
  await eventually(
    () => (/"event":"sendMail".*"outcome":"(?:accepted|done)"/.test(next.app.host.output()) ? true : undefined),
    30,
  );
  for (const mail of sendgrid.requests.map(sentMailOf)) {
    await expect(next.check(keyIn(mail.text))).resolves.toMatchObject({ status: 200 });
  }
  const messageIds = sendgrid.requests.map(({ body }) => String(body.headers['Message-ID']));
  await next.app.stop();
  await sendgrid.close();
  return messageIds;
}

const forever = new Promise<never>(() => {});

it('[Q5] kill -9 before the mail is sent, after it was accepted and after it was recorded', async () => {
  const [beforeSend, afterAccept, afterRecord] = await Promise.all([
    crashAt({ service: 'table', method: 'POST', path: /ResetKeys/, fault: { hold: forever } }),
    crashAt({ service: 'table', method: 'PATCH', path: /Deliveries/, fault: { hold: forever } }),
    crashAt({ service: 'queue', method: 'DELETE', fault: { hold: forever } }),
  ]);
  expect(beforeSend).toHaveLength(1);
  expect(afterAccept).toHaveLength(2);
  expect(new Set(afterAccept).size).toBe(1);
  expect(afterRecord).toHaveLength(1);
}, 60_000);
