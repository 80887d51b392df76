// An SMTP server on loopback that answers what a test scripts: smtp-server for everything it can do, a raw socket for bad manners.
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { generate } from 'selfsigned';
import { SMTPServer } from 'smtp-server';

/** A message as it came in after DATA, and its envelope. */
interface SmtpMessage {
  readonly to: readonly string[];
  readonly raw: string;
  readonly secure: boolean;
  /** When it was accepted, as `performance.now()`. */
  readonly at: number;
}

/** A code, or a code and a text such as `554 5.7.1 Relay access denied`. */
type Reply = number | string;

/** How a raw server misbehaves. */
type BadManners =
  | 'noGreeting'
  | 'dropBeforeGreeting'
  | 'stallAtData'
  | 'stallAfterDot'
  | 'dropAfterDot'
  /** A `250-` line every few milliseconds in answer to EHLO, never the last one. */
  | 'trickleEhlo'
  | { readonly greeting: string };

export interface ScriptedSmtpOptions {
  readonly badManners?: BadManners;
  /** Log-ins that are accepted; any log-in is refused with 535 otherwise. Without it AUTH is not offered. */
  readonly auth?: { readonly user: string; readonly password: string };
  /** What the answer to the end of the first DATA takes. The message is accepted whether or not the client is still there. */
  readonly firstAnswerMs?: number;
  /** Offers STARTTLS (or speaks TLS at once if `implicit`) with this certificate. */
  readonly tls?: TestCertificate & { readonly implicit?: boolean; readonly only?: SecureVersion };
}

export interface ScriptedSmtp {
  readonly port: number;
  /** Messages accepted with 250. */
  readonly messages: SmtpMessage[];
  /** Bytes of every connection, as they came: what an eavesdropper reads. Raw servers only. */
  readonly wire: () => string;
  connections(): number;
  /** The most connections that were open at once. */
  openAtMost(): number;
  /** Replies to the next RCPT TO (or end of DATA) commands, in order; afterwards 250. */
  script(replies: { readonly rcpt?: readonly Reply[]; readonly data?: readonly Reply[] }): void;
  /** Ends every open connection, as a server does with idle ones. Resolves when they are gone. */
  disconnectAll(): Promise<void>;
  close(): Promise<void>;
}

/** A key pair in PEM, self-signed: itself the authority to trust. */
export interface TestCertificate {
  readonly key: string;
  readonly cert: string;
}

/** A certificate for `127.0.0.1` and `localhost`, unless it is for another name or has expired. */
export async function testCertificate({
  name,
  expired = false,
}: { name?: string; expired?: boolean } = {}): Promise<TestCertificate> {
  const day = 24 * 60 * 60 * 1000;
  const [from, to] = expired ? [-2 * day, -day] : [-day, day];
  const altNames = name
    ? [{ type: 2 as const, value: name }]
    : [
        { type: 2 as const, value: 'localhost' },
        { type: 7 as const, ip: '127.0.0.1' },
      ];
  const { private: key, cert } = await generate([{ name: 'commonName', value: name ?? 'localhost' }], {
    keyType: 'ec',
    algorithm: 'sha256',
    notBeforeDate: new Date(Date.now() + from),
    notAfterDate: new Date(Date.now() + to),
    extensions: [{ name: 'subjectAltName', altNames }],
  });
  return { key, cert };
}

function reply(scripted: Reply | undefined): Error | null {
  if (scripted === undefined) return null;
  const [, code = '', text = 'scripted'] = /^(\d{3}) ?(.+)?$/.exec(String(scripted)) ?? [];
  return Object.assign(new Error(text), { responseCode: Number(code) });
}

export async function startScriptedSmtp(options: ScriptedSmtpOptions = {}): Promise<ScriptedSmtp> {
  return options.badManners === undefined ? startSmtpServer(options) : startRawServer(options.badManners);
}

