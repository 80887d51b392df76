// What the story puts into the outbox: mails and webhooks to the site. Sealed inside a queue message: why it is sent, and for whom.
// On the wire the address hash is called `sub`.
import * as z from 'zod';
import { addressHashOf } from './address';
import type { MailKind, ProviderReport } from './outbox/deliveries';
import { derivedId, enqueue } from './outbox/outgoingMail';
import type { Account } from './directory/accountDirectory';
import type { ResetDeps } from './resetDeps';

const instant = z.iso.datetime().transform((text) => new Date(text));
const sub = z.string().regex(/^[\w-]{22}$/);
const accountId = z.string().min(1).max(256);

/** 1–256 characters, and at most 600 bytes as JSON: what a sealed message can hold, whatever script the id is written in. */
export const isAccountId = (id: string): boolean =>
  id !== '' && id.length <= 256 && Buffer.byteLength(JSON.stringify(id)) <= 600;

const common = {
  acceptedAt: instant,
  /** The requesting client as a bucket name (an IPv4 address or an IPv6 /64); absent for a site's own server without `clientIp`. */
  client: z.string().max(64).optional(),
  /** BCP 47 tag of the request. */
  locale: z.string().max(35).optional(),
};

// Instances of the previous version read these strictly: a new field or kind needs a new message version (see `messageVersion`).
const wireSchema = z.lazy(() =>
  z.discriminatedUnion('kind', [
    /** Somebody asked for a reset of this address. `key` is the reset key issued for it. */
    z.strictObject({
      kind: z.literal('resetAddress'),
      email: z.string().max(254),
      key: z.string().max(255),
      ...common,
    }),
    /** A dead link's "send me a new one", or one of several stored spellings of an address (`charged` by older versions). */
    z.strictObject({ kind: z.literal('resetAccount'), sub, accountId, charged: z.boolean().optional(), ...common }),
    /** The notice after a redemption; sent only if the account's `lastResetKeyId` is this one. */
    z.strictObject({ kind: z.literal('passwordChanged'), sub, accountId, resetKeyId: z.string().max(64), ...common }),
    /** The notice after support was given links. */
    z.strictObject({ kind: z.literal('linkIssued'), sub, accountId, ...common }),
    /** A webhook to the site (version 2). */
    z.strictObject({
      kind: z.literal('siteEvent'),
      sub,
      type: z.string().max(40),
      data: z.record(z.string(), z.string()),
      ...common,
    }),
  ]),
);

type Renamed<T> = T extends { sub: string } ? Omit<T, 'sub'> & { readonly addressHash: string } : T;
export type MailRequest = Renamed<z.output<typeof wireSchema>>;
export type MailRequestOf<K extends MailRequest['kind']> = Extract<MailRequest, { kind: K }>;
export type ResetRequest = MailRequestOf<'resetAddress' | 'resetAccount'>;

/** Reads what was unsealed. @returns undefined if it is not a mail request */
export function parseMailRequest(inside: unknown): MailRequest | undefined {
  const parsed = wireSchema.safeParse(inside);
  if (!parsed.success) return undefined;
  if (parsed.data.kind === 'resetAddress') return parsed.data;
  const { sub: addressHash, ...rest } = parsed.data;
  return { ...rest, addressHash };
}

/** Seals a request and queues it. @param id the mail's id @returns it */
export function enqueueMail(
  deps: Parameters<typeof enqueue>[0],
  id: string,
  request: MailRequest,
  delaySeconds = 0,
): Promise<string> {
  const v = request.kind === 'siteEvent' ? 2 : 1;
  if (request.kind === 'resetAddress') return enqueue(deps, id, request, { delaySeconds, v });
  const { addressHash: sub, ...rest } = request;
  return enqueue(deps, id, { ...rest, sub }, { delaySeconds, v });
}

const kinds = {
  resetAddress: 'passwordReset',
  resetAccount: 'passwordReset',
  passwordChanged: 'passwordChanged',
  linkIssued: 'linkIssued',
  siteEvent: 'siteEvent',
} as const satisfies Record<MailRequest['kind'], MailKind>;

/** What the outbox records of a request. */
export function describeMailRequest(request: MailRequest) {
  const addressHash = request.kind === 'resetAddress' ? addressHashOf(request.email) : request.addressHash;
  return { addressHash, kind: kinds[request.kind], acceptedAt: request.acceptedAt };
}

type EventDeps = Pick<ResetDeps, 'settings' | 'queue' | 'clock' | 'sendSiteEvent'>;

/** `password.changed`: the site can end the account's sessions of before `changedAt`. */
export async function queuePasswordChangedEvent(
  deps: EventDeps,
  account: Account,
  resetKeyId: string,
  changedAt: Date,
): Promise<void> {
  const at = changedAt.toISOString();
  const id = derivedId('password.changed', resetKeyId);
  await queueEvent(deps, id, account.addressHash, 'password.changed', { accountId: account.id, at });
}

/** `mail.bounced` and `mail.dropped`. Deliveries hold no address: the site recognizes it by its hash. */
export async function queueMailEvent(
  deps: EventDeps,
  addressHash: string,
  mailId: string,
  { state, at }: ProviderReport,
): Promise<void> {
  if (state !== 'bounced' && state !== 'dropped') return;
  const data = { mailId, addressHash, at: at.toISOString() };
  await queueEvent(deps, derivedId('mail', state, mailId), addressHash, `mail.${state}`, data);
}

async function queueEvent(
  deps: EventDeps,
  id: string,
  addressHash: string,
  type: string,
  data: Readonly<Record<string, string>>,
): Promise<void> {
  if (deps.sendSiteEvent === undefined) return;
  await enqueueMail(deps, id, { kind: 'siteEvent', addressHash, type, data, acceptedAt: deps.clock() });
}
