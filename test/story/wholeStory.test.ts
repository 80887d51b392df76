// The main job, end to end: the built bundle under the dev host and Azurite, on CodaLab's own case.
import { verifyPassword } from '../../shared/password/passwordHash';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp, type App } from '../support/app';

const goodPassword = 'correct horse battery staple';

describe('the whole story', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp();
    await addAccount(app, { ...someuser, id: '1' });
  });
  afterAll(() => app.stop());

  async function mailedKey(): Promise<string> {
    const before = app.mails().length;
    await app.post('password-reset/request', { email: someuser.email });
    const mails = await app.mailsWithin(before + 1);
    return keyIn(mails[before] ?? '');
  }

  it('mails the text of CodaLab, word for word', async () => {
    const answer = await app.post('password-reset/request', { email: someuser.email });
    expect(answer).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
    const [mail = ''] = await app.mailsWithin(1);
    const key = keyIn(mail);
    expect(key.length).toBeLessThanOrEqual(255);
    expect(mail.slice(mail.indexOf('Subject:'))).toBe(
      [
        'Subject: [CodaLab] Password Reset E-mail',
        'From: CodaLab <info@codalab.org>',
        'To: someuser@somewhere.com',
        '',
        "You're receiving this e-mail because you or someone else has requested a password",
        'for your user account at codalab.org. It can be safely ignored if you did not request',
        'a password reset. Click the link below to reset your password.',
        '',
        `http://codalab.org/accounts/password/reset/key/${key}/`,
        '',
        'In case you forgot, your username is someuser.',
        '',
        'Thanks for using our site!',
      ].join('\n'),
    );
  });

  it('checks a key any number of times, redeems it once, and tells the mailbox', async () => {
    const key = await mailedKey();
    for (let times = 0; times < 3; times++) {
      const checked = await app.post('password-reset/check', { key });
      expect(checked).toMatchObject({ status: 200, json: { username: 'someuser' } });
      expect(Date.parse(String(checked.json['expiresAt']))).toBeGreaterThan(Date.now() + 58 * 60_000);
    }
    const redeemed = await app.post('password-reset/redeem', { key, newPassword: goodPassword });
    expect(redeemed).toMatchObject({ status: 200, text: '{"status":"changed","username":"someuser"}' });
    const again = await app.post('password-reset/redeem', { key, newPassword: 'another good long password' });
    expect(again).toMatchObject({ status: 410, json: { code: 'used_key' } });

    const row = await readAccount(app, someuser.email);
    expect(row).toMatchObject({ generation: 1 });
    expect(row?.['password']).toMatch(/^argon2\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    await expect(verifyPassword(goodPassword, String(row?.['password']))).resolves.toBe(true);
    await expect(verifyPassword('another good long password', String(row?.['password']))).resolves.toBe(false);
    // The notice waits 30 s for the write it announces.
    const notice = await eventually(() => app.mails().find((mail) => mail.includes('has just been changed')), 45);
    expect(notice).toContain('To: someuser@somewhere.com');
    expect(notice).not.toContain('/accounts/password/reset/key/');
  }, 60_000);
});
