// The pages as a plain HTTP client sees them, and reset keys without waiting for a mail.
import { readConfig, type Config } from '../../shared/config';
import { paths as pagePaths } from '../../shared/pages/pages';
import { issueResetKey, resetKeyIdOf } from '../../shared/resetKey';
import { createAccountsTable } from '../../shared/storage/accountsTable';
import { createResetKeysTable } from '../../shared/resetLinks';
import { eventually, exampleSettings, keyIn, type App } from './app';
import { expectDocumented } from './openapi';

/** The settings of `local.settings.json.example`, which `startApp` runs on. */
export const exampleConfig = ((): Config => {
  const read = readConfig(exampleSettings);
  if (!read.ok) throw new Error(`the example settings are bad: ${read.problems.join('; ')}`);
  return read.config;
})();

export const paths = {
  ...pagePaths,
  key: (key: string) => `${pagePaths.newPassword}${key}/`,
} as const;

/** A key as the app itself signs and binds it. @param ageMinutes 61 makes an expired one */
export async function bindKey(app: Pick<App, 'storage'>, email: string, ageMinutes = 0): Promise<string> {
  const accounts = createAccountsTable(app.storage.table('Accounts'), () => undefined);
  const [account] = await accounts.findByAddress(email);
  if (account === undefined) throw new Error('there is no such account');
  const { addressHash, id: accountId, credentialVersion } = account;
  const { key, claims } = issueResetKey(exampleConfig, addressHash, new Date(Date.now() - ageMinutes * 60_000));
  const { expiresAt } = claims;
  const bound = { addressHash, resetKeyId: resetKeyIdOf(claims), accountId, credentialVersion, expiresAt };
  await createResetKeysTable(app.storage.table('ResetKeys')).bind(bound);
  return key;
}

/** The reset mails so far; the notices of earlier tests come late, in between. */
const resetMails = (app: App): string[] => app.mails().filter((mail) => mail.includes(paths.newPassword));

/** Does what makes a reset mail, and waits for it. @returns the mail and its key */
export async function nextResetMail(app: App, ask: () => Promise<unknown>): Promise<{ mail: string; key: string }> {
  const before = resetMails(app).length;
  await ask();
  const mail = await eventually(() => resetMails(app)[before]);
  return { mail, key: keyIn(mail) };
}

export interface PageAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly html: string;
}

async function callPage(app: App, method: 'GET' | 'POST', path: string, init: RequestInit): Promise<PageAnswer> {
  const response = await fetch(`${app.host.url}${path}`, { ...init, method, redirect: 'manual' });
  const { status, headers } = response;
  const html = await response.text();
  expectDocumented(method, path, { status, headers, text: html });
  return { status, headers, html };
}

/** GETs a page, and holds the answer against the OpenAPI document. */
export const getPage = (app: App, path: string, headers: Record<string, string> = {}): Promise<PageAnswer> =>
  callPage(app, 'GET', path, { headers });

/** POSTs a form likewise. A string is sent as it is. */
export async function postForm(
  app: App,
  path: string,
  fields: Record<string, string> | string,
  headers: Record<string, string> = {},
): Promise<PageAnswer> {
  const body = typeof fields === 'string' ? fields : new URLSearchParams(fields).toString();
  const form = { 'Content-Type': 'application/x-www-form-urlencoded', ...headers };
  return callPage(app, 'POST', path, { headers: form, body });
}
