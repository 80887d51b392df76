// Are all settings present and valid, and are the secrets random and young enough?
import { sampleSigningSecret } from '../../shared/config';
import type { NamedSecret } from '../../shared/outbox/outgoingMail';
import { unknownSettings } from '../support/settings';
import { fail, ok, warn, type Check, type Finding } from './finding';

const setIt =
  'Set it in the Function App (Settings > Environment variables) or local.settings.json; README.md explains each setting.';
const notAtHand = 'Not checked: the app has its own. GET /api/health/details, with a function key, says what is wrong.';

export const checkSettings: Check = ({ settings, fileSettings, isElsewhere }) => {
  if (isElsewhere) return [ok('settings', notAtHand)];
  const problems = settings.ok ? [] : settings.problems.map((problem) => fail('settings', `${problem}.`, setIt));
  const unknown = unknownSettings(Object.keys(fileSettings)).map(({ name, nearest }) => {
    const cure = nearest === undefined ? 'If it is not misspelt, remove it.' : `Is ${nearest} meant?`;
    return warn('settings', `${name} is not a setting of this app.`, cure);
  });
  const all = [...problems, ...unknown];
  return all.length > 0 ? all : [ok('settings', 'All settings are present and valid.')];
};

const maxAgeDays = 400;
const rotate = (name: string): string =>
  `Add a new one to ${name} (k260301:$(openssl rand -base64 32)) as docs/operations.md says, "Rotating secrets".`;

export const checkSecrets: Check = ({ settings, development, clock }) => {
  if (!settings.ok) return [];
  const { signingSecrets, sealingSecrets } = settings.config;
  const signing = secretFindings('signing secrets', 'RESET_SIGNING_SECRETS', signingSecrets, development, clock());
  if (sealingSecrets !== signingSecrets) {
    const name = 'MAIL_SEALING_SECRETS';
    return [...signing, ...secretFindings('sealing secrets', name, sealingSecrets, development, clock())];
  }
  if (development) return signing;
  const what = 'MAIL_SEALING_SECRETS is not set: whoever knows a signing secret can also open the mails in the queue.';
  const cure = 'Set it to k260301:$(openssl rand -base64 32); messages that are in the queue are still opened.';
  return [...signing, warn('sealing secrets', what, cure)];
};

function secretFindings(
  check: string,
  setting: string,
  secrets: readonly [NamedSecret, ...NamedSecret[]],
  development: boolean,
  now: Date,
): Finding[] {
  const sample = Buffer.from(sampleSigningSecret, 'base64');
  if (secrets.some(({ secret }) => secret.equals(sample))) {
    return [ok(check, 'The sample secret is in use; outside development it is refused.')];
  }
  const [{ kid }] = secrets;
  const problems = secrets
    .filter(({ secret }) => isText(secret) && !development)
    .map((weak) => warn(check, `The secret ${weak.kid} is text, not random bytes.`, rotate(setting)));
  const since = dateOf(kid);
  if (since !== undefined && now.getTime() - since.getTime() >= maxAgeDays * 86_400_000) {
    problems.push(warn(check, `The secret ${kid} has been in use for more than ${maxAgeDays} days.`, rotate(setting)));
  }
  if (problems.length > 0) return problems;
  const rest = secrets.length - 1;
  const spare =
    rest === 0 ? '' : ` ${rest} more are accepted: remove them 24 hours and a key life after their last use.`;
  const age = since === undefined ? ' Its age is unknown: name it by its date (k260301).' : '';
  return [ok(check, `The secret ${kid} is in use.${age}${spare}`)];
}

/** The date in a kid such as `k260301`, as `infra/hooks/ensureSecrets.mjs` makes them, or `20260301`. */
function dateOf(kid: string): Date | undefined {
  const [, year, month, day] = /^(?:k|20)(\d\d)(\d\d)(\d\d)$/.exec(kid) ?? [];
  const date = new Date(`20${year ?? ''}-${month ?? ''}-${day ?? ''}T00:00:00Z`);
  return Number.isNaN(date.getTime()) ? undefined : date;
}

/** 32 random bytes are readable text once in 10^13 times. */
const isText = (secret: Buffer): boolean => secret.every((byte) => byte >= 0x20 && byte < 0x7f);
