// Decides who gets what: limits, accounts, binding, words. The middle of sendMail; touches no e-mail backend.
import { canReset, credentialVersionOf, type Account } from './accounts';
import { subjectOf } from './address';
import type { Delivery } from './deliveries';
import type { Limits, Rate } from './limits';
import {
  buildMail,
  renderPasswordChanged,
  renderPasswordReset,
  renderSupportLinkIssued,
  type MailSite,
} from './mail/renderMail';
import type { Mail } from './mail/emailBackend';
import type { OutgoingContent } from './outgoingMail';
import { derivedId, enqueue, type ResetFlow } from './resetFlow';
import { issueResetKey, resetKeyIdOf, verifyResetKey, type ResetKeyClaims } from './resetKey';
import { resetLink, type Site } from './site';

export interface ComposeFlow extends ResetFlow {
  readonly settings: ResetFlow['settings'] & {
    readonly limits: { readonly perAddress: Rate | 'off'; readonly perIp: Rate | 'off' };
    /** Optional lines of the reset mail, none by default (design §8). */
    readonly mailExtraLines?: readonly ('expiry' | 'asker')[];
  };
  readonly limits: Limits;
}

export type Composed =
  /** There is nobody to write to. */
  | { readonly outcome: 'nobody' }
  /** A limit forbids it; keys she already has stay good. */
  | { readonly outcome: 'suppressed'; readonly reason: 'ip_limit' | 'address_limit' }
  /** Four lost races for a limit row. */
  | { readonly outcome: 'contended' }
  | { readonly outcome: 'composed'; readonly mail: Mail };

/** A site where strangers can register her address a thousand times must not cost her the mail. */
const maxAccountsPerMail = 50;

const nobody = { outcome: 'nobody' } as const;

/**
 * Composes the mail of a message by what is true now: the account may have changed while the message waited.
 * @throws StorageUnavailable, SiteUnavailable: put the message back
 */
