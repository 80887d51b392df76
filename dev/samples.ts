// Sample accounts, in this app's table or at a sample site, so that a new clone can be tried at once.
import { randomBytes } from 'node:crypto';
import { addressHashOf } from '../shared/address';
import { hashPassword } from '../shared/password/passwordHash';
import type { StorageClients } from '../shared/storage/storage';

/** The password of every sample account that has one. Public: these accounts exist on developers' computers only. */
export const samplePassword = 'a sample password for development';

export interface SampleAccount {
  readonly id: string;
  readonly username: string;
  readonly email: string;
  readonly locale?: string;
  /** Why it gets no mail. */
  readonly note?: 'disabled' | 'no usable password';
}

const samples: readonly SampleAccount[] = [
  { id: 'sample-1', username: 'someuser', email: 'someuser@somewhere.com' },
  { id: 'sample-2', username: 'disabled', email: 'disabled@somewhere.com', note: 'disabled' },
  { id: 'sample-3', username: 'nopassword', email: 'nopassword@somewhere.com', note: 'no usable password' },
  { id: 'sample-4', username: 'alice', email: 'alice@somewhere.com' },
  { id: 'sample-5', username: 'alice-lab', email: 'alice@somewhere.com' },
  { id: 'sample-6', username: 'francoise', email: 'francoise@somewhere.com', locale: 'fr' },
];

/**
 * Makes the tables that are missing, and adds the sample accounts if the Accounts table has no row at all. Two hosts starting at
 * once make each account once.
 * @returns those that were added
 */
export async function seedSampleAccounts(storage: StorageClients): Promise<SampleAccount[]> {
  await storage.createMissing();
  const accounts = storage.table('Accounts');
  if ((await accounts.page("PartitionKey ge ''", undefined)).rows.length > 0) return [];
  const password = await hashPassword(samplePassword, 'argon2id');
  const added: SampleAccount[] = [];
  for (const sample of samples) {
    const { id, username, email, locale, note } = sample;
    const credentials = { password: note === 'no usable password' ? '!' : password, isActive: note !== 'disabled' };
    const row = { email, username, ...credentials, generation: 0, locale, createdAt: new Date() };
    if ((await accounts.insert(addressHashOf(email), id, row)) !== 'exists') added.push(sample);
  }
  return added;
}

/**
 * Starts a web site that keeps the sample accounts itself (integrations/node-reference).
 * @param appPort where the app's pages are; the mailbox may have the port after it, and the site has the next.
 * @returns also the settings with which the app uses the site's accounts.
 */
export async function startSampleSite(appPort: number) {
  const { startSite } = await import('../integrations/node-reference/site');
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const site = await startSite({
    database: ':memory:',
    secrets: [secret],
    passwordFormat: 'encoded',
    port: appPort + 2,
    resetPage: `http://127.0.0.1:${appPort}/accounts/password/reset/`,
  });
  const hash = await hashPassword(samplePassword, 'argon2id');
  for (const { id, email, username, locale = null, note } of samples) {
    const password = note === 'no usable password' ? '!' : hash;
    site.db.run(
      'INSERT INTO users (id, email, username, password, isActive, locale, createdAt) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [id, email, username, password, Number(note !== 'disabled'), locale, new Date().toISOString()],
    );
  }
  const settings = {
    LOGIN_URL: site.url,
    ACCOUNT_DIRECTORY: 'http',
    ACCOUNT_DIRECTORY_URL: `${site.url}/password-reset`,
    ACCOUNT_DIRECTORY_SECRETS: secret,
    ACCOUNT_DIRECTORY_PASSWORD: 'encoded',
    SITE_EVENTS_URL: `${site.url}/password-reset/events`,
    SITE_EVENTS_SECRETS: secret,
  };
  return { url: site.url, close: site.close, settings };
}
