// The life of an instance: start, load, shutdown in the middle of work. `STOP_MOMENTS=50 npx jest test/story/hostLife` also stops it at
// fifty moments of a slow send, and waits for the repeats. (What a killed one leaves: test/faults.)
import { setTimeout as later } from 'node:timers/promises';
import { startScriptedSmtp, type ScriptedSmtp } from '../fakes/scriptedSmtp';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp } from '../support/app';
import { emptyStorage } from '../support/storage';
import { verifyPassword } from '../support/verifyPassword';

const goodPassword = 'correct horse battery staple';
const over = ({ port }: ScriptedSmtp) => ({
  ...{ EMAIL_BACKEND: 'smtp', EMAIL_HOST: '127.0.0.1', EMAIL_PORT: String(port) },
  ...{ EMAIL_USE_TLS: 'false', EMAIL_HOST_USER: '', EMAIL_TIMEOUT: '30', LIMIT_PER_IP: 'off' },
});

it('[ST2] three hosts that start at once on empty storage leave one row, and no later seeding overwrites an edit', async () => {
  const connectionString = emptyStorage();
  const start = () => startApp({ connectionString, queues: false, makeTables: false });
  const [first, ...others] = await Promise.all([start(), start(), start()]);
  await Promise.all([first, ...others].map(({ host }) => host.runTimer('seedSite')));
  await Promise.all(others.map((one) => one.stop()));
  const sites = first.storage.table('SiteSettings');
  const rows = [];
  for await (const row of sites.list("PartitionKey ne ''")) rows.push(row);
  expect(rows).toMatchObject([{ domain: 'codalab.org', name: 'CodaLab', contactEmail: 'info@codalab.org' }]);
  await sites.merge('site', '1', { name: 'Mine', contactEmail: '' }, '*');
  await first.host.runTimer('seedSite');
  await expect(sites.get('site', '1')).resolves.toMatchObject({ name: 'Mine', contactEmail: '' });
  for (const { host } of [first, ...others]) expect(host.output()).not.toContain('"event":"taskFailed"');
  await first.stop();
});

it('drains four hundred mails over few connections', async () => {
  const smtp = await startScriptedSmtp();
  const app = await startApp({ timers: false, env: over(smtp) });
  const people = Array.from({ length: 400 }, (_, index) => `person${index}@example.org`);
  const parallel = 25;
  for (let next = 0; next < people.length; next += parallel) {
    await Promise.all(
      people.slice(next, next + parallel).map(async (email) => {
        await addAccount(app, { email, username: email.slice(0, email.indexOf('@')) });
        await app.post('password-reset/request', { email });
      }),
    );
  }
  await eventually(() => (smtp.messages.length >= people.length ? true : undefined), 120);
  expect(smtp.messages.map(({ to }) => String(to)).sort()).toEqual([...people].sort());
  expect(smtp.openAtMost()).toBeLessThanOrEqual(6); // the pool's three, and three that the server has not seen end yet
  expect(app.host.output()).not.toMatch(/Uncaught|unhandled/i);
  await expect(app.stop()).resolves.toBe(0);
  await smtp.close();
}, 180_000);

it('[HO1] SIGTERM while passwords are hashed: each redemption answers or leaves its account as it was', async () => {
  const app = await startApp({ env: { LIMIT_PER_IP: 'off' } });
  const people = Array.from({ length: 12 }, (_, index) => ({
    id: String(index),
    email: `person${index}@example.org`,
    username: `person${index}`,
  }));
  for (const person of people) {
    await addAccount(app, person);
    await app.post('password-reset/request', { email: person.email });
  }
  const mails = await app.mailsWithin(people.length);
  const calls = people.map(async ({ email, id }) => {
    const key = keyIn(mails.find((mail) => mail.includes(`To: ${email}\n`)) ?? '');
    const answer = await app.post('password-reset/redeem', { key, newPassword: goodPassword }).catch(() => undefined);
    return { email, id, status: answer?.status };
  });
  app.host.signal('SIGTERM');
  const answers = await Promise.all(calls);
  await expect(app.host.exited).resolves.toBe(0);
  for (const { email, id, status } of answers) {
    const stored = String((await readAccount(app, email, id))?.['password']);
    if (status === 200) await expect(verifyPassword(goodPassword, stored)).resolves.toBe(true);
    else expect(stored === 'pbkdf2_sha256$1$salt$AAAA' || (await verifyPassword(goodPassword, stored))).toBe(true);
  }
});

