// Step 2: who gets which mail, by the state of accounts, limits and site when the message is handled.
import { bindLink } from '../../shared/resetLinks';
import { newId } from '../../shared/clock';
import { enqueueMail } from '../../shared/mailRequest';
import { checkKey, issueLinks } from '../../shared/resetFlow';
import type { SiteEvent } from '../../shared/resetDeps';
import {
  codalab,
  createTestFlow,
  createUnlimitedFlow,
  keyIn,
  keysIn,
  secretA,
  secretB,
  start,
  type TestFlow,
  type TestFlowOptions,
} from '../support/flow';

const email = 'someuser@somewhere.com';
const unavailable = { outcome: 'transient', reason: 'sendgrid_503', surelyNotAccepted: true } as const;

const nothingHappened = (t: TestFlow): void => {
  expect(t.email.tried).toEqual([]);
  expect([t.tables.resetKeys.rows(), t.tables.deliveries.rows(), t.queue.takeAll()]).toEqual([[], [], []]);
};

describe('a reset mail', () => {
  it('goes to the stored address, byte for byte, with a link that works', async () => {
    const t = createTestFlow();
    t.addAccount({ email: 'SomeUser@Somewhere.com' });
    const [mail] = await t.mailsFor('someuser@somewhere.COM');
    expect(mail).toMatchObject({
      to: 'SomeUser@Somewhere.com',
      from: 'CodaLab <info@codalab.org>',
      category: 'password-reset',
    });
    expect(mail?.text).toContain('https://codalab.org/accounts/password/reset/key/');
    await expect(checkKey(t.deps, keyIn(mail))).resolves.toMatchObject({ outcome: 'live', username: 'someuser' });
  });

  it.each([
    ['unknown', undefined],
    ['inactive', { isActive: false }],
    ['without a usable password', { password: '!x' }],
    ['without any password', { password: '' }],
    ['with a broken row', { username: '' }],
    ['with a row whose address belongs elsewhere', { email: 'other@somewhere.com' }],
  ])(
    '[E1] [LM8] is none, and leaves no row but the bucket of the client, if the account is %s',
    async (_what, columns) => {
      const t = createTestFlow();
      const addressHash = t.addAccount({ email });
      if (columns === undefined) t.tables.accounts.drop(addressHash, '1');
      else t.tables.accounts.edit(addressHash, '1', columns);
      await t.mailsFor(email, { client: '203.0.113.7' });
      nothingHappened(t);
      expect(t.outcomes()).toEqual(['nobody']);
      expect(t.tables.limits.rows().map(({ kind }) => kind)).toEqual(['ip']);
    },
  );

  it.each([
    ['of the account', { locale: 'de' }, 'fr', 'de'],
    ['of the request, if the account has none', {}, 'fr', 'fr'],
    ['of the site, if the request has none either', {}, undefined, 'ja'],
  ])('is in the language %s', async (_whose, columns, locale, expected) => {
    const t = createTestFlow({ site: { ...codalab, locale: 'ja' } });
    t.addAccount({ email, ...columns });
    expect((await t.mailsFor(email, { locale }))[0]?.locale).toBe(expected);
  });

  it('says when the link ends and who asked only if MAIL_EXTRA_LINES asks for it', async () => {
    const requester = { client: '203.0.113.7' };
    const [plain] = await createUnlimitedFlow().mailsFor(email, requester);
    const [full] = await createUnlimitedFlow({ mailExtraLines: ['expiry', 'asker'] }).mailsFor(email, requester);
    expect(plain?.text).not.toMatch(/203\.0\.113\.7|13:00/);
    expect(full?.text).toMatch(/203\.0\.113\.7/);
    expect(full?.text.replace('203.0.113.7', '')).toMatch(/13:00/);
  });
});

