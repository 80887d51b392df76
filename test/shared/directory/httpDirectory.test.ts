// The HTTP directory when the site, or the way to it, is at fault: every fault is the same `StorageUnavailable`, and nothing is lost.
import { Webhook } from 'standardwebhooks';
import { createHttpDirectory } from '../../../shared/directory/httpDirectory';
import { createSiteEventSender } from '../../../shared/directory/signedCall';
import { withDeadline } from '../../../shared/clock';
import type { AppEvent } from '../../../shared/events';
import { addressHashOf } from '../../../shared/address';
import { type Fault, hang, reply, startDirectoryFront } from '../../support/directoryFront';
import { siteSecret, startDirectorySite } from '../../support/directorySite';

const hash = 'argon2$argon2id$v=19$m=64,t=1,p=1$c29tZXNhbHRzYWx0$Jy3XqUJpSCMSxIVC4A1tHRDUFqTbVYQFkeBxtzKqZGk';
const ada = { id: '1', email: 'ada@example.org', username: 'ada', password: hash, isActive: true };
const addressHash = addressHashOf(ada.email);
/** As a site answers it. */
const answered = { ...ada, password: undefined, credentialVersion: 'v', lastResetKeyId: null };
const shortMs = 200;

const closers: (() => unknown)[] = [];
afterAll(() => closers.forEach((close) => close()));

const startFront = async (site: string, scheme: 'http' | 'https' = 'http') => {
  const front = await startDirectoryFront(site, siteSecret, scheme);
  closers.push(front.close);
  return front;
};
const directoryAt = (url: string, secrets = [siteSecret]) => createHttpDirectory({ url, secrets }, () => undefined);

/** The reference site behind a peer that makes one fault per call, in order, then passes calls on. */
async function openFaulty(passwordFormat: 'encoded' | 'plain' = 'encoded', timeoutMs = 60_000) {
  const real = await startDirectorySite(passwordFormat);
  closers.push(real.close);
  await real.seed([ada]);
  const front = await startFront(real.url);
  const events: AppEvent[] = [];
  const settings = { url: `${front.url}/`, secrets: [siteSecret], passwordFormat, timeoutMs };
  const directory = createHttpDirectory(settings, (event) => events.push(event));
  const account = await real.directory.get(addressHash, '1');
  if (!account) throw new Error('no account');
  const { credentialVersion } = account;
  const change = { credentialVersion, password: hash.replace('Jy3', 'Jy4'), resetKeyId: 'k', at: new Date() };
  const fail = (...faults: readonly Fault[]) => faults.forEach((fault) => front.rule(undefined, fault, 1));
  return { ...front, directory, account, change, events, fail, site: real };
}

const json = (status: number, body: unknown): Fault => reply(status, JSON.stringify(body));
const lose: Fault = async (response, pass) => {
  await pass();
  response.destroy();
};
const reset: Fault = (response) => response.destroy();
const stalled: Fault = (response) =>
  response.writeHead(200, { 'Content-Type': 'application/json' }).write('{"accounts":');
const padding = 'x'.repeat(1024 * 1024);

const unavailable = (code: string): unknown =>
  expect.objectContaining({ name: 'StorageUnavailable', part: 'accounts', code });
const rejection = (call: Promise<unknown>): Promise<unknown> =>
  call.then(
    (value) => ({ value }),
    (error: unknown) => error,
  );

