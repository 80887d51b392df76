// What became of a mail, in a sentence for the operator.
import type { Delivery } from '../../shared/deliveries';

const kinds: Readonly<Record<Delivery['kind'], string>> = {
  passwordReset: 'password reset',
  passwordChanged: 'password changed',
  linkIssued: 'link issued by support',
};

export const kindWords = ({ kind }: Delivery): string => kinds[kind];

/** To the minute is too coarse to match log lines; milliseconds are noise. */
export const instant = (date: Date): string => date.toISOString().replace(/\.\d{3}Z$/, 'Z');

const reported: Readonly<Record<NonNullable<Delivery['provider']>['state'], string>> = {
  deferred: "the recipient's server put it off; the provider keeps trying",
  delivered: "the recipient's server has taken it",
  dropped: 'the provider dropped it: see its suppression lists',
  bounced: "the recipient's server refused it: does the mailbox exist?",
  blocked:
    "the recipient's server refused this mail, but not the mailbox: its policy or our reputation; a later mail may pass",
  spamReported: 'the recipient reported it as spam',
};

const suppressed: Readonly<Record<string, string>> = {
  address_limit: 'too many mails to this address; links she already has stay good',
  ip_limit: 'too many requests from the same client',
};

/** The state of a mail and what follows from it. */
export function stateWords({ state, reason, backend, leaseUntil, provider, id }: Delivery, now: Date): string {
  const why = reason === undefined ? '' : ` (${reason})`;
  switch (state) {
    case 'accepted': {
      const handed = `accepted by ${backend ?? 'the e-mail backend'}`;
      return provider === undefined ? handed : `${handed}; ${instant(provider.at)}: ${reported[provider.state]}`;
    }
    case 'waiting':
      return reason === 'replayed' ? 'replayed, waiting for its turn' : `waiting for another try${why}`;
    case 'sending':
      return leaseUntil !== undefined && leaseUntil > now
        ? 'being sent now'
        : 'the worker that had it is gone; another will take it over';
    case 'failed':
      return `given up${why}; once the cause is gone: npm run outbox -- replay ${id}`;
    case 'suppressed':
      return `not sent: ${suppressed[reason ?? ''] ?? `a limit${why}`}`;
  }
}
