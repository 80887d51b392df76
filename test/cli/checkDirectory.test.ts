import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkDirectory } from '../../cli/doctor/checkAccounts';
import type { AccountDirectory } from '../../shared/directory/accountDirectory';
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import { startSite } from '../../integrations/node-reference/site';
import { siteSecret, startDirectorySite } from '../support/directorySite';

const closers: (() => void)[] = [];
afterAll(() => closers.forEach((close) => close()));
const settings = { passwordFormat: 'encoded', hasher: 'argon2id' } as const;
const directoryAt = (url: string, secrets = [siteSecret], now = new Date()): AccountDirectory =>
  createHttpDirectory(
    { url, secrets, timeoutMs: 1000 },
    () => undefined,
    () => now,
  );

describe('the doctor asks the account directory, and', () => {
  it.each(['encoded', 'plain'] as const)(
    'finds nothing wrong with a good one (%s), nor changes anything',
    async (passwordFormat) => {
      const { directory, seed, site } = await startDirectorySite(passwordFormat);
      closers.push(() => site.close());
      await seed([{ id: '1', email: 'nobody@example.org', username: 'x', password: 'x', isActive: true }]);
      const rows = site.db.all('SELECT * FROM users');
      expect(await checkDirectory(directory, { ...settings, passwordFormat })).toMatchObject([{ level: 'ok' }]);
      expect(site.db.all('SELECT * FROM users')).toEqual(rows);
    },
  );

  describe('names what is wrong:', () => {
    let url: string;
    beforeAll(async () => {
      const site = await startSite({ database: ':memory:', secrets: [siteSecret], passwordFormat: 'encoded' });
      closers.push(() => site.close());
      url = `${site.url}/password-reset`;
    });
    const failing = async (directory: AccountDirectory, more = {}) => {
      const [finding, ...others] = await checkDirectory(directory, { ...settings, ...more });
      expect([finding?.level, others, typeof finding?.cure]).toEqual(['fail', [], 'string']);
      return finding?.what;
    };

    it('a hash that the site cannot verify', async () => {
      expect(await failing(directoryAt(url), { hasher: 'scrypt' })).toContain('scrypt');
    });

    it('passwords where the site takes hashes', async () => {
      expect(await failing(directoryAt(url), { passwordFormat: 'plain' })).toContain('ACCOUNT_DIRECTORY_PASSWORD');
    });

    it('a secret that the site does not have', async () => {
      expect(await failing(directoryAt(url, [`whsec_${'A'.repeat(43)}=`]))).toContain('signature');
    });

    it('a clock that is off', async () => {
      expect(await failing(directoryAt(url, [siteSecret], new Date(Date.now() - 400_000)))).toContain('clock');
    });

    it.each<readonly [string, RequestListener, string]>([
      ['a redirect', (_, response) => response.writeHead(301, { Location: '/' }).end(), 'redirect'],
      ['a page', (_, response) => response.end('<p>'), 'not that of an account directory'],
      ['an error', (_, response) => response.writeHead(500).end(), '500'],
      ['silence', () => undefined, 'in time'],
      [
        'a site that sets the password of nobody',
        (_, response) => response.setHeader('Content-Type', 'application/json').end('{"accounts":[]}'),
        'does not exist',
      ],
    ])('%s', async (_, listener, what) => {
      const server = createServer(listener);
      closers.push(() => server.close().closeAllConnections());
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const { port } = server.address() as AddressInfo;
      expect(await failing(directoryAt(`http://127.0.0.1:${port}`))).toContain(what);
    });
  });
});
