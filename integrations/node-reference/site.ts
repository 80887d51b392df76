// A small web site that keeps its own accounts: a log-in page with sessions, and the account directory's three calls
// (docs/account-directory.openapi.json). A sample to copy from; a real site has https, Secure cookies and a limit on log-ins.
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { hash, verify } from '@node-rs/argon2';
import { Database } from 'node-sqlite3-wasm';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';

export interface SiteOptions {
  /** A file, or `:memory:`. */
  readonly database: string;
  /** `whsec_…`; each of them is accepted. */
  readonly secrets: readonly string[];
  /** `encoded`: the app sends a hash in Django's encoding (this site verifies Argon2); `plain`: a password for this site to hash. */
  readonly passwordFormat: 'encoded' | 'plain';
  readonly port?: number;
  /** Where the log-in page sends people who forgot their password. */
  readonly resetPage?: string;
}

const tables = `CREATE TABLE IF NOT EXISTS users (id TEXT PRIMARY KEY, email TEXT, username TEXT UNIQUE, password TEXT,
    isActive INTEGER, locale TEXT, lastResetKeyId TEXT, passwordChangedAt TEXT, createdAt TEXT);
  CREATE INDEX IF NOT EXISTS usersByEmail ON users (lower(email));
  CREATE TABLE IF NOT EXISTS sessions (token TEXT PRIMARY KEY, userId TEXT, createdAt TEXT);
  CREATE TABLE IF NOT EXISTS seenCalls (call TEXT PRIMARY KEY, at INTEGER)`;
const [text, optional] = [z.string(), z.string().nullable()];
const more = { locale: optional, lastResetKeyId: optional, passwordChangedAt: optional, createdAt: text };
const userRow = z.object({ id: text, email: text, username: text, password: text, isActive: z.number(), ...more });
type User = z.infer<typeof userRow>;
type Answer = readonly [status: number, content: object | string, headers?: Record<string, string>];

const [minPasswordChars, maxBodyBytes, seenForMs] = [12, 16_384, 11 * 60_000];
const sha256 = (content: string) => createHash('sha256').update(content).digest('base64url');
const escapeHtml = (content: string) => content.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
const isHash = (password: string) => /^argon2\$argon2id\$v=19\$[\w=,]+\$[\w+/]{11,}\$[\w+/]{22,}$/.test(password);
const matches = async ({ password }: User, candidate: string) =>
  isHash(password) && (await verify(password.slice('argon2'.length), candidate));
/** Changes with everything that must end a reset key: password, address, activity. */
const versionOf = ({ id, email, password, isActive }: User) => sha256(JSON.stringify([id, email, password, isActive]));
const accountOf = ({ password, ...user }: User) => ({
  ...user,
  isActive: user.isActive === 1 && isHash(password),
  credentialVersion: versionOf({ ...user, password }),
});

