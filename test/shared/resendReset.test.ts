// The resend button of a dead link: for keys that we really signed, to the account of the key's row.
import { openOutgoingMail } from '../../shared/outgoingMail';
import { resendReset } from '../../shared/resendReset';
import { issueResetKey } from '../../shared/resetKey';
import { createTestFlow, secretA, secretB, start, within } from '../support/flow';

const email = 'someuser@somewhere.com';
const keyIn = (text: string): string => /\/key\/([^/\s]+)\//.exec(text)?.[1] ?? '';

async function mailedKey() {
  const made = createTestFlow();
  const sub = made.addAccount({ email, id: '7', username: 'someuser' });
  const [mail] = await made.mailsFor(email);
  const sent = made.queue.sent.length;
  return { ...made, sub, key: keyIn(mail?.text ?? ''), sentSince: () => made.queue.sent.slice(sent) };
}

it('asks for a mail to the account of the key, in the language and from the client that pressed the button', async () => {
  const { flow, clock, key, sub, sentSince, deliverAll, email: backend } = await mailedKey();
  clock.advance(61 * 60);
  const resent = await resendReset(flow, key, { client: '203.0.113.7', locale: 'fr' }, within());
  const [message] = sentSince();
  const opened = openOutgoingMail([secretA], message?.envelope);
  if (opened.outcome !== 'opened') throw new Error('not opened');
  expect(resent).toEqual({ outcome: 'accepted', mailId: opened.envelope.id });
  expect(opened.content).toEqual({
    kind: 'resetAccount',
    sub,
    accountId: '7',
    acceptedAt: new Date(start.getTime() + 61 * 60_000),
    client: '203.0.113.7',
    locale: 'fr',
  });
  const before = backend.accepted.length;
  await deliverAll();
  expect(backend.accepted.slice(before)).toMatchObject([{ to: email, locale: 'fr' }]);
  expect(keyIn(backend.accepted.at(-1)?.text ?? '')).not.toBe(key);
});

it('makes a new mail every time, within the limits of the address', async () => {
  const { flow, key, deliverAll, email: backend } = await mailedKey();
  const ids = [];
  for (let times = 0; times < 5; times++) ids.push(await resendReset(flow, key, {}, within()));
  expect(new Set(ids.map((resent) => JSON.stringify(resent))).size).toBe(5);
  await deliverAll();
  expect(backend.accepted).toHaveLength(3); // the first one and two more
});

it('does nothing, and says the same, for a key of ours that is bound to nothing', async () => {
  const { flow, queue } = createTestFlow();
  const { key } = issueResetKey(flow.settings, 'AAAAAAAAAAAAAAAAAAAAAA', start);
  await expect(resendReset(flow, key, {}, within())).resolves.toEqual({ outcome: 'accepted' });
  expect(queue.sent).toEqual([]);
});

it('touches no storage for a key that we did not sign', async () => {
  const { flow, tables, sub, key, sentSince } = await mailedKey();
  const calls = tables.boundKeys.calls.length;
  const foreign = issueResetKey({ ...flow.settings, signingSecrets: [secretB] }, sub, start).key;
  for (const bad of ['', 'x', foreign, `${key.slice(0, -1)}!`, `${key}.x`]) {
    await expect(resendReset(flow, bad, {}, within())).resolves.toEqual({ outcome: 'invalid_key' });
  }
  expect(tables.boundKeys.calls).toHaveLength(calls);
  expect(sentSince()).toEqual([]);
});