describe('the HTTP directory', () => {
  let open: Awaited<ReturnType<typeof openFaulty>>;
  beforeEach(async () => {
    open = await openFaulty();
  });

  describe.each<readonly [string, () => Promise<unknown>]>([
    ['find', () => open.directory.findByAddress(ada.email)],
    ['get', () => open.directory.get(addressHash, '1')],
    ['set-password', () => open.directory.setPassword(open.account, open.change)],
  ])('%s', (call, run) => {
    it.each<readonly [string, readonly Fault[], string]>([
      ['an answer that comes too late', [hang], 'timeout'],
      ['an answer that stalls half-way', [stalled], 'timeout'],
      ['a connection lost twice', [reset, reset], 'connection_lost'],
      ['an error of the site', [json(500, {})], '500'],
      ['a refused signature', [json(401, { code: 'bad_signature' })], 'bad_signature'],
      ['a redirect, which is not followed', [reply(307, '', { Location: 'http://127.0.0.1:9/' })], '307'],
      ['a page', [reply(200, '<p>Welcome', { 'Content-Type': 'text/html' })], 'not_json'],
      ['broken JSON', [reply(200, '{"accounts":[')], 'not_json'],
      ['JSON of another shape', [json(200, ['accounts'])], 'bad_shape'],
      ['a megabyte', [json(200, { accounts: [], account: null, padding })], 'too_large'],
      ['a rejection that is none', [json(422, { reasons: [] })], '422'],
    ])('%s is an outage that is reported, and is over with it', async (_, faults, code) => {
      open.fail(...faults);
      const isLate = code === 'timeout';
      expect(await rejection(isLate ? withDeadline(shortMs, run) : run())).toEqual(unavailable(code));
      expect(open.events).toEqual([{ event: 'accountDirectoryFailed', level: 'error', call, reason: code }]);
      expect(open.calls).toHaveLength(faults.length);
      expect(await rejection(run())).toHaveProperty('value');
    });

    it('tries once more when the connection is lost: the same message, signed anew', async () => {
      open.fail(reset);
      expect(await rejection(run())).toHaveProperty('value');
      const [first, second] = open.calls;
      expect(second).toMatchObject({ call: first?.call, body: first?.body });
      expect(second?.headers['webhook-id']).toBe(first?.headers['webhook-id']);
      expect(second?.headers['webhook-signature']).not.toBe(first?.headers['webhook-signature']);
      expect(open.events).toEqual([]);
    });

    it('uses its connections again', async () => {
      for (let each = 0; each < 6; each++) await run();
      expect(open.connections()).toBeLessThanOrEqual(2);
    });
  });

  it('ends a call after its own time-out', async () => {
    const { directory, fail } = await openFaulty('encoded', shortMs);
    fail(hang);
    expect(await rejection(directory.findByAddress(ada.email))).toEqual(unavailable('timeout'));
  });

  it('answers `changed` when the reply to the change was lost', async () => {
    open.fail(lose);
    expect(await open.directory.setPassword(open.account, open.change)).toEqual({ outcome: 'changed' });
    expect(open.calls).toHaveLength(2);
    expect((await open.directory.get(addressHash, '1'))?.lastResetKeyId).toBe('k');
  });

  it.each([404, 409])('takes %s for a key that is used', async (status) => {
    open.fail(reply(status, '', {}));
    expect(await open.directory.setPassword(open.account, open.change)).toEqual({ outcome: 'superseded' });
    open.fail(reply(status, '', {}));
    expect(await rejection(open.directory.get(addressHash, '1'))).toEqual(unavailable(String(status)));
  });

  it('ignores accounts that have another address, and reports them', async () => {
    const account = { ...answered, id: '2' };
    const other = { ...account, id: '3', email: 'adä@example.org' };
    open.fail(json(200, { accounts: [other, account] }));
    expect((await open.directory.findByAddress(ada.email)).map(({ id }) => id)).toEqual(['2']);
    expect(open.events).toMatchObject([{ event: 'accountDirectoryFailed', call: 'find', reason: 'other_address' }]);
  });

  it('skips an account that it cannot read, and keeps the others', async () => {
    const good = { ...answered, id: '2' };
    open.fail(json(200, { accounts: [{ ...good, id: '3', username: 'y'.repeat(300) }, good, 'nonsense'] }));
    expect((await open.directory.findByAddress(ada.email)).map(({ id }) => id)).toEqual(['2']);
    expect(open.events).toMatchObject([{ event: 'accountRowSkipped', reason: 'bad_shape' }]);
  });

  it('reads every field', async () => {
    const times = { passwordChangedAt: '2026-01-02T03:04:05+01:00', createdAt: '2025-01-01T00:00:00.123456Z' };
    const account = { ...answered, locale: 'de', lastResetKeyId: 'k', ...times };
    open.fail(json(200, { account: { ...account, unknown: 1 } }));
    expect(await open.directory.get(addressHash, '1')).toEqual({
      ...{ addressHash, id: '1', email: ada.email, username: 'ada', canReset: true, revision: 'v' },
      ...{ credentialVersion: 'v', locale: 'de', lastResetKeyId: 'k' },
      passwordChangedAt: new Date('2026-01-02T02:04:05Z'),
      createdAt: new Date('2025-01-01T00:00:00.123Z'),
    });
  });

  it.each([
    ['a number as id', { id: 1 }],
    ['an empty id', { id: '' }],
    ['an id that fits into no message', { id: '\u{1F40E}'.repeat(200) }],
    ['no credential version', { credentialVersion: undefined }],
    ['no last reset key', { lastResetKeyId: undefined }],
    ['a time that is none', { createdAt: 'yesterday' }],
    ['the id of another account', { id: '2' }],
  ])('takes %s for a broken directory', async (_, more) => {
    open.fail(json(200, { account: { ...answered, ...more } }));
    expect(await rejection(open.directory.get(addressHash, '1'))).toEqual(unavailable('bad_shape'));
  });

  it('takes an account without an address that can be mailed for none', async () => {
    open.fail(json(200, { account: { ...answered, email: '' } }));
    expect(await open.directory.get(addressHash, '1')).toBeUndefined();
    expect(open.events).toMatchObject([{ event: 'accountRowSkipped', reason: 'bad_address' }]);
  });

  it('gives the reasons of a rejected password, bounded, for plain passwords only', async () => {
    const long = { code: 'x y', message: `a\u0000\r\nb${padding.slice(0, 1000)}` };
    const rejected = json(422, { reasons: Array.from({ length: 20 }, () => long) });
    open.fail(rejected);
    expect(await rejection(open.directory.setPassword(open.account, open.change))).toEqual(unavailable('422'));
    const plain = await openFaulty('plain');
    plain.fail(rejected);
    const result = await plain.directory.setPassword(plain.account, plain.change);
    const problems = result.outcome === 'rejected' ? result.problems : [];
    expect(problems).toHaveLength(10);
    expect(problems[0]).toEqual({ code: 'rejected', message: `a b${'x'.repeat(297)}` });
  });

  it('says so when nothing listens', async () => {
    open.down();
    expect(await rejection(open.directory.findByAddress(ada.email))).toEqual(unavailable('connection_refused'));
  });

  it('trusts no certificate that is not signed by an authority', async () => {
    const front = await startFront(open.site.url, 'https');
    expect(await rejection(directoryAt(front.url).findByAddress(ada.email))).toEqual(unavailable('tls'));
    expect(front.calls).toEqual([]);
  });

  it.each(['http://example.org/x', 'http://127.0.0.1.example.org', 'ftp://127.0.0.1'])('refuses the URL %s', (url) => {
    expect(() => directoryAt(url)).toThrow('needs https');
  });

  it('signs with the first of its secrets', async () => {
    const other = `whsec_${Buffer.alloc(32, 9).toString('base64')}`;
    const find = (secrets: string[]) => directoryAt(open.site.url, secrets).findByAddress(ada.email);
    expect(await find([siteSecret, other])).toHaveLength(1);
    expect(await rejection(find([other, siteSecret]))).toEqual(unavailable('bad_signature'));
  });
});

