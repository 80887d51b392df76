// Four hundred queued mails over SMTP: one pool of connections, nothing unhandled. (Memory: the soak, and `npm run bench -- memory`.)
import { startScriptedSmtp } from '../fakes/scriptedSmtp';
import { addAccount, eventually, startApp } from '../support/app';

const mailCount = 400;
const parallel = 25;

it('drains four hundred mails over few connections', async () => {
  const smtp = await startScriptedSmtp();
  const app = await startApp({
    timers: false,
    env: {
      EMAIL_BACKEND: 'smtp',
      EMAIL_HOST: '127.0.0.1',
      EMAIL_PORT: String(smtp.port),
      EMAIL_USE_TLS: 'false',
      EMAIL_HOST_USER: '',
      LIMIT_PER_IP: 'off',
    },
  });
  const people = Array.from({ length: mailCount }, (_, index) => `person${index}@example.org`);
  for (let next = 0; next < mailCount; next += parallel) {
    await Promise.all(
      people.slice(next, next + parallel).map(async (email) => {
        await addAccount(app, { email, username: email.slice(0, email.indexOf('@')) });
        await app.post('password-reset/request', { email });
      }),
    );
  }
  const arrived = (count: number) => eventually(() => (smtp.messages.length >= count ? true : undefined), 120);
  await arrived(mailCount);

  expect(new Set(smtp.messages.map(({ to }) => String(to))).size).toBe(mailCount);
  expect(smtp.messages).toHaveLength(mailCount);
  expect(smtp.openAtMost()).toBeLessThanOrEqual(6); // the pool's three, and three that the server has not seen end yet
  expect(app.host.output()).not.toMatch(/Uncaught|unhandled/i);
  await expect(app.stop()).resolves.toBe(0);
  await smtp.close();
}, 180_000);
