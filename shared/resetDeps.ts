// What the story is given: settings, stores and services, all behind interfaces.
import type { Clock } from './clock';
import type { AccountDirectory } from './directory/accountDirectory';
import type { Emit } from './events';
import type { Limits, Rate } from './limits';
import type { EmailBackend, SendResult } from './mail/emailBackend';
import type { OutgoingMailQueue, SealSettings } from './outbox/outgoingMail';
import type { EncodePassword } from './password/passwordHash';
import type { ResetKeySettings } from './resetKey';
import type { ResetKeyStore } from './resetLinks';
import type { SiteSource } from './site';

export interface ResetSettings extends ResetKeySettings, Pick<SealSettings, 'sealingSecrets'> {
  readonly password: { readonly minLength: number };
  readonly limits: { readonly perAddress: Rate | 'off'; readonly perIp: Rate | 'off' };
  /** Optional lines of the reset mail: when the link expires, and which client asked. */
  readonly mailExtraLines: readonly ('expiry' | 'asker')[];
}

export interface ResetDeps {
  readonly settings: ResetSettings;
  readonly clock: Clock;
  readonly emit: Emit;
  readonly queue: OutgoingMailQueue;
  readonly accounts: AccountDirectory;
  readonly resetKeys: ResetKeyStore;
  readonly limits: Limits;
  readonly site: SiteSource;
  readonly email: EmailBackend;
  readonly encodePassword: EncodePassword;
  /** Was the password found in a breach? Fails open; undefined if the check is off. */
  readonly isBreached: ((password: string) => Promise<boolean>) | undefined;
  /** Sends a webhook to the site; undefined without `SITE_EVENTS_URL`. */
  readonly sendSiteEvent: ((event: SiteEvent) => Promise<SendResult>) | undefined;
}

/** A webhook to the site. `id` is the same on every attempt. */
export interface SiteEvent {
  readonly id: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
}

/** Who makes a request, as the HTTP edge saw it. */
export interface Requester {
  /** The client's limit bucket; absent if a site's own server asks without `clientIp`. */
  readonly client?: string | undefined;
  readonly locale?: string | undefined;
}
