// `npm start -- --directory node`: a web site that keeps its own accounts (integrations/node-reference), beside the app.
import { randomBytes } from 'node:crypto';
import { startSite } from '../integrations/node-reference/site';
import { hashPassword } from '../shared/password/passwordHash';
import { samplePassword, samples } from './sampleAccounts';

/** The site, and the settings with which the app uses its accounts. */
export interface SampleSite {
  readonly url: string;
  readonly settings: Readonly<Record<string, string>>;
  readonly close: () => void;
}

/** @param appPort where the app's pages are @throws if the port after the mailbox's is taken */
export async function startSampleSite(appPort: number): Promise<SampleSite> {
  const secret = `whsec_${randomBytes(32).toString('base64')}`;
  const site = await startSite({
    database: ':memory:',
    secrets: [secret],
    passwordFormat: 'encoded',
    port: appPort + 2,
    resetPage: `http://127.0.0.1:${appPort}/accounts/password/reset/`,
  });
  const password = await hashPassword(samplePassword, 'argon2id');
  for (const { id, email, username, locale, note } of samples) {
    const row = [id, email, username, note === 'no usable password' ? '!' : password, Number(note !== 'disabled')];
    site.db.run(
      'INSERT INTO users (id, email, username, password, isActive, locale, createdAt) VALUES (?, ?, ?, ?, ?, ?, ?)',
      [...row, locale ?? null, new Date().toISOString()],
    );
  }
  return {
    url: site.url,
    close: site.close,
    settings: {
      LOGIN_URL: site.url,
      ACCOUNT_DIRECTORY: 'http',
      ACCOUNT_DIRECTORY_URL: `${site.url}/password-reset`,
      ACCOUNT_DIRECTORY_SECRETS: secret,
      ACCOUNT_DIRECTORY_PASSWORD: 'encoded',
      SITE_EVENTS_URL: `${site.url}/password-reset/events`,
      SITE_EVENTS_SECRETS: secret,
    },
  };
}
