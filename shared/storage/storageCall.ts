// How every storage call is made: bounded per try and by the invocation's deadline, retried, and each failure turned into
// `StorageUnavailable`. The SDKs' own retries are off: their per-try time-outs do not end a stalled connection.
import { setTimeout as sleep } from 'node:timers/promises';
import { deadline, randomBetween, tryTimeoutMs, withTimer } from '../clock';
import { StorageUnavailable } from '../errors';

const maxTries = 3;

/**
 * Makes one storage call.
 * @param call idempotent, or such that its caller recognizes a repeat: a reply may be lost
 * @throws StorageUnavailable, or whatever `expected` accepts, as it is
 */
export async function storageCall<T>(
  part: 'tables' | 'queue',
  call: (signal: AbortSignal) => Promise<T>,
  expected: (error: unknown) => boolean = () => false,
): Promise<T> {
  const whole = deadline();
  for (let tries = 1; ; tries++) {
    try {
      return await withTimer(tryTimeoutMs(), call, whole);
    } catch (error) {
      if (expected(error)) throw error;
      if (tries === maxTries || whole.aborted || !isTransient(error)) throw unavailable(part, error);
    }
    await sleep(randomBetween(50, 150 * 2 ** tries), undefined, { signal: whole }).catch(() => undefined);
  }
}

/** What both SDKs throw for an answer of the service. Read by shape, so that no SDK is loaded for it. */
interface RestError extends Error {
  readonly statusCode?: number;
  readonly code?: string;
  readonly details?: { readonly odataError?: { readonly code?: unknown } };
}
const isRestError = (error: unknown): error is RestError => error instanceof Error && error.name === 'RestError';

export const statusOf = (error: unknown): number | undefined => (isRestError(error) ? error.statusCode : undefined);

/** The service's error code; the tables SDK leaves it in the parsed body (`odataError`). */
export function codeOf(error: unknown): string | undefined {
  if (!isRestError(error)) return undefined;
  const code = error.details?.odataError?.code ?? error.code;
  return typeof code === 'string' ? code : undefined;
}

function isTransient(error: unknown): boolean {
  const status = statusOf(error);
  return status === undefined || status === 408 || status === 429 || status >= 500;
}

/** The exception for what a storage SDK threw. */
function unavailable(part: 'tables' | 'queue', error: unknown): StorageUnavailable {
  if (error instanceof StorageUnavailable) return error;
  const isTimeout = error instanceof Error && (error.name === 'AbortError' || error.name === 'TimeoutError');
  const code = isTimeout ? 'timeout' : (codeOf(error) ?? statusOf(error)?.toString() ?? 'connection');
  return new StorageUnavailable(part, code, { cause: error });
}