/** Longer than a stop may take. */
const slowMs = 15_000;
/** What a stop leaves to a send that has begun; an answer after it comes too late to be recorded. */
const deadlineMs = 6_000;

/**
 * One request, and SIGTERM after so many ms, or when the send has begun: one mail is delivered, or two with one Message-ID if the provider accepted the first after the
 * deadline of a stop. With `repeat`, a new process then finishes what the first has left.
 * @returns the log
 */
async function stopAfter(ms: number | 'begun', firstAnswerMs: number, repeat = false): Promise<string> {
  const connectionString = emptyStorage();
  const smtp = await startScriptedSmtp({ firstAnswerMs });
  const start = () => startApp({ connectionString, env: over(smtp), timers: false, queueHoldSeconds: 2 });
  const first = await start();
  await addAccount(first, someuser);
  await first.post('password-reset/request', { email: someuser.email });
  await (ms === 'begun' ? eventually(() => (smtp.connections() > 0 ? true : undefined)) : later(ms));
  const signalled = performance.now();
  await expect(first.stop()).resolves.toBe(0);
  expect(first.host.output()).not.toContain('hooks did not end in time'); // 10 s
  const isRecorded = async (): Promise<true | undefined> => {
    for await (const { state } of first.storage.table('Deliveries').list("PartitionKey ne 'alert'")) {
      if (state === 'accepted') return true;
    }
    return undefined;
  };
  // Nothing is lost: the mail is recorded as sent, or its message waits in the queue. (Two if the host had no time to remove the
  // first after its copy was put back; the claim sees to that.)
  const queue = await first.storage.queue('outgoing-mail');
  const { approximateMessagesCount = 0 } = await queue.getProperties();
  expect((await isRecorded()) ?? approximateMessagesCount > 0).toBe(true);
  if (repeat) {
    const second = await start();
    await eventually(isRecorded, 110);
    await second.stop();
    const [accepted, ...repeats] = smtp.messages;
    const messageIds = smtp.messages.map(({ raw }) => /^Message-ID: .+$/im.exec(raw)?.[0]);
    expect(new Set(messageIds).size).toBe(1);
    expect(repeats.length).toBeLessThanOrEqual(1);
    if (accepted !== undefined && repeats.length > 0) expect(accepted.at - signalled).toBeGreaterThan(deadlineMs);
  }
  await smtp.close();
  return first.host.output();
}

it('[HO1] SIGTERM before and during a send: it is finished if it ends in time, else the message is put back', async () => {
  const [, slow, quick] = await Promise.all([
    stopAfter(0, slowMs),
    stopAfter('begun', slowMs),
    stopAfter('begun', 3000),
  ]);
  expect(slow).toMatch(/"event":"sendMail".*"outcome":"retry_later"/);
  expect(quick).toMatch(/"event":"sendMail".*"outcome":"accepted"/);
}, 60_000);

const moments = Number(process.env['STOP_MOMENTS'] ?? 0);
if (moments > 0)
  it(
    `SIGTERM at ${moments} moments of a slow send: one mail, or two if the first was accepted too late`,
    async () => {
      // From before the send to after its answer.
      const spanMs = slowMs + 2_000;
      const waits = Array.from({ length: moments }, (_, n) => Math.round((spanMs * (n + Math.random())) / moments));
      const worker = async (): Promise<void> => {
        for (let ms = waits.pop(); ms !== undefined; ms = waits.pop()) await stopAfter(ms, slowMs, true);
      };
      await Promise.all(Array.from({ length: 10 }, worker));
    },
    moments * 30_000,
  );
