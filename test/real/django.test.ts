// integrations/django in a real Django: its own tests, the contract over HTTP, and the story on the running app.
import { spawnSync } from 'node:child_process';
import { addressHashOf } from '../../shared/address';
import type { PasswordChange } from '../../shared/directory/accountDirectory';
import { hashPassword } from '../../shared/password/passwordHash';
import { accountDirectoryContract } from '../shared/directory/accountDirectory.contract';
import { directoryStory } from '../support/directoryStory';
import { describeDjango, djangoApp, python, startDjango } from './djangoSite';

const closers: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(closers.map((close) => close())));
const open = async (passwordFormat: 'encoded' | 'plain') => {
  const site = await startDjango(passwordFormat);
  closers.push(site.close);
  return site;
};

describeDjango('a Django site', () => {
  accountDirectoryContract('Django, with hashes', () => open('encoded'));
  accountDirectoryContract('Django, with plain passwords', () => open('plain'));

  it.each(['encoded', 'plain'] as const)(
    'after a redemption takes the new password, not the old, and open sessions are out (%s)',
    async (passwordFormat) => {
      const { directory, seed, logIn, me } = await open(passwordFormat);
      const [old, now] = ['the old horse battery', 'the new horse battery'];
      const ada = { id: '1', email: 'ada@example.org', username: 'ada', isActive: true };
      await seed([{ ...ada, password: await hashPassword(old, 'pbkdf2_sha256') }]);
      await logIn('ada', old); // Django hashes the password anew if the cost differs from its own
      const account = await directory.get(addressHashOf(ada.email), '1');
      if (!account) throw new Error('no account');
      const session = await logIn('ada', old);
      expect(await me(session)).toBe('ada');
      const password = passwordFormat === 'plain' ? now : await hashPassword(now, 'argon2id');
      const change: PasswordChange = { ...account, password, resetKeyId: 'k', at: new Date() };
      expect(await directory.setPassword(account, change)).toEqual({ outcome: 'changed' });
      expect(await me(session)).toBe('');
      expect(await logIn('ada', old)).toBeUndefined();
      expect(await me(await logIn('ada', now))).toBe('ada');
    },
  );

  it('says that it cannot verify a hash when it has no such hasher', async () => {
    const { directory, seed } = await open('encoded');
    await seed([{ id: '1', email: 'ada@example.org', username: 'ada', password: 'x', isActive: true }]);
    const account = await directory.get('', '1');
    if (!account) throw new Error('no account');
    const change: PasswordChange = { ...account, password: 'bcrypt9$x', resetKeyId: 'k', at: new Date() };
    await expect(directory.setPassword(account, change)).rejects.toMatchObject({ code: 'unsupported_hash' });
  });

  it.each([
    ['its own tests', ['--settings', 'tests.settings']],
    ['those with a custom user model', ['tests.custom_user', '--settings', 'tests.settings_custom']],
  ])('passes %s', (_, tests) => {
    const env = { ...process.env, PYTHONDONTWRITEBYTECODE: '1' };
    const args = ['-m', 'django', 'test', '--pythonpath', '.', ...tests];
    const { status, stderr } = spawnSync(python ?? '', args, { cwd: djangoApp, env, encoding: 'utf8' });
    expect(`${stderr}${status}`).toMatch(/Ran [1-9]\d* tests[^]*OK[^]*0$/);
  });
});

describeDjango('the story', () => {
  directoryStory('Django', startDjango);
});