describe('several spellings of one address', () => {
  const typed = 'adalovelace@x.example';
  /** The nth way to write the address in upper and lower case; the 0th is `typed`. */
  const spelling = (nth: number): string =>
    Array.from(typed, (char, at) => ((nth >> at) & 1 ? char.toUpperCase() : char)).join('');
  const owned = (options: TestFlowOptions, strangers: number): TestFlow => {
    const t = createTestFlow({ perIp: 'off', ...options });
    t.addAccount({ email: typed, id: 'zzz', username: 'ada', createdAt: start });
    for (let nth = 1; nth <= strangers; nth++) {
      const createdAt = new Date(start.getTime() + nth);
      t.addAccount({ email: spelling(nth), id: String(nth).padStart(3, '0'), username: `user${nth}`, createdAt });
    }
    return t;
  };

  it('[A6] [Q4] get a mail each, with a key of their own account, and once also if the first message is retried', async () => {
    const t = owned({}, 1);
    t.email.script(unavailable);
    const mails = await t.mailsFor('ADAlovelace@x.example', { client: '203.0.113.7' });
    expect(mails.map(({ to }) => to).sort()).toEqual([spelling(1), typed].sort());
    for (const mail of mails) {
      const username = mail.to === typed ? 'ada' : 'user1';
      await expect(checkKey(t.deps, keyIn(mail))).resolves.toMatchObject({ outcome: 'live', username });
    }
    expect(mails[0]?.messageId).not.toBe(mails[1]?.messageId);
  });

  it('D5 are all charged to the address: 60 of them get no more mails than one', async () => {
    const t = owned({}, 60);
    t.email.script(unavailable, unavailable);
    const mails = await t.mailsFor(typed);
    expect(mails).toHaveLength(3);
    expect(mails.map(({ to }) => to)).toContain(typed);
    expect(await t.mailsFor(typed)).toEqual([]);
  });

  it('D5 do not cost the client a second token, which would tell that there are any', async () => {
    const t = owned({ perAddress: 'off', perIp: { burst: 2, refillMs: 60_000 } }, 1);
    for (const mails of [2, 2, 0]) expect(await t.mailsFor(typed, { client: '203.0.113.7' })).toHaveLength(mails);
  });

  it('D5 never cost the owner the mail: the spelling that was typed comes first, however many there are', async () => {
    const t = owned({ perAddress: 'off' }, 100);
    await t.mailsFor(typed);
    expect(t.email.tried[0]).toMatchObject({ to: typed });
    expect(t.email.accepted).toHaveLength(20);
    expect(t.queue.poisoned).toEqual([]);
    const skipped = { event: 'accountsSkipped', level: 'warn', mailed: 20, skipped: 81, mailId: expect.any(String) };
    expect(t.events.filter(({ event }) => event === 'accountsSkipped')).toEqual([skipped]);
  });

  it('D5 come before a second account of any: accounts that others register do not crowd the owner out', async () => {
    const t = createTestFlow({ perAddress: 'off' });
    t.addAccount({ email, id: 'own', username: 'own', createdAt: new Date(0) });
    for (let id = 0; id < 30; id++) {
      t.addAccount({ email: email.toUpperCase(), id: String(id), username: `user${id}`, createdAt: start });
    }
    const mails = await t.mailsFor(email.toUpperCase());
    expect(mails.map(({ to }) => to)).toEqual([email.toUpperCase(), email]);
  });

  it('D5 among accounts of one spelling the oldest come first: 100 of them make one mail with 20 links', async () => {
    const t = createTestFlow();
    for (let id = 0; id < 100; id++) {
      const createdAt = new Date(start.getTime() - id * 1000);
      t.addAccount({ email, id: String(id).padStart(4, '0'), username: `user${id}`, createdAt });
    }
    const [mail, ...more] = await t.mailsFor(email);
    expect(more).toEqual([]);
    const checked = await Promise.all(keysIn(mail ?? { text: '' }).map((key) => checkKey(t.deps, key)));
    expect(checked).toMatchObject(Array.from({ length: 20 }, (_, nth) => ({ username: `user${99 - nth}` })));
  });
});

