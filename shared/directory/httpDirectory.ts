// The account directory of a site that keeps its accounts itself: three signed calls, described in
// docs/account-directory.openapi.json. Nothing that the site answers is trusted beyond its form.
import * as z from 'zod';
import { addressHashOf, normalizeAddress, parseAddress } from '../address';
import { type Clock, deadline, newId, systemClock } from '../clock';
import { StorageUnavailable } from '../errors';
import type { Emit } from '../events';
import { isAccountId } from '../mailRequest';
import type { Account, AccountDirectory } from './accountDirectory';
import { createSignedPost, type SignedAnswer, type SignedTarget } from './signedCall';

export interface HttpDirectorySettings extends SignedTarget {
  /** What `PasswordChange.password` is: a hash in Django's encoding, or the password itself. Only then may the site reject it. */
  readonly passwordFormat?: 'encoded' | 'plain' | undefined;
  /** For one call including its retry. */
  readonly timeoutMs?: number | undefined;
}

type Call = 'find' | 'get' | 'set-password';
type Answered = Extract<SignedAnswer, { outcome: 'answered' }>;

const maxReasons = 10;
const maxReasonChars = 300;

const instant = z.iso
  .datetime({ offset: true })
  .nullish()
  .transform((text) => (text ? new Date(text) : undefined));
const optionalText = z
  .string()
  .max(256)
  .nullish()
  .transform((text) => text || undefined);
const accountSchema = z.lazy(() =>
  z.object({
    id: z.string().refine(isAccountId),
    email: z.string(),
    username: z.string().min(1).max(256),
    isActive: z.boolean(),
    credentialVersion: z.string().min(1).max(256),
    locale: optionalText,
    /** Required: without it neither a repeat nor the notice can be told from another change. */
    lastResetKeyId: z
      .string()
      .max(256)
      .nullable()
      .transform((text) => text || undefined),
    passwordChangedAt: instant,
    createdAt: instant,
  }),
);
const findAnswer = z.lazy(() => z.object({ accounts: z.array(z.unknown()) }));
const getAnswer = z.lazy(() => z.object({ account: accountSchema.nullable() }));
const changedAnswer = z.lazy(() => z.looseObject({}));
const rejectedAnswer = z.lazy(() =>
  z.object({
    reasons: z.array(z.object({ code: z.string(), message: z.string() })).min(1),
  }),
);
const refusalAnswer = z.lazy(() =>
  z.object({ code: z.enum(['unsupported_hash', 'bad_signature', 'stale', 'replayed']) }),
);

/**
 * @param emit gets `accountDirectoryFailed` for every call that ends in `StorageUnavailable`
 * @throws Error for settings that cannot be used, see `createSignedPost`
 */
export function createHttpDirectory(
  settings: HttpDirectorySettings,
  emit: Emit,
  clock: Clock = systemClock,
): AccountDirectory {
  const { timeoutMs = 3000, passwordFormat = 'encoded' } = settings;
  const post = createSignedPost(settings);

  const broken = (call: Call, reason: string, cause?: unknown): StorageUnavailable => {
    emit({ event: 'accountDirectoryFailed', level: 'error', call, reason });
    return new StorageUnavailable('accounts', reason, { cause });
  };

  /** One call; once more if the connection was lost, since the site may have closed it while it was idle. */
  const ask = async (call: Call, content: object): Promise<Answered> => {
    const signal = AbortSignal.any([deadline(), AbortSignal.timeout(timeoutMs)]);
    const message = { id: newId(), at: clock(), body: JSON.stringify(content) };
    let answer = await post(`/${call}`, message, signal);
    if (answer.outcome === 'failed' && answer.reason === 'connection_lost') {
      // Another second makes another signature: the site refuses one that it has seen.
      const at = new Date(Math.max(clock().getTime(), message.at.getTime() + 1000));
      answer = await post(`/${call}`, { ...message, at }, signal);
    }
    if (answer.outcome === 'failed') throw broken(call, answer.reason, answer.cause);
    return answer;
  };

  const expectShape = <T>(call: Call, schema: z.ZodType<T>, { status, body }: Answered): T => {
    if (status !== 200) throw broken(call, refusalOf(body) ?? String(status));
    if ('problem' in body) throw broken(call, body.problem);
    const parsed = schema.safeParse(body.json);
    if (!parsed.success) throw broken(call, 'bad_shape');
    return parsed.data;
  };

  const read = ({ isActive, ...account }: z.infer<typeof accountSchema>): Account[] => {
    const addressHash = addressHashOf(account.email);
    if (parseAddress(account.email) !== account.email) {
      emit({ event: 'accountRowSkipped', level: 'error', addressHash, reason: 'bad_address' });
      return [];
    }
    return [{ ...account, addressHash, canReset: isActive, revision: account.credentialVersion }];
  };

  return {
    async findByAddress(address) {
      const { accounts } = expectShape('find', findAnswer, await ask('find', { email: address }));
      const wanted = normalizeAddress(address);
      // A database may compare more loosely than ASCII letter case, and so hold another person's address for this one.
      const readable = accounts.flatMap((account) => accountSchema.safeParse(account).data ?? []);
      // One account that cannot be read must not keep the others from their mail.
      if (readable.length < accounts.length) {
        emit({ event: 'accountRowSkipped', level: 'error', addressHash: addressHashOf(address), reason: 'bad_shape' });
      }
      const own = readable.filter(({ email }) => normalizeAddress(email) === wanted);
      if (own.length < readable.length)
        emit({ event: 'accountDirectoryFailed', level: 'error', call: 'find', reason: 'other_address' });
      return own.flatMap(read);
    },

    async get(_addressHash, id) {
      const wanted = await id;
      if (wanted === undefined) return undefined;
      const { account } = expectShape('get', getAnswer, await ask('get', { id: wanted }));
      if (account === null) return undefined;
      if (account.id !== wanted) throw broken('get', 'bad_shape');
      return read(account)[0];
    },

    async setPassword({ id }, { credentialVersion, password, resetKeyId }) {
      const call = 'set-password';
      const answer = await ask(call, { id, credentialVersion, password, resetKeyId });
      if (answer.status === 404 || answer.status === 409) return { outcome: 'superseded' };
      if (answer.status === 422 && passwordFormat === 'plain' && 'json' in answer.body) {
        const { data } = rejectedAnswer.safeParse(answer.body.json);
        if (data) return { outcome: 'rejected', problems: data.reasons.slice(0, maxReasons).map(boundedReason) };
      }
      expectShape(call, changedAnswer, answer);
      return { outcome: 'changed' };
    },
  };
}

function refusalOf(body: Answered['body']): string | undefined {
  return 'json' in body ? refusalAnswer.safeParse(body.json).data?.code : undefined;
}

function boundedReason({ code, message }: { code: string; message: string }): { code: string; message: string } {
  return {
    code: /^\w{1,40}$/.test(code) ? code : 'rejected',
    message: message.replace(/\p{Cc}+/gu, ' ').slice(0, maxReasonChars),
  };
}
