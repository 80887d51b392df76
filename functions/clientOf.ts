// Which limit bucket a call is charged to, and the front limit itself, for the public calls and for those of a site's own server.
import type { HttpRequest } from '@azure/functions';
import { problemAnswer, type Answer } from '../shared/http/answer';
import { bucketOf, clientBucket } from '../shared/http/clientIp';
import type { Services } from '../shared/services';
import { emit } from './invocation';

/** Who may call: anybody, or a site's own server with a function key, which then says for whom it asks. */
export type Caller = 'public' | 'backend';

/** The client's bucket name; undefined for a server that names no `clientIp`: no per-IP limit applies then. */
export function clientOf(
  caller: Caller,
  services: Services,
  request: HttpRequest,
  clientIp: string | undefined,
): string | undefined {
  if (caller === 'backend') return clientIp === undefined ? undefined : bucketOf(clientIp);
  return clientBucket(request.headers.get('x-forwarded-for'), services.settings.trustedProxyHops);
}

/** Charges the coarse in-memory limit. @returns the seconds to wait, or undefined when the call may go on */
export function waitSeconds(services: Services, call: string, client: string | undefined): number | undefined {
  if (client === undefined) return undefined;
  if (services.clientShare.note(client)) emit({ event: 'oneClient', level: 'warn', hint: 'check TRUSTED_PROXY_HOPS' });
  return services.ipBuckets.take(`${call}:${client}`);
}

/** The same for a JSON call. @returns the 429, or undefined when the call may go on */
export function overLimit(services: Services, call: string, client: string | undefined): Answer | undefined {
  const retryAfterSeconds = waitSeconds(services, call, client);
  return retryAfterSeconds === undefined ? undefined : problemAnswer('too_many_requests', { retryAfterSeconds });
}