describe('the limits', () => {
  it('[LM1] D22 let three mails through, then one per interval; the others are silent and counted in one row', async () => {
    const t = createTestFlow({ perIp: 'off' });
    t.addAccount({ email });
    for (let nth = 0; nth < 6; nth++) await t.request(email, { client: `203.0.113.${nth}` });
    await t.deliverAll();
    expect(t.email.accepted).toHaveLength(3);
    expect(await t.mailsFor(email)).toHaveLength(0);
    const suppressed = t.tables.deliveries.rows().filter(({ state }) => state === 'suppressed');
    expect(suppressed).toEqual([expect.objectContaining({ count: 4, reason: 'address_limit' })]);
    expect(t.tables.deliveries.rows()).toHaveLength(4);
    t.clock.advance(300);
    expect(await t.mailsFor(email)).toHaveLength(1);
  });

  it('[LM7] count a client over all addresses, and charge requests for unknown ones too', async () => {
    const t = createTestFlow({ perIp: { burst: 5, refillMs: 60_000 } });
    t.addAccount({ email });
    const client = '203.0.113.7';
    for (let nth = 0; nth < 6; nth++) await t.mailsFor(`unknown${nth}@somewhere.com`, { client });
    nothingHappened(t); // also for the sixth, which is over the limit
    expect(await t.mailsFor(email, { client })).toEqual([]);
    expect(await t.mailsFor(email, { client: '203.0.113.8' })).toHaveLength(1);
    expect(await t.mailsFor(email)).toHaveLength(1); // a site's own server without clientIp
    const states = t.tables.deliveries.rows();
    expect(states).toContainEqual(expect.objectContaining({ state: 'suppressed', reason: 'ip_limit' }));
  });

  it('charge a mail once, however often it is tried, and whatever was charged in between', async () => {
    const rate = { burst: 1, refillMs: 60_000 };
    const t = createTestFlow({ perAddress: rate, perIp: rate });
    t.addAccount({ email });
    const requester = { client: '203.0.113.7' };
    t.email.script(unavailable);
    await t.request(email, requester);
    await t.deliverAll(1);
    const [waiting] = t.queue.takeAll();
    t.clock.advance(60);
    expect(await t.mailsFor(email, requester)).toHaveLength(1);
    t.email.script(unavailable);
    await t.handle(waiting?.envelope);
    await t.deliverAll();
    expect(t.outcomes()).toEqual(['retry_later', 'accepted', 'retry_later', 'accepted']);
    expect(await t.mailsFor(email, requester)).toEqual([]);
  });

  it('do not charge a mail that a previous version charged already', async () => {
    const t = createTestFlow({ perAddress: { burst: 1, refillMs: 60_000 } });
    const addressHash = t.addAccount({ email });
    await t.mailsFor(email);
    const charged = { kind: 'resetAccount', addressHash, accountId: '1', acceptedAt: start, charged: true } as const;
    await enqueueMail(t.deps, newId(), charged);
    await t.deliverAll();
    expect(t.email.accepted).toHaveLength(2);
  });

  it('D18 keep the token of a mail that is refused: an address that always bounces is not free of them', async () => {
    const t = createTestFlow();
    t.addAccount({ email });
    const refusal = { outcome: 'permanent', reason: 'sendgrid_400' } as const;
    t.email.script(refusal, refusal, refusal, refusal);
    for (let times = 0; times < 10; times++) await t.mailsFor(email, { client: '203.0.113.7' });
    expect(t.email.tried).toHaveLength(3);
  });

  it('return the token of a mail that an outage of a day kept from being sent', async () => {
    const rate = { burst: 1, refillMs: 100 * 3_600_000 };
    const t = createTestFlow({ perAddress: rate, perIp: rate });
    t.addAccount({ email });
    t.email.script(unavailable);
    await t.request(email, { client: '203.0.113.7' });
    await t.deliverAll(1);
    t.clock.advance(24 * 3600);
    await t.deliverAll();
    expect(t.outcomes()).toEqual(['retry_later', 'failed']);
    expect(await t.mailsFor(email, { client: '203.0.113.7' })).toHaveLength(1);
  });
});

