// SIGTERM at any moment of a send that takes longer than a stop may: one mail is delivered, or two with one Message-ID if the
// provider accepted the first after the deadline of a stop. `STOP_MOMENTS=50 npx jest test/functions/stop` tries fifty and waits for the repeats.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as later } from 'node:timers/promises';
import { addAccount, eventually, someuser, startApp } from '../support/app';
import { emptyStorage } from '../support/storage';

const moments = Number(process.env['STOP_MOMENTS'] ?? 0);
/** From the end of DATA to the server's 250. */
const answerMs = 15_000;
/** What a stop leaves to a send that has begun; an answer after it comes too late to be recorded. */
const deadlineMs = 6_000;
/** A moment is taken from the whole send, and a bit before and after it. */
const longestMs = answerMs + 2_000;

interface Accepted {
  readonly messageId: string;
  /** As `performance.now()`. */
  readonly at: number;
}

/** An SMTP server whose first answer to a mail takes its time. It accepts the mail whether or not the client is still there. */
async function startSlowSmtp() {
  const accepted: Accepted[] = [];
  let mails = 0;
  const talk = (socket: Socket): void => {
    let text = '';
    let inData = false;
    const say = (line: string): void => {
      if (!socket.destroyed) socket.write(`${line}\r\n`);
    };
    socket.on('error', () => undefined).unref();
    say('220 slow ESMTP');
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (inData) {
        if (!text.endsWith('\r\n.\r\n')) return;
        const messageId = /^Message-ID: (.+)$/im.exec(text)?.[1] ?? '';
        [text, inData] = ['', false];
        void later(mails++ === 0 ? answerMs : 0).then(() => {
          accepted.push({ messageId, at: performance.now() });
          say('250 ok');
        });
        return;
      }
      if (!text.endsWith('\r\n')) return;
      const command = text.toUpperCase();
      text = '';
      inData = command.startsWith('DATA');
      if (command.startsWith('QUIT')) socket.end('221 bye\r\n');
      else say(inData ? '354 go on' : '250 ok');
    });
  };
  const server = createServer(talk).unref();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, accepted, begun: () => mails, close: () => server.close() };
}

interface Outcome {
  readonly ms: number;
  readonly signalled: number;
  readonly accepted: readonly Accepted[];
}

/** One request, and SIGTERM after so many ms. With `repeat`, a new process then finishes what the first has left. */
async function stopAfter(ms: number, repeat: boolean): Promise<Outcome> {
  const connectionString = emptyStorage();
  const smtp = await startSlowSmtp();
  const env = {
    ...{ EMAIL_BACKEND: 'smtp', EMAIL_HOST: '127.0.0.1', EMAIL_PORT: String(smtp.port) },
    ...{ EMAIL_USE_TLS: 'false', EMAIL_HOST_USER: '', EMAIL_TIMEOUT: '30' },
  };
  const start = () => startApp({ connectionString, env, timers: false, queueHoldSeconds: 2 });
  const first = await start();
  await addAccount(first, someuser);
  await first.post('password-reset/request', { email: someuser.email });
  await later(ms);
  const signalled = performance.now();
  await first.stop();
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
    await eventually(() => (smtp.accepted.length >= smtp.begun() ? true : undefined));
    await second.stop();
  }
  smtp.close();
  return { ms, signalled, accepted: smtp.accepted };
}

it('SIGTERM before and during a slow send: the process ends in time, and the message is put back', async () => {
  await Promise.all([0, 2000].map((ms) => stopAfter(ms, false)));
}, 60_000);

if (moments > 0)
  it(
    `SIGTERM at ${moments} moments of a slow send: one mail, or two if the first was accepted too late`,
    async () => {
      const waits = Array.from({ length: moments }, (_, n) => Math.round((longestMs * (n + Math.random())) / moments));
      const outcomes: Outcome[] = [];
      const worker = async (): Promise<void> => {
        for (let ms = waits.pop(); ms !== undefined; ms = waits.pop()) outcomes.push(await stopAfter(ms, true));
      };
      await Promise.all(Array.from({ length: 10 }, worker));
      const twice = outcomes.filter(({ accepted }) => accepted.length > 1).map(({ ms }) => ms);
      console.log(`${outcomes.length} moments, two mails after ms: ${twice.sort((a, b) => a - b).join(' ')}`);
      for (const { signalled, accepted } of outcomes) {
        expect(new Set(accepted.map(({ messageId }) => messageId)).size).toBe(1);
        const [first, ...repeats] = accepted;
        expect(repeats.length).toBeLessThanOrEqual(1);
        if (repeats.length > 0) expect((first?.at ?? 0) - signalled).toBeGreaterThan(deadlineMs);
      }
    },
    moments * 30_000,
  );
