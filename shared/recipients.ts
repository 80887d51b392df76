// Whom a reset request is about.
import type { Account } from './directory/accountDirectory';
import type { ResetRequest } from './mailRequest';
import type { ResetDeps } from './resetDeps';

/** One request makes at most so many links, over all accounts and all spellings of the address. */
const maxAccountsPerRequest = 20;

/** The accounts that get a link: the requested one, or those with the spelling that was typed, first; then by age. */
export async function findRecipients(
  deps: Pick<ResetDeps, 'accounts' | 'emit'>,
  request: ResetRequest,
  mailId: string,
): Promise<Account[]> {
  const own =
    request.kind === 'resetAccount' ? await deps.accounts.get(request.addressHash, request.accountId) : undefined;
  if (request.kind === 'resetAccount' && own?.canReset !== true) return [];
  const address = request.kind === 'resetAddress' ? request.email : (own?.email ?? '');
  const accounts = (await deps.accounts.findByAddress(address)).filter(
    ({ email, canReset }) => canReset && (own === undefined || email === address),
  );
  const rank = ({ id, email, createdAt }: Account): number =>
    id === own?.id ? -1 : (email === address ? 0 : 1e15) + (createdAt?.getTime() ?? 0);
  accounts.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  // The oldest account of each spelling, the oldest spelling first, comes before a second one of any: accounts that somebody else
  // registers under this address must not crowd out its holder's.
  const oldest = new Map([...accounts].reverse().map((account) => [account.email, account]));
  const [first, ...others] = accounts.filter((account) => oldest.get(account.email) === account);
  others.sort((a, b) => (a.createdAt?.getTime() ?? 0) - (b.createdAt?.getTime() ?? 0));
  const ahead = first === undefined ? [] : [first, ...others];
  accounts.sort((a, b) => positionIn(ahead, a) - positionIn(ahead, b));
  const skipped = accounts.length - maxAccountsPerRequest;
  if (skipped > 0) {
    deps.emit({ event: 'accountsSkipped', level: 'warn', mailId, mailed: maxAccountsPerRequest, skipped });
  }
  return accounts.slice(0, maxAccountsPerRequest);
}

const positionIn = (ahead: readonly Account[], account: Account): number => {
  const position = ahead.indexOf(account);
  return position < 0 ? ahead.length : position;
};
