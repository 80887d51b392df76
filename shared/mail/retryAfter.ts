// When a provider says "try again later": reads its headers. Called by sendgridBackend; garbage is ignored, never trusted (G4).

/** Shortest and longest wait a provider may impose, in seconds. */
const MIN_SECONDS = 1;
const MAX_SECONDS = 300;

function clamp(seconds: number): number {
  return Math.min(MAX_SECONDS, Math.max(MIN_SECONDS, Math.ceil(seconds)));
}

/** `Retry-After`: whole seconds or an HTTP date (RFC 9110 §10.2.3). */
function fromRetryAfter(value: string, now: Date): number | undefined {
  if (/^\d{1,15}$/.test(value)) return clamp(Number(value));
  const at = /^[A-Z][a-z]{2}, \d{2} [A-Z][a-z]{2} \d{4} \d{2}:\d{2}:\d{2} GMT$/.test(value) ? Date.parse(value) : NaN;
  return Number.isNaN(at) ? undefined : clamp((at - now.getTime()) / 1000);
}

/** `X-RateLimit-Reset`: the instant the limit is lifted, in epoch seconds (Twilio SendGrid, "Rate limits"). */
function fromRateLimitReset(value: string, now: Date): number | undefined {
  return /^\d{1,15}$/.test(value) ? clamp(Number(value) - now.getTime() / 1000) : undefined;
}

/**
 * Seconds to wait, 1–300, from `retry-after` or else `x-ratelimit-reset`; nothing if neither says anything that can be read.
 * `header` gives a header's value by its lower-case name.
 */
export function retryAfterSeconds(header: (name: string) => unknown, now: Date): number | undefined {
  const [retryAfter, reset] = [header('retry-after'), header('x-ratelimit-reset')];
  const seconds = typeof retryAfter === 'string' ? fromRetryAfter(retryAfter.trim(), now) : undefined;
  return seconds ?? (typeof reset === 'string' ? fromRateLimitReset(reset.trim(), now) : undefined);
}
