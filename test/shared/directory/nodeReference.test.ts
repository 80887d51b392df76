// The Node reference site, by both ways to hand a password over; what it refuses; that its sessions end.
import { Webhook } from 'standardwebhooks';
import { createSiteEventSender } from '../../../shared/directory/signedCall';
import { addressHashOf } from '../../../shared/address';
import { hashPassword } from '../../../shared/password/passwordHash';
import { siteSecret, startDirectorySite } from '../../support/directorySite';
import { accountDirectoryContract } from './accountDirectory.contract';

const closers: (() => void)[] = [];
const open = async (passwordFormat: 'encoded' | 'plain') => {
  const started = await startDirectorySite(passwordFormat);
  closers.push(started.close);
  return started;
};
afterAll(() => closers.forEach((close) => close()));

accountDirectoryContract('the Node reference, with hashes', () => open('encoded'));
accountDirectoryContract('the Node reference, with plain passwords', () => open('plain'));

const [oldPassword, newPassword] = ['the old horse battery', 'the new horse battery'];
const openWithAda = async (passwordFormat: 'encoded' | 'plain') => {
  const started = await open(passwordFormat);
  const password = await hashPassword(oldPassword, 'argon2id');
  await started.seed([{ id: '1', email: 'ada@example.org', username: 'ada', password, isActive: true }]);
  const account = await started.directory.get(addressHashOf('ada@example.org'), '1');
  if (!account) throw new Error('no account');
  return { ...started, account };
};

describe('the Node reference site', () => {
  it.each(['encoded', 'plain'] as const)(
    'after a redemption takes the new password, not the old, and open sessions are out (%s)',
    async (passwordFormat) => {
      const { directory, account, logIn, me } = await openWithAda(passwordFormat);
      const session = await logIn('ada', oldPassword);
      expect(await me(session)).toBe('ada');
      const password = passwordFormat === 'plain' ? newPassword : await hashPassword(newPassword, 'argon2id');
      const { credentialVersion } = account;
      const change = { credentialVersion, password, resetKeyId: 'k', at: new Date() };
      expect(await directory.setPassword(account, change)).toEqual({ outcome: 'changed' });
      expect(await me(session)).toBe('');
      expect(await logIn('ada', oldPassword)).toBeUndefined();
      expect(await me(await logIn('ada', newPassword))).toBe('ada');
    },
  );

  it('ends the sessions of before the change on the event password.changed', async () => {
    const { url, logIn, me } = await openWithAda('encoded');
    const session = await logIn('ada', oldPassword);
    const settings = { url: `${url}/events`, secrets: [siteSecret] };
    const tell = async (id: string, at: Date) => {
      const event = { id, type: 'password.changed', data: { accountId: '1', at: at.toISOString() } };
      expect(await createSiteEventSender(settings)(event)).toMatchObject({ outcome: 'accepted' });
    };
    await tell('e1', new Date(Date.now() - 60_000));
    expect(await me(session)).toBe('ada');
    await tell('e2', new Date());
    expect(await me(session)).toBe('');
  });

  it('has rules of its own: a password that they reject leaves the account as it was', async () => {
    const { directory, account } = await openWithAda('plain');
    const change = { ...account, password: 'short', resetKeyId: 'k', at: new Date() };
    expect(await directory.setPassword(account, change)).toEqual({
      outcome: 'rejected',
      problems: [{ code: 'too_short', message: 'Use at least 12 characters.' }],
    });
    expect(await directory.get(account.addressHash, '1')).toEqual(account);
  });

  it('says when it cannot verify a hash, also for an unknown account', async () => {
    const { directory, account } = await openWithAda('encoded');
    const change = { ...account, password: await hashPassword('x', 'scrypt'), resetKeyId: 'k', at: new Date() };
    for (const each of [account, { ...account, id: 'nobody' }]) {
      await expect(directory.setPassword(each, change)).rejects.toMatchObject({ code: 'unsupported_hash' });
    }
  });

  describe('refuses a call', () => {
    const body = JSON.stringify({ email: 'ada@example.org' });
    const send = async (
      url: string,
      { id = 'm1', at = new Date(), signed = body, sent = body, secret = siteSecret } = {},
    ) => {
      const headers = {
        'Content-Type': 'application/json',
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(at.getTime() / 1000)),
        'webhook-signature': new Webhook(secret).sign(id, at, signed),
      };
      const answer = await fetch(`${url}/find`, { method: 'POST', headers, body: sent });
      return { status: answer.status, json: await answer.json() };
    };
    let url: string;
    beforeAll(async () => ({ url } = await openWithAda('encoded')));

    it('that was here before, but not the same message signed anew', async () => {
      const at = new Date();
      expect((await send(url, { at })).status).toBe(200);
      expect(await send(url, { at })).toEqual({ status: 401, json: { code: 'replayed' } });
      expect((await send(url, { at: new Date(at.getTime() + 1000) })).status).toBe(200);
    });

    it.each([-6, 6])('that is %s minutes old', async (minutes) => {
      const at = new Date(Date.now() - minutes * 60_000);
      expect(await send(url, { id: 'm2', at })).toEqual({ status: 401, json: { code: 'stale' } });
    });

    it.each([
      ['re-serialised', { sent: JSON.stringify(JSON.parse(body), null, 1) }],
      ['about something else', { sent: JSON.stringify({ email: 'bob@example.org' }) }],
      ['signed by another secret', { secret: `whsec_${Buffer.alloc(32, 8).toString('base64')}` }],
    ])('that is %s', async (_, more) => {
      expect(await send(url, { id: 'm3', ...more })).toEqual({ status: 401, json: { code: 'bad_signature' } });
    });

    it('that is not signed', async () => {
      expect((await fetch(`${url}/find`, { method: 'POST', body })).status).toBe(401);
    });
  });
});
