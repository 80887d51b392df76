// A dead link's "send me a new one": what somebody with an expired or used link may ask without typing an address.
import { newId } from './clock';
import { enqueue, type Asker, type ResetFlow } from './resetFlow';
import { resetKeyIdOf, verifyResetKey } from './resetKey';

/** What a resend needs of the flow. */
export type ResendFlow = Pick<ResetFlow, 'settings' | 'clock' | 'queue' | 'boundKeys'>;

/** `accepted` whether or not anybody will get a mail; `invalid_key` for what we never signed. */
export type ResendOutcome =
  { readonly outcome: 'accepted'; readonly mailId?: string } | { readonly outcome: 'invalid_key' };

/**
 * Asks for a new mail to the account that a key was bound to, live or dead. The signature is checked first; the account comes
 * from the key's row, never from the caller. Without a row (never bound, or purged) nothing is done, and the answer is the same.
 * The limits of sendMail apply as to any request.
 * @throws StorageUnavailable: nothing is kept, ask again
 */
export async function resendReset(
  flow: ResendFlow,
  key: string,
  asker: Asker,
  signal: AbortSignal,
): Promise<ResendOutcome> {
  const now = flow.clock();
  const verified = verifyResetKey(flow.settings, key, now);
  if (verified.outcome === 'invalid') return { outcome: 'invalid_key' };
  const { sub } = verified.claims;
  const bound = await flow.boundKeys.find(sub, resetKeyIdOf(verified.claims), signal);
  if (bound === undefined) return { outcome: 'accepted' };
  const { accountId } = bound;
  const content = { kind: 'resetAccount', sub, accountId, acceptedAt: now, ...asker } as const;
  return { outcome: 'accepted', mailId: await enqueue(flow, newId(), content, 0, signal) };
}