describe('the key of the mail', () => {
  it.each([
    ['the one of the request, if that waited for a minute at most', 60, true],
    ['a new one with a full life, if that waited for longer', 61, false],
  ])('is %s', async (_which, seconds, isSame) => {
    const t = createUnlimitedFlow();
    await t.request(email);
    const request = t.queued();
    t.clock.advance(seconds);
    await t.deliverAll();
    const key = keyIn(t.email.accepted[0]);
    expect(request?.kind === 'resetAddress' && request.key === key).toBe(isSame);
    const expiresAt = new Date((isSame ? start : t.clock.now()).getTime() + 3_600_000);
    await expect(checkKey(t.deps, key)).resolves.toMatchObject({ outcome: 'live', expiresAt });
  });

  it('[D1] is a new one if the secret that signed it was dropped meanwhile', async () => {
    const before = createUnlimitedFlow({ signingSecrets: [secretA] });
    await before.request(email);
    const after = createUnlimitedFlow({ signingSecrets: [secretB], sealingSecrets: [secretB, secretA] });
    await after.handle(before.queue.sent[0]?.envelope);
    await expect(checkKey(after.deps, keyIn(after.email.accepted[0]))).resolves.toMatchObject({ outcome: 'live' });
  });

  it('is a new one if it is bound otherwise already, or was issued for another address', async () => {
    const t = createUnlimitedFlow();
    const other = t.addAccount({ email: 'other@somewhere.com', id: '2' });
    await t.request(email);
    const request = t.queued();
    const [account] = await t.deps.accounts.findByAddress(email);
    const stranger = await t.deps.accounts.get(other, '2');
    if (request?.kind !== 'resetAddress' || account === undefined || stranger === undefined)
      throw new Error('no setup');
    const linkOf = async (of: typeof account) => (await bindLink(t.deps, of, request.key)).url.split('/').at(-2);
    expect(await linkOf(stranger)).not.toBe(request.key);
    expect(await linkOf(account)).toBe(request.key);
    expect(await linkOf(account)).toBe(request.key);
    expect(await linkOf({ ...account, credentialVersion: 'changed since' })).not.toBe(request.key);
  });
});

describe('the notice after a redemption', () => {
  const id = 'AAECAwQFBgcICQoLDA0ODw';
  const notice = (t: TestFlow, addressHash: string) =>
    enqueueMail(t.deps, id, {
      kind: 'passwordChanged',
      addressHash,
      accountId: '1',
      resetKeyId: 'this',
      acceptedAt: start,
    });

  it('goes out if that key set the present password, also to an account that was disabled since, beyond any limit', async () => {
    const t = createTestFlow({ perAddress: { burst: 1, refillMs: 300_000 } });
    const addressHash = t.addAccount({ email });
    await t.mailsFor(email);
    t.tables.accounts.edit(addressHash, '1', { lastResetKeyId: 'this', isActive: false });
    await notice(t, addressHash);
    await t.deliverAll();
    expect(t.email.accepted.map(({ category }) => category)).toEqual(['password-reset', 'password-changed']);
  });

  it.each([
    ['another key set the password', { lastResetKeyId: 'other' }],
    ['the account is gone', undefined],
  ])('does not go out if %s', async (_what, columns) => {
    const t = createTestFlow();
    const addressHash = t.addAccount({ email, ...columns });
    if (columns === undefined) t.tables.accounts.drop(addressHash, '1');
    await notice(t, addressHash);
    await t.deliverAll();
    nothingHappened(t);
  });

  it('D15 waits for a write that lands late, for five minutes', async () => {
    const t = createTestFlow();
    const addressHash = t.addAccount({ email });
    const [account] = await t.deps.accounts.findByAddress(email);
    const { credentialVersion = '' } = account ?? {};
    const expiresAt = new Date(start.getTime() + 3_600_000);
    await t.deps.resetKeys.bind({ addressHash, resetKeyId: 'this', accountId: '1', credentialVersion, expiresAt });
    await notice(t, addressHash);
    t.clock.advance(240);
    await t.deliverAll(1);
    expect(t.queue.sent.at(-1)).toMatchObject({ delaySeconds: 60, envelope: { id, attempt: 0 } });
    t.tables.accounts.edit(addressHash, '1', { lastResetKeyId: 'this', generation: 1 });
    await t.deliverAll(1);
    expect(t.email.accepted).toHaveLength(1);

    t.tables.accounts.edit(addressHash, '1', { lastResetKeyId: undefined, generation: 0 });
    t.tables.deliveries.drop(addressHash, id);
    await notice(t, addressHash);
    t.clock.advance(60);
    await t.deliverAll();
    expect(t.outcomes().at(-1)).toBe('nobody');
    expect(t.email.accepted).toHaveLength(1);
  });

  it('is preceded by the event password.changed, with one id however often it is sent', async () => {
    const sent: SiteEvent[] = [];
    const sendSiteEvent = async (event: SiteEvent) => {
      sent.push(event);
      return sent.length === 1 ? unavailable : ({ outcome: 'accepted', backend: 'site' } as const);
    };
    const t = createTestFlow({ sendSiteEvent });
    const addressHash = t.addAccount({ email, lastResetKeyId: 'this', passwordChangedAt: start });
    await notice(t, addressHash);
    await t.deliverAll();
    const data = { accountId: '1', at: start.toISOString() };
    const event = { id: expect.any(String), type: 'password.changed', data };
    expect(sent).toEqual([event, event]);
    expect(sent[1]?.id).toBe(sent[0]?.id);
    expect(t.queue.sent.map(({ envelope }) => envelope.v)).toEqual([1, 2, 2]);
  });
});