describe('a site event', () => {
  const data = { accountId: '1', at: '2026-01-02T03:04:05.000Z' };
  const event = { id: 'event1', type: 'password.changed', data };
  async function sendTo(fault: Fault) {
    const front = await startFront('http://127.0.0.1:9');
    front.rule('events/reset', fault);
    const target = { url: `${front.url}/events/reset`, secrets: [siteSecret], timeoutMs: 500 };
    return { outcome: await createSiteEventSender(target)(event), calls: front.calls };
  }

  it('is a signed Standard Webhook under its own id', async () => {
    const { outcome, calls } = await sendTo(reply(204, '', {}));
    expect(outcome).toMatchObject({ outcome: 'accepted' });
    const [call] = calls;
    expect(call?.headers['webhook-id']).toBe('event1');
    expect(new Webhook(siteSecret).verify(call?.body ?? '', call?.headers ?? {})).toEqual({
      type: event.type,
      timestamp: data.at,
      data,
    });
  });

  it.each<readonly [string, Fault, object]>([
    ['an error of the site', reply(500, '', {}), { reason: 'site_500', misconfigured: false }],
    ['a busy site', reply(429, '', { 'Retry-After': '9' }), { reason: 'site_429', retryAfterSeconds: 9 }],
    ['a wait without end', reply(503, '', { 'Retry-After': '99999' }), { retryAfterSeconds: 300 }],
    ['a refused signature', reply(401, '', {}), { reason: 'site_401', misconfigured: true }],
    ['a redirect', reply(302, '', { Location: '/' }), { reason: 'site_302', misconfigured: true }],
    ['a lost connection', reset, { reason: 'connection_lost', misconfigured: false }],
    ['no answer in time', hang, { reason: 'timeout', misconfigured: false }],
  ])('is to be sent again after %s', async (_, fault, more) => {
    expect((await sendTo(fault)).outcome).toMatchObject({ outcome: 'transient', ...more });
  });

  it('is given up after 410', async () => {
    expect((await sendTo(reply(410, '', {}))).outcome).toEqual({ outcome: 'permanent', reason: 'site_410' });
  });

  it('is accepted by its status, however much the site says', async () => {
    expect((await sendTo(reply(200, padding, {}))).outcome).toMatchObject({ outcome: 'accepted' });
  });
});
