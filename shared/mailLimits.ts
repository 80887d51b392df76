// Which limits a reset mail is charged to: the requesting client's and the address's.
import { addressHashOf } from './address';
import type { MailRequest, ResetRequest } from './mailRequest';
import type { ResetDeps } from './resetDeps';

type LimitDeps = Pick<ResetDeps, 'settings' | 'clock' | 'limits'>;

/** Charges one limit, once per mail id. */
export async function takeToken(
  deps: LimitDeps,
  name: 'ip' | 'address',
  request: ResetRequest,
  mailId: string,
): Promise<'ok' | 'over' | 'contended'> {
  const limit = limitsOf(deps, request).find((one) => one.name === name);
  return limit === undefined ? 'ok' : deps.limits.take(limit.bucket, limit.rate, mailId, deps.clock());
}

/** Returns the tokens of a mail that an outage kept from being sent; a refused one stays charged (decision 0008). */
export async function refundLimits(deps: LimitDeps, request: MailRequest, mailId: string): Promise<void> {
  if (request.kind !== 'resetAddress' && request.kind !== 'resetAccount') return;
  for (const { bucket, rate } of limitsOf(deps, request)) await deps.limits.refund(bucket, rate, mailId, deps.clock());
}

/** The limits that a reset mail is charged to. */
function limitsOf({ settings: { limits } }: LimitDeps, request: ResetRequest) {
  const { client } = request;
  const addressHash = request.kind === 'resetAddress' ? addressHashOf(request.email) : request.addressHash;
  const all = [
    { name: 'ip', bucket: client === undefined ? undefined : `ip:${client}`, rate: limits.perIp },
    { name: 'address', bucket: `address:${addressHash}`, rate: limits.perAddress },
  ] as const;
  return all.flatMap(({ name, bucket, rate }) =>
    bucket === undefined || rate === 'off' ? [] : [{ name, bucket, rate }],
  );
}
