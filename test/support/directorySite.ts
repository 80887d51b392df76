// The Node reference site as an account directory under test.
import { createHttpDirectory } from '../../shared/directory/httpDirectory';
import type { AppEvent } from '../../shared/events';
import { startSite } from '../../integrations/node-reference/site';
import type { SeedAccount } from '../shared/directory/accountDirectory.contract';

export const siteSecret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;

/** Starts the site; `events` are those of its directory. */
export async function startDirectorySite(passwordFormat: 'encoded' | 'plain') {
  const site = await startSite({ database: ':memory:', secrets: [siteSecret], passwordFormat });
  const events: AppEvent[] = [];
  const url = `${site.url}/password-reset`;
  return {
    site,
    url,
    events,
    passwordFormat,
    directory: createHttpDirectory({ url, secrets: [siteSecret], passwordFormat }, (event) => events.push(event)),
    seed: async (accounts: readonly SeedAccount[]) => {
      site.db.exec('DELETE FROM users');
      for (const { id, email, username, password, isActive } of accounts) {
        const row = [id, email, username, password, Number(isActive), new Date().toISOString()];
        site.db.run(
          'INSERT INTO users (id, email, username, password, isActive, createdAt) VALUES (?, ?, ?, ?, ?, ?)',
          row,
        );
      }
    },
  };
}
