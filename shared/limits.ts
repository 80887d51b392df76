// The mail limits: token buckets shared by all instances. Charged in sendMail, once per mail id, silently.

/** `3/5m`: so many at once, then one per interval. */
export interface Rate {
  /** The bucket's size, 1–1000. */
  readonly burst: number;
  /** One token comes back every so many ms. */
  readonly refillMs: number;
}

/** A bucket as it is stored. */
export interface Bucket {
  /** Tokens left at `at`; may be a fraction. */
  readonly tokens: number;
  readonly at: Date;
  /** The mail ids charged of late, newest last, at most `burst` of them: a repeat of one of them is free. */
  readonly charged: readonly string[];
}

/** The contract of the store. Every call throws `StorageUnavailable` when it does not answer. */
export interface Limits {
  /**
   * Takes a token for a mail, by a conditional write.
   * @param bucket any name; it is hashed before it becomes a row key
   * @returns `ok` (also when this mail was charged before), `over`, or `contended` after four lost races: put the mail back
   */
  take(
    bucket: string,
    rate: Rate,
    mailId: string,
    now: Date,
    signal: AbortSignal,
  ): Promise<'ok' | 'over' | 'contended'>;
  /** Gives the token of a mail back that could not be sent. Best effort. */
  giveBack(bucket: string, rate: Rate, mailId: string, now: Date, signal: AbortSignal): Promise<void>;
}

/**
 * The arithmetic of a token bucket. Time never runs backwards in it, so that instances whose clocks disagree do not refill it
 * for each other; but a bucket from further ahead than any working clock was written by a broken one, and counts as one
 * interval old, so that nobody waits for that time to come.
 * @returns the bucket after the charge, or `over`; `same` when this mail was charged before
 */
export function charge(bucket: Bucket | undefined, rate: Rate, mailId: string, now: Date): Bucket | 'over' | 'same' {
  if (bucket === undefined) return { tokens: rate.burst - 1, at: now, charged: [mailId] };
  if (bucket.charged.includes(mailId)) return 'same';
  const { tokens, at } = refilled(bucket, rate, now);
  if (tokens < 1) return 'over';
  return { tokens: tokens - 1, at, charged: [...bucket.charged, mailId].slice(-rate.burst) };
}

/** The bucket after a charge was taken back, or `same` when it was not charged for this mail. */
export function discharge(bucket: Bucket, rate: Rate, mailId: string, now: Date): Bucket | 'same' {
  if (!bucket.charged.includes(mailId)) return 'same';
  const { tokens, at } = refilled(bucket, rate, now);
  return { tokens: Math.min(rate.burst, tokens + 1), at, charged: bucket.charged.filter((id) => id !== mailId) };
}

/** Azure Storage refuses a client whose clock is off by more (SharedKey, 15 minutes). */
const maxSkewMs = 15 * 60_000;

function refilled(bucket: Bucket, { burst, refillMs }: Rate, now: Date): Pick<Bucket, 'tokens' | 'at'> {
  const elapsedMs = now.getTime() - bucket.at.getTime();
  if (elapsedMs < -maxSkewMs) return { tokens: Math.min(burst, bucket.tokens + 1), at: now };
  if (elapsedMs < 0) return { tokens: bucket.tokens, at: bucket.at };
  return { tokens: Math.min(burst, bucket.tokens + elapsedMs / refillMs), at: now };
}