async function startSmtpServer({ auth, firstAnswerMs = 0, tls }: ScriptedSmtpOptions): Promise<ScriptedSmtp> {
  const messages: SmtpMessage[] = [];
  const scripted = { rcpt: [] as Reply[], data: [] as Reply[] };
  let mails = 0;
  const versions = tls?.only ? { minVersion: tls.only, maxVersion: tls.only, ciphers: 'DEFAULT:@SECLEVEL=0' } : {};
  const server = new SMTPServer({
    ...(tls ? { key: tls.key, cert: tls.cert, secure: tls.implicit ?? false, ...versions } : { hideSTARTTLS: true }),
    disabledCommands: [...(auth ? [] : ['AUTH']), ...(tls ? [] : ['STARTTLS'])],
    authOptional: !auth,
    allowInsecureAuth: true,
    disableReverseLookup: true,
    logger: false,
    closeTimeout: 1,
    onAuth({ username, password }, _session, done) {
      if (username === auth?.user && password === auth?.password) done(null, { user: username });
      else done(Object.assign(new Error('scripted'), { responseCode: 535 }));
    },
    onRcptTo(_address, _session, done) {
      done(reply(scripted.rcpt.shift()));
    },
    onData(stream, session, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      const answerMs = mails++ === 0 ? firstAnswerMs : 0;
      const answer = (): void => {
        const refused = reply(scripted.data.shift());
        const { rcptTo } = session.envelope;
        if (!refused) {
          messages.push({
            to: rcptTo.map(({ address }) => address),
            raw: Buffer.concat(chunks).toString(),
            secure: session.secure,
            at: performance.now(),
          });
        }
        done(refused);
      };
      stream.on('end', () => (answerMs === 0 ? answer() : setTimeout(answer, answerMs).unref()));
    },
  });
  server.on('error', () => {}); // a client that refuses our certificate
  const listening = await listen(server.server);
  return {
    ...listening,
    messages,
    wire: () => '',
    script({ rcpt = [], data = [] }) {
      scripted.rcpt.push(...rcpt);
      scripted.data.push(...data);
    },
    close: () => new Promise((resolve) => server.close(resolve)),
  };
}

/** Listens on a free loopback port, and keeps count of the connections. */
async function listen(server: Server) {
  const sockets = new Set<Socket>();
  let [connections, most] = [0, 0];
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    most = Math.max(most, sockets.size);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    connections: () => connections,
    openAtMost: () => most,
    disconnectAll: async () => {
      await Promise.all([...sockets].map((socket) => once(socket.end(), 'close')));
    },
    close: async (): Promise<void> => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function startRawServer(how: BadManners): Promise<ScriptedSmtp> {
  let wire = '';
  const server = createServer((socket) => {
    socket.on('error', () => {});
    behave(socket, how, (text) => (wire += text));
  });
  return { ...(await listen(server)), messages: [], wire: () => wire, script: () => {} };
}

/** The few commands a client sends, one at a time, up to the point where this server goes wrong. */
function behave(socket: Socket, how: BadManners, heard: (text: string) => void): void {
  let inData = false;
  let buffered = '';
  if (how === 'dropBeforeGreeting') socket.end();
  else if (typeof how === 'object') socket.end(`${how.greeting}\r\n`);
  else if (how !== 'noGreeting') socket.write('220 scripted ESMTP\r\n');
  socket.on('data', (chunk) => {
    heard(chunk.toString());
    buffered += chunk.toString();
    if (inData) {
      if (buffered.endsWith('\r\n.\r\n') && how === 'dropAfterDot') socket.destroy();
      return;
    }
    const command = buffered.trim().toUpperCase();
    if (!buffered.endsWith('\r\n')) return;
    buffered = '';
    if (command.startsWith('EHLO') && how === 'trickleEhlo') {
      const timer = setInterval(() => socket.write('250-SCRIPTED\r\n'), 20);
      socket.once('close', () => clearInterval(timer));
    } else if (command === 'DATA') {
      if (how === 'stallAtData') return;
      inData = true;
      socket.write('354 go on\r\n');
    } else {
      socket.write(command === 'STARTTLS' ? '502 not implemented\r\n' : '250 ok\r\n');
    }
  });
}
