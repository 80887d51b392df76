// SIGTERM at any moment of a send that takes longer than a stop may: one mail is delivered, or two with one Message-ID if the
// provider accepted the first after the process was gone. `STOP_MOMENTS=50 npx jest test/functions/stop` tries fifty.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setTimeout as later } from 'node:timers/promises';
import { addAccount, eventually, someuser, startApp } from '../support/app';
import { emptyStorage } from '../support/storage';

const moments = Number(process.env['STOP_MOMENTS'] ?? 3);
/** From the end of DATA to the server's 250. */
const answerMs = 15_000;
/** A moment is taken from the whole send, and a bit before and after it. */
const longestMs = answerMs + 2_000;

interface Accepted {
  readonly messageId: string;
  /** The client had gone by the time of the 250: it cannot know. */
  readonly unheard: boolean;
}

/** An SMTP server whose first answer to a mail takes its time. It accepts the mail whether or not the client is still there. */
async function startSlowSmtp() {
  const accepted: Accepted[] = [];
  let mails = 0;
  const talk = (socket: Socket): void => {
    let text = '';
    let inData = false;
    const say = (line: string): void => void (socket.destroyed || socket.write(`${line}\r\n`));
    socket.on('error', () => undefined).unref();
    say('220 slow ESMTP');
    socket.on('data', (chunk) => {
      text += chunk.toString();
      if (inData) {
        if (!text.endsWith('\r\n.\r\n')) return;
        const messageId = /^Message-ID: (.+)$/im.exec(text)?.[1] ?? '';
        [text, inData] = ['', false];
        void later(mails++ === 0 ? answerMs : 0).then(() => {
          accepted.push({ messageId, unheard: socket.destroyed });
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
  const server = createServer(talk);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { port, accepted, begun: () => mails, close: () => server.close() };
}

/** One request, SIGTERM after so many ms, a new process, and what the provider has in the end. */
async function stopAfter(ms: number): Promise<readonly Accepted[]> {
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
  expect(performance.now() - signalled).toBeLessThan(12_000); // the host allows 10 s
  const second = await start();
  // Let the waiting message come at once instead of after its minute, and the first mail's 250 with it.
  await eventually(async () => {
    const rows = [];
    for await (const row of second.storage.table('Deliveries').list("state eq 'accepted'")) rows.push(row);
    return rows.length > 0 && smtp.accepted.length >= smtp.begun() ? true : undefined;
  }, 110);
  await second.stop();
  smtp.close();
  return smtp.accepted;
}

it(
  `SIGTERM at ${moments} moments of a slow send loses no mail, and repeats one only if the provider accepted it unheard`,
  async () => {
    const waits = Array.from({ length: moments }, (_, n) => Math.round((longestMs * (n + Math.random())) / moments));
    const results: { ms: number; accepted: readonly Accepted[] }[] = [];
    const queue = [...waits];
    const worker = async (): Promise<void> => {
      for (let ms = queue.pop(); ms !== undefined; ms = queue.pop())
        results.push({ ms, accepted: await stopAfter(ms) });
    };
    await Promise.all(Array.from({ length: Math.min(moments, 10) }, worker));
    for (const { accepted } of results) {
      expect(accepted.length).toBeGreaterThanOrEqual(1);
      expect(new Set(accepted.map(({ messageId }) => messageId)).size).toBe(1);
      const heard = accepted.filter(({ unheard }) => !unheard);
      expect(heard).toHaveLength(1);
    }
    if (process.env['STOP_MOMENTS'] !== undefined) {
      const twice = results.filter(({ accepted }) => accepted.length > 1).map(({ ms }) => ms);
      console.log(
        `${results.length} moments: ${results.length - twice.length} once, twice after ${twice.sort((a, b) => a - b).join(', ')} ms`,
      );
    }
  },
  Math.max(180_000, moments * 30_000),
);
