// The Node reference site as an account directory under test, and as people see it.
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
    close: () => site.close(),
    /** @returns the session's cookie, or undefined if the password is wrong */
    logIn: async (username: string, password: string) => {
      const body = new URLSearchParams({ username, password });
      const answer = await fetch(`${site.url}/`, { method: 'POST', body, redirect: 'manual' });
      return answer.headers.get('set-cookie')?.split(';')[0];
    },
    /** @returns who is logged in, or an empty text */
    me: async (cookie = '') => {
      const page = await (await fetch(`${site.url}/`, { headers: { cookie } })).text();
      return /Logged in as (\w+)/.exec(page)?.[1] ?? '';
    },
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