describe('links for support', () => {
  it('work, without a mail of them; each stored spelling is notified, naming its own accounts that can be reset', async () => {
    const t = createTestFlow();
    t.addAccount({ email });
    t.addAccount({ email, id: '2', username: 'second' });
    t.addAccount({ email, id: '3', username: 'disabled', isActive: false });
    t.addAccount({ email: 'SomeUser@somewhere.com', id: '4', username: 'othercase' });
    const issued = await issueLinks(t.deps, email);
    if (issued.outcome !== 'issued') throw new Error(issued.outcome);
    expect(issued.links.map(({ username }) => username)).toEqual(['someuser', 'othercase', 'second']);
    for (const { url, username } of issued.links) {
      const [key = ''] = keysIn({ text: url });
      await expect(checkKey(t.deps, key)).resolves.toMatchObject({ outcome: 'live', username });
    }
    await t.deliverAll();
    const notices = t.email.accepted.map(({ to, category, text }) => ({ to, category, text }));
    expect(notices.map(({ to }) => to).sort()).toEqual(['SomeUser@somewhere.com', email]);
    for (const { to, category, text } of notices) {
      expect(category).toBe('link-issued');
      expect(text).not.toContain('/reset/key/');
      const named = ['someuser', 'second', 'disabled', 'othercase'].filter((name) =>
        new RegExp(`\\b${name}\\b`).test(text),
      );
      expect(named).toEqual(to === email ? ['someuser', 'second'] : ['othercase']);
    }
  });

  it('D20 are 20 at most, and limited per address like mails, in a bucket of their own', async () => {
    const t = createTestFlow();
    for (let id = 0; id < 60; id++) t.addAccount({ email, id: String(id), username: `user${id}` });
    for (const outcome of ['issued', 'issued', 'issued', 'over_limit']) {
      const issued = await issueLinks(t.deps, email);
      expect(issued.outcome).toBe(outcome);
      if (issued.outcome === 'issued') expect(issued.links).toHaveLength(20);
    }
    const [notice, ...more] = await t.mailsFor('nobody@somewhere.com');
    expect([notice, ...more]).toHaveLength(3);
    expect(notice?.text.match(/user\d+/g)).toHaveLength(20);
    await expect(issueLinks(t.deps, 'nobody@somewhere.com')).resolves.toEqual({ outcome: 'issued', links: [] });
    const audit = t.events.filter(({ event }) => event === 'linksIssued');
    expect(audit.map((event) => 'count' in event && event.count)).toEqual([20, 20, 20, 0, 0]);
    expect(JSON.stringify(audit)).not.toContain('somewhere.com');
    expect(await t.mailsFor(email)).toHaveLength(1);
  });
});