/** Starts the site on loopback. Its directory is at `/password-reset`; it takes events at `/password-reset/events`. */
export async function startSite({ database, secrets, passwordFormat, port = 0, resetPage = '#' }: SiteOptions) {
  const db = new Database(database);
  db.exec(tables);
  const webhooks = secrets.map((secret) => new Webhook(secret));
  const usersWhere = (condition: string, value: string) =>
    db.all(`SELECT * FROM users WHERE ${condition} ORDER BY createdAt, id`, [value]).map((row) => userRow.parse(row));

  /** Why a call is refused: its signature (compared in constant time), its age (5 minutes), or that it was here before. */
  function refusalOf(headers: IncomingHttpHeaders, rawBody: Buffer): string | undefined {
    const [id = '', at = '', signature = ''] = ['id', 'timestamp', 'signature'].map((name) =>
      String(headers[`webhook-${name}`]),
    );
    if (!/^\d{1,12}$/.test(at)) return 'stale'; // the library reads a number out of more texts than one
    const signed = { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature };
    const problems = webhooks.map((webhook) => {
      try {
        return void webhook.verify(rawBody, signed, { jsonParse: false });
      } catch (error) {
        return /timestamp too/.test(String(error)) ? 'stale' : 'bad_signature';
      }
    });
    if (!problems.includes(undefined)) return problems[0];
    db.run('DELETE FROM seenCalls WHERE at < ?', [Date.now() - seenForMs]);
    const { changes } = db.run('INSERT OR IGNORE INTO seenCalls VALUES (?, ?)', [`${id}.${at}`, Date.now()]);
    return changes === 1 ? undefined : 'replayed';
  }

  async function setPassword(body: unknown): Promise<Answer> {
    const call = z.object({ id: text, credentialVersion: text, password: text, resetKeyId: text }).parse(body);
    const isPlain = passwordFormat === 'plain';
    if (isPlain === isHash(call.password)) return [422, { code: 'unsupported_hash' }];
    const [user] = usersWhere('id = ?', call.id);
    if (!user) return [404, { code: 'not_found' }];
    const isCurrent = versionOf(user) === call.credentialVersion; // a used key is not to be told about rules
    if (isPlain && isCurrent && call.password.length < minPasswordChars)
      return [422, { reasons: [{ code: 'too_short', message: `Use at least ${minPasswordChars} characters.` }] }];
    const password = isPlain ? `argon2${await hash(call.password)}` : call.password;
    // One conditional write: of concurrent calls only one finds the row as it was read.
    const change = [password, call.resetKeyId, new Date().toISOString()];
    const asRead = [user.id, user.email, user.password, user.isActive];
    const write = `UPDATE users SET password = ?, lastResetKeyId = ?, passwordChangedAt = ?
      WHERE id = ? AND email = ? AND password = ? AND isActive = ?`;
    if (isCurrent && db.run(write, [...change, ...asRead]).changes === 1) {
      db.run('DELETE FROM sessions WHERE userId = ?', [user.id]);
      return [200, { status: 'changed' }];
    }
    // The same key with the same password again: the reply was lost.
    const [now] = usersWhere('id = ?', user.id);
    const isRepeat =
      now?.lastResetKeyId === call.resetKeyId &&
      (isPlain ? await matches(now, call.password) : now.password === password);
    return isRepeat ? [200, { status: 'changed' }] : [409, { code: 'superseded' }];
  }

  const calls: Record<string, (body: unknown) => Answer | Promise<Answer>> = {
    '/password-reset/find': (body) => {
      const { email } = z.object({ email: text }).parse(body); // SQLite's lower() knows ASCII letters only
      return [200, { accounts: usersWhere('lower(email) = lower(?)', email).slice(0, 50).map(accountOf) }];
    },
    '/password-reset/get': (body) => {
      const [user] = usersWhere('id = ?', z.object({ id: text }).parse(body).id);
      return [200, { account: user ? accountOf(user) : null }];
    },
    '/password-reset/set-password': setPassword,
    '/password-reset/events': (body) => {
      const { type, data } = z.object({ type: text, data: z.record(text, text) }).parse(body);
      // It may come late: who has logged in with the new password stays.
      const before = [data['accountId'] ?? '', data['at'] ?? ''];
      if (type === 'password.changed') db.run('DELETE FROM sessions WHERE userId = ? AND createdAt <= ?', before);
      return [200, {}];
    },
  };

  const logInPage = (problem: string) =>
    `<p>${problem}<form method="post"><label>User name <input name="username"></label> <label>Password
    <input name="password" type="password"></label> <button>Log in</button></form><a href="${escapeHtml(resetPage)}">Forgot?</a>`;

  async function answer(request: IncomingMessage): Promise<Answer> {
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) return [413, {}];
    const body = await buffer(request);
    const call = calls[request.url ?? ''];
    if (call !== undefined) {
      const code = refusalOf(request.headers, body);
      return code === undefined ? call(JSON.parse(body.toString())) : [401, { code }];
    }
    if (request.method !== 'POST') {
      const token = /(?:^|; )session=([\w-]+)/.exec(request.headers.cookie ?? '')?.[1] ?? '';
      const [user] = usersWhere('id = (SELECT userId FROM sessions WHERE token = ?)', sha256(token));
      return [200, user ? `<p>Logged in as ${escapeHtml(user.username)}.` : logInPage('')];
    }
    const form = new URLSearchParams(body.toString());
    const [user] = usersWhere('isActive = 1 AND username = ?', form.get('username') ?? '');
    if (!user || !(await matches(user, form.get('password') ?? ''))) return [403, logInPage('Wrong name or password.')];
    const session = randomBytes(16).toString('base64url');
    db.run('INSERT INTO sessions VALUES (?, ?, ?)', [sha256(session), user.id, new Date().toISOString()]);
    return [303, '', { Location: '/', 'Set-Cookie': `session=${session}; HttpOnly; SameSite=Lax; Path=/` }];
  }

  const server = createServer((request, response) => {
    const send = ([status, content, headers]: Answer) => {
      const isPage = typeof content === 'string';
      const type = isPage ? 'text/html; charset=utf-8' : 'application/json';
      response.writeHead(status, { 'Content-Type': type, 'Cache-Control': 'no-store', ...headers });
      response.end(isPage ? `<!doctype html><title>Sample site</title>${content}` : JSON.stringify(content));
    };
    answer(request).then(send, () => send([400, {}]));
  });
  await once(server.listen(port, '127.0.0.1'), 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    db,
    close: () => {
      server.close().closeAllConnections();
      db.close();
    },
  };
}
