// Support gets reset links without mail (off unless `LINKS_ENDPOINT=on`). It never chooses the password; the mailbox is told first.
import { canReset } from './accounts';
import { bindKey, type ComposeFlow } from './composeMail';
import { newId } from './clock';
import { enqueue } from './resetFlow';
import { resetLink } from './site';

export interface IssuedLink {
  readonly username: string;
  readonly url: string;
  readonly expiresAt: Date;
}

export type IssuedLinks =
  | { readonly outcome: 'issued'; readonly links: readonly IssuedLink[]; readonly noticeIds: readonly string[] }
  /** Over the limit per address; the limit is the one of the mails, in a bucket of its own. */
  | { readonly outcome: 'over' };

/**
 * Makes a key live for each account of the address that may reset, and tells each stored address.
 * @returns no links for an address nobody has: the caller is trusted with that much
 * @throws StorageUnavailable, SiteUnavailable: no link was given out
 */
export async function issueLinks(flow: ComposeFlow, email: string, signal: AbortSignal): Promise<IssuedLinks> {
  const accounts = (await flow.accounts.findByAddress(email, signal)).filter(canReset);
  const [first] = accounts;
  if (first === undefined) return { outcome: 'issued', links: [], noticeIds: [] };
  const rate = flow.settings.limits.perAddress;
  const now = flow.clock();
  const taken = rate === 'off' ? 'ok' : await flow.limits.take(`links:${first.sub}`, rate, newId(), now, signal);
  if (taken !== 'ok') return { outcome: 'over' };
  const site = await flow.site.current(signal);
  const links: IssuedLink[] = [];
  for (const account of accounts) {
    const { key, expiresAt } = await bindKey(flow, account, undefined, signal);
    links.push({ username: account.username, url: resetLink(site, key), expiresAt });
  }
  const noticeIds: string[] = [];
  const oneOfEach = new Map(accounts.map((account) => [account.email, account]));
  for (const { sub, id: accountId } of oneOfEach.values()) {
    noticeIds.push(await enqueue(flow, newId(), { kind: 'linkIssued', sub, accountId, acceptedAt: now }, 0, signal));
  }
  return { outcome: 'issued', links, noticeIds };
}
