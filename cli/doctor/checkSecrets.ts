// Are the signing secrets secret, random and young enough? (The sample secret outside development is refused by the settings.)
import { sampleSigningSecret } from '../../shared/config';
import type { SigningSecret } from '../../shared/resetKey';
import { ok, warn, type Check, type Finding } from './finding';

const check = 'signing secrets';
const maxAgeDays = 400;
const newSecret =
  'Add a new one at the end of RESET_SIGNING_SECRETS (k260301:$(openssl rand -base64 32)), wait until every instance has it, then ' +
  'move it to the front: docs/operations.md, "Rotating the signing secret".';

export const checkSecrets: Check = ({ settings, development, io }) => {
  if (!settings.ok) return [];
  const { signingSecrets } = settings.config;
  const sample = Buffer.from(sampleSigningSecret, 'base64');
  if (signingSecrets.some(({ secret }) => secret.equals(sample))) {
    return [ok(check, 'The sample secret is in use; outside development it is refused.')];
  }
  const weak = signingSecrets
    .filter(({ secret }) => !looksRandom(secret))
    .map(({ kid }) => notRandom(kid, development));
  const old = ageFindings(signingSecrets[0], io.clock());
  if (weak.length + old.length > 0) return [...weak, ...old];
  const rest = signingSecrets.length - 1;
  const spare =
    rest === 0 ? '' : ` ${rest} more can verify: drop them 24 hours and a key life after they stopped signing.`;
  const age = dateOf(signingSecrets[0].kid) === undefined ? ' Its age is unknown: name it by its date (k260301).' : '';
  return [ok(check, `The secret ${signingSecrets[0].kid} signs.${age}${spare}`)];
};

const notRandom = (kid: string, development: boolean): Finding =>
  development
    ? ok(check, `The secret ${kid} is not random, which does no harm in development.`)
    : warn(check, `The secret ${kid} is not random: it is text, or repeats itself.`, newSecret);

function ageFindings({ kid }: SigningSecret, now: Date): Finding[] {
  const since = dateOf(kid);
  if (since === undefined || now.getTime() - since.getTime() < maxAgeDays * 86_400_000) return [];
  return [warn(check, `The secret ${kid} has been signing for more than ${maxAgeDays} days.`, newSecret)];
}

/** The date in a kid such as `k260301`, as `infra/hooks/ensureSecrets.mjs` makes them, or `20260301`. */
function dateOf(kid: string): Date | undefined {
  const [, year, month, day] = /^(?:k|20)(\d\d)(\d\d)(\d\d)$/.exec(kid) ?? [];
  const date = new Date(`20${year ?? ''}-${month ?? ''}-${day ?? ''}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** 32 random bytes have about 30 different values, and are readable text once in 10^13 times. */
function looksRandom(secret: Buffer): boolean {
  const readable = secret.every((byte) => byte >= 0x20 && byte < 0x7f);
  return !readable && new Set(secret).size >= 16;
}
