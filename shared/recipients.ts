// Whom a reset request is about.
import type { Account } from './directory/accountDirectory';
import type { ResetRequest } from './mailRequest';
import type { ResetDeps } from './resetDeps';

/** One request makes at most so many links, over all accounts and all spellings of the address. */
const maxAccountsPerRequest = 20;

/** The accounts that get a link: of the spelling that was typed first, then by age. */
export async function findRecipients(
  deps: Pick<ResetDeps, 'accounts' | 'emit'>,
  request: ResetRequest,
  mailId: string,
): Promise<Account[]> {
  let typed = request.kind === 'resetAddress' ? request.email : undefined;
  if (request.kind === 'resetAccount') {
    typed = (await deps.accounts.get(request.addressHash, request.accountId))?.email;
    if (typed === undefined) return [];
  }
  const found = (await deps.accounts.findByAddress(typed ?? '')).filter(({ canReset }) => canReset);
  const accounts = request.kind === 'resetAccount' ? found.filter(({ email }) => email === typed) : found;
  const accountId = request.kind === 'resetAccount' ? request.accountId : undefined;
  const rank = ({ id, email, createdAt }: Account): number =>
    id === accountId ? -1 : (email === typed ? 0 : 1e15) + (createdAt?.getTime() ?? 0);
  accounts.sort((a, b) => rank(a) - rank(b) || (a.id < b.id ? -1 : 1));
  const skipped = accounts.length - maxAccountsPerRequest;
  if (skipped > 0) {
    deps.emit({ event: 'accountsSkipped', level: 'warn', mailId, mailed: maxAccountsPerRequest, skipped });
  }
  return accounts.slice(0, maxAccountsPerRequest);
}
