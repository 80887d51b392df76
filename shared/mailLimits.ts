// Which limits a reset mail is charged to: the requesting client's and the address's.
import { addressHashOf } from './address';
import type { Rate } from './limits';
import type { MailRequest } from './mailRequest';
import type { ResetDeps } from './resetDeps';

type LimitDeps = Pick<ResetDeps, 'settings' | 'clock' | 'limits'>;
type LimitName = 'ip' | 'address';

/** @param whose the client's bucket or the address hash; a site's own server may name no client */
export async function takeToken(
  deps: LimitDeps,
  name: LimitName,
  whose: string | undefined,
  mailId: string,
): Promise<'ok' | 'over' | 'contended'> {
  const rate = rateOf(deps, name);
  if (whose === undefined || rate === 'off') return 'ok';
  return deps.limits.take(`${name}:${whose}`, rate, mailId, deps.clock());
}

/** Returns the tokens of a mail that an outage kept from being sent; a refused one stays charged (decision 0008). */
export async function refundLimits(deps: LimitDeps, request: MailRequest, mailId: string): Promise<void> {
  if (request.kind !== 'resetAddress' && request.kind !== 'resetAccount') return;
  const addressHash = request.kind === 'resetAddress' ? addressHashOf(request.email) : request.addressHash;
  const charged = { ip: request.client, address: addressHash };
  for (const name of ['ip', 'address'] as const) {
    const [whose, rate] = [charged[name], rateOf(deps, name)];
    if (whose !== undefined && rate !== 'off') await deps.limits.refund(`${name}:${whose}`, rate, mailId, deps.clock());
  }
}

const rateOf = ({ settings: { limits } }: LimitDeps, name: LimitName): Rate | 'off' =>
  name === 'ip' ? limits.perIp : limits.perAddress;