export async function composeMail(
  flow: ComposeFlow,
  mailId: string,
  content: OutgoingContent,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Composed> {
  switch (content.kind) {
    case 'resetAddress':
    case 'resetAccount':
      return composeReset(flow, mailId, content, delivery, signal);
    case 'passwordChanged':
    case 'linkIssued':
      return composeNotice(flow, mailId, content, signal);
  }
}

type ResetContent = Extract<OutgoingContent, { kind: 'resetAddress' | 'resetAccount' }>;

async function composeReset(
  flow: ComposeFlow,
  mailId: string,
  content: ResetContent,
  delivery: Delivery,
  signal: AbortSignal,
): Promise<Composed> {
  const charged = delivery.charged || (content.kind === 'resetAccount' && content.charged === true);
  const ip = charged ? 'ok' : await takeIp(flow, mailId, content.client, signal);
  if (ip === 'contended') return { outcome: 'contended' };

  const { group, others } = await findRecipients(flow, content, signal);
  const [first] = group;
  if (first === undefined) return nobody;
  if (ip === 'over') return { outcome: 'suppressed', reason: 'ip_limit' };

  const address = charged ? 'ok' : await takeAddress(flow, mailId, first.sub, signal);
  if (address === 'contended') return { outcome: 'contended' };
  if (address === 'over') return { outcome: 'suppressed', reason: 'address_limit' };

  // Accounts whose stored addresses differ get mails of their own, each by a message of its own.
  for (const other of others) {
    const { client, locale, acceptedAt } = content;
    const own = { kind: 'resetAccount', sub: other.sub, accountId: other.id, charged: true, acceptedAt } as const;
    await enqueue(flow, derivedId('spelling', mailId, other.id), { ...own, client, locale }, 0, signal);
  }

  const site = await flow.site.current(signal);
  const firstKey = content.kind === 'resetAddress' ? content.key : undefined;
  const accounts: { username: string; link: string; expiresAt: Date }[] = [];
  for (const [index, account] of group.entries()) {
    const { key, expiresAt } = await bindKey(flow, account, index === 0 ? firstKey : undefined, signal);
    accounts.push({ username: account.username, link: resetLink(site, key), expiresAt });
  }
  const { mailExtraLines = [] } = flow.settings;
  const soonest = accounts.map(({ expiresAt }) => expiresAt).sort((a, b) => a.getTime() - b.getTime())[0];
  const rendered = renderPasswordReset({
    site: mailSite(site, first, content.locale),
    accounts,
    ...(mailExtraLines.includes('expiry') && soonest !== undefined && { expiresAt: soonest }),
    ...(mailExtraLines.includes('asker') && content.client !== undefined && { requestedFrom: content.client }),
  });
  return { outcome: 'composed', mail: toMail(site, mailId, first, 'password-reset', rendered) };
}

/** The accounts that may reset: those of one stored address as a group, and one account of each other spelling. */
async function findRecipients(
  flow: ComposeFlow,
  content: ResetContent,
  signal: AbortSignal,
): Promise<{ group: Account[]; others: Account[] }> {
  if (content.kind === 'resetAccount') {
    const accounts = (await flow.accounts.findBySubject(content.sub, signal)).filter(canReset);
    const email = accounts.find(({ id }) => id === content.accountId)?.email;
    const group = accounts.filter((account) => account.email === email).slice(0, maxAccountsPerMail);
    return { group, others: [] };
  }
  const accounts = (await flow.accounts.findByAddress(content.email, signal)).filter(canReset);
  const bySpelling = new Map<string, Account[]>();
  for (const account of accounts) bySpelling.set(account.email, [...(bySpelling.get(account.email) ?? []), account]);
  const [group = [], ...rest] = bySpelling.values();
  return {
    group: group.slice(0, maxAccountsPerMail),
    others: rest.flatMap(([account]) => (account === undefined ? [] : [account])),
  };
}

/**
 * Makes a key live for an account. The key of the request serves if it has at least half of its life left and was not bound
 * otherwise before; else a new one is issued.
 */
export async function bindKey(
  flow: ComposeFlow,
  account: Account,
  requested: string | undefined,
  signal: AbortSignal,
): Promise<{ key: string; expiresAt: Date }> {
  const now = flow.clock();
  const credentialVersion = credentialVersionOf(account);
  const bind = ({ jti, expiresAt }: ResetKeyClaims) => {
    const bound = { sub: account.sub, resetKeyId: resetKeyIdOf({ jti }), accountId: account.id };
    return flow.boundKeys.bind({ ...bound, credentialVersion, expiresAt }, signal);
  };
  if (requested !== undefined) {
    const verified = verifyResetKey(flow.settings, requested, now);
    const halfLifeMs = (flow.settings.resetKeyTtlMinutes * 60_000) / 2;
    const fresh = verified.outcome === 'valid' && verified.claims.expiresAt.getTime() - now.getTime() >= halfLifeMs;
    if (fresh && verified.claims.sub === account.sub && (await bind(verified.claims)) === 'bound') {
      return { key: requested, expiresAt: verified.claims.expiresAt };
    }
  }
  const { key, claims } = issueResetKey(flow.settings, account.sub, now);
  await bind(claims); // 128 random bits: never taken
  return { key, expiresAt: claims.expiresAt };
}

type NoticeContent = Extract<OutgoingContent, { kind: 'passwordChanged' | 'linkIssued' }>;

async function composeNotice(
  flow: ComposeFlow,
  mailId: string,
  content: NoticeContent,
  signal: AbortSignal,
): Promise<Composed> {
  const accounts = await flow.accounts.findBySubject(content.sub, signal);
  const account = accounts.find(({ id }) => id === content.accountId);
  if (account === undefined) return nobody;
  if (content.kind === 'passwordChanged' && account.lastResetKeyId !== content.resetKeyId) return nobody;
  const site = await flow.site.current(signal);
  const from = mailSite(site, account, content.locale);
  if (content.kind === 'passwordChanged') {
    const rendered = renderPasswordChanged({ site: from, username: account.username });
    return composed(toMail(site, mailId, account, 'password-changed', rendered));
  }
  const usernames = accounts
    .filter((other) => other.email === account.email && canReset(other))
    .map(({ username }) => username);
  return composed(toMail(site, mailId, account, 'link-issued', renderSupportLinkIssued({ site: from, usernames })));
}

const composed = (mail: Mail): Composed => ({ outcome: 'composed', mail });

function mailSite(site: Site, account: Account, requestLocale: string | undefined): MailSite {
  const { domain, name, protocol, defaultFromEmail, contactEmail } = site;
  const locale = account.locale ?? requestLocale ?? site.locale;
  return {
    domain,
    name,
    protocol,
    from: defaultFromEmail,
    locale,
    ...(contactEmail !== undefined && { contactEmail }),
  };
}

const toMail = (
  site: Site,
  id: string,
  account: Account,
  category: string,
  rendered: ReturnType<typeof renderPasswordReset>,
): Mail => buildMail({ id, to: account.email, from: site.defaultFromEmail, category, domain: site.domain }, rendered);

const ipBucket = (client: string): string => `ip:${client}`;
const addressBucket = (sub: string): string => `address:${sub}`;

function takeIp(
  { settings, limits, clock }: ComposeFlow,
  mailId: string,
  client: string | undefined,
  signal: AbortSignal,
) {
  const rate = settings.limits.perIp;
  return client === undefined || rate === 'off' ? 'ok' : limits.take(ipBucket(client), rate, mailId, clock(), signal);
}

function takeAddress({ settings, limits, clock }: ComposeFlow, mailId: string, sub: string, signal: AbortSignal) {
  const rate = settings.limits.perAddress;
  return rate === 'off' ? 'ok' : limits.take(addressBucket(sub), rate, mailId, clock(), signal);
}

/**
 * Gives the tokens of a mail back that an outage kept from being sent. Not those of a mail that was refused: an address that always
 * bounces would be free of all limits (decision 0008). A notice was charged to none.
 */
export async function giveBackTokens(
  { settings, limits, clock }: ComposeFlow,
  mailId: string,
  content: OutgoingContent,
  signal: AbortSignal,
): Promise<void> {
  if (content.kind !== 'resetAddress' && content.kind !== 'resetAccount') return;
  const { perIp, perAddress } = settings.limits;
  const { client } = content;
  const sub = content.kind === 'resetAddress' ? subjectOf(content.email) : content.sub;
  if (client !== undefined && perIp !== 'off') await limits.giveBack(ipBucket(client), perIp, mailId, clock(), signal);
  if (perAddress !== 'off') await limits.giveBack(addressBucket(sub), perAddress, mailId, clock(), signal);
}
