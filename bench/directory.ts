// The share of a site's own account directory: check and redeem through the Node reference site, against a floor that makes the same
// storage calls and the same signed calls.
import { randomBytes } from 'node:crypto';
import { startSite } from '../integrations/node-reference/site';
import { addressHashOf } from '../shared/address';
import { createHttpDirectory } from '../shared/directory/httpDirectory';
import { issueResetKey, resetKeyIdOf } from '../shared/resetKey';
import { createResetKeysTable } from '../shared/resetLinks';
import { addressOf, createClient, type SampleKey } from './load';
import { configOf, inSetting, preparedStorage } from './setting';
import { bothCalls, compare } from './steps';
import type { Figure } from './statistics';

const counts = { check: 200, redeem: 80 };
const accounts = 300;

export function measureDirectory(): Promise<Figure[]> {
  return inSetting(2, async ({ storages, start }) => {
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const sites = await Promise.all(
      storages.map(() => startSite({ database: ':memory:', secrets: [secret], passwordFormat: 'encoded' })),
    );
    try {
      const clients = [];
      const keys: SampleKey[][] = [];
      for (const [index, site] of sites.entries()) {
        const connectionString = storages[index] ?? '';
        const url = `${site.url}/password-reset`;
        for (let id = 0; id < accounts; id++) {
          // A hash of the form that this site verifies; nobody logs in with it.
          const password = `argon2$argon2id$v=19$m=19456,t=2,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`;
          site.db.run(
            'INSERT INTO users (id, email, username, password, isActive, createdAt) VALUES (?, ?, ?, ?, 1, ?)',
            [String(id), addressOf(id), `user${id}`, password, new Date().toISOString()],
          );
        }
        const directory = { ACCOUNT_DIRECTORY: 'http', ACCOUNT_DIRECTORY_URL: url, ACCOUNT_DIRECTORY_SECRETS: secret };
        keys.push(await bindKeys(connectionString, url, secret));
        const host = await start(index === 0 ? 'app' : 'floor', connectionString, { env: directory });
        clients.push(createClient(host.url));
      }
      const calls = bothCalls(clients, keys, 'site');
      const figures = [
        await compare(calls, 'check', counts.check, 'check by directory', 1.25),
        await compare(calls, 'redeem', counts.redeem, 'redeem by directory', 1.15),
      ];
      for (const client of clients) client.close();
      return figures;
    } finally {
      for (const site of sites) site.close();
    }
  });
}

/** A live key for each account of the site. */
async function bindKeys(connectionString: string, url: string, secret: string): Promise<SampleKey[]> {
  const storage = await preparedStorage(connectionString);
  const directory = createHttpDirectory({ url, secrets: [secret] }, () => undefined);
  const resetKeys = createResetKeysTable(storage.table('ResetKeys'));
  const config = configOf(connectionString);
  const keys: SampleKey[] = [];
  for (let index = 0; index < accounts; index++) {
    const [account] = await directory.findByAddress(addressOf(index));
    if (account === undefined) throw new Error('the site has no such account');
    const sub = addressHashOf(addressOf(index));
    const { key, claims } = issueResetKey(config, sub, new Date());
    const resetKeyId = resetKeyIdOf(claims);
    const { id: accountId, credentialVersion } = account;
    await resetKeys.bind({ addressHash: sub, resetKeyId, accountId, credentialVersion, expiresAt: claims.expiresAt });
    keys.push({ key, sub, resetKeyId });
  }
  return keys;
}
