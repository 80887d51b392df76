// What the app reports: one JSON object per event. docs/events.md is generated from the union below.
// An event never holds a reset key, a link, a password, an API key, a full address or a request URL. `mailId` is the one id
// from request to mail.
import type { MailKind } from './outbox/deliveries';
import type { KeyRefusal } from './resetLinks';

/** The class and code of an unexpected error; never its text, which may quote user input or secrets. */
export interface ErrorFields {
  readonly errorName: string;
  readonly errorCode?: string | undefined;
  readonly errorAt?: string | undefined;
}

/** One member of the union: its name, how serious it is, and what it tells. */
type Event<Name extends string, Level extends 'info' | 'warn' | 'error', Fields = unknown> = {
  readonly event: Name;
  readonly level: Level;
} & Readonly<Fields>;

export type AppEvent =
  /** A request was accepted and is in the queue; whether anybody has that address is not known yet. */
  | { readonly event: 'requestReset'; readonly mailId: string }
  /** A person with a dead link asked for a new mail; no `mailId` if there is nothing to send. */
  | { readonly event: 'resendReset'; readonly mailId?: string | undefined }
  /**
   * A queue message was handled. Outcomes: `accepted` by the `backend`; `nobody` to write to; `suppressed` by a limit; `retry_later` in
   * `delaySeconds`, with the `reason`; `busy`: another worker has it, the app is stopping, or what it reports has not happened yet; `done`:
   * a repeat of a finished one; `failed` for good; `unsure`: the provider may have accepted it, so it is not tried again; `poisoned`:
   * unreadable. `ageSeconds` since the request.
   */
  | Event<
      'sendMail',
      'info' | 'warn' | 'error',
      {
        outcome:
          'accepted' | 'nobody' | 'suppressed' | 'retry_later' | 'busy' | 'done' | 'failed' | 'unsure' | 'poisoned';
        mailId?: string | undefined;
        kind?: MailKind | undefined;
        reason?: string | undefined;
        backend?: string | undefined;
        attempt?: number | undefined;
        delaySeconds?: number | undefined;
        ageSeconds?: number | undefined;
      }
    >
  /** An address has more accounts than one request may mail (`mailed`); the others (`skipped`) got nothing. */
  | Event<'accountsSkipped', 'warn', { mailId: string; mailed: number; skipped: number }>
  /** A reset key was looked at. */
  | { readonly event: 'checkKey'; readonly outcome: 'live' | KeyRefusal }
  /** A new password was submitted. */
  | { readonly event: 'redeemKey'; readonly outcome: 'changed' | 'rejected_password' | 'busy' | KeyRefusal }
  /** An HTTP call was answered; `error` from 500 on. */
  | Event<'answered', 'info' | 'error', { call: string; status: number; latencyMs: number }>
  /** SendGrid's webhook reported something new; `error` for `blocked`, `dropped`, `bounced` and `spamReported`. */
  | Event<'mailReported', 'info' | 'error', { mailId: string; state: string }>
  /** A webhook call had no valid signature, or an old time stamp. */
  | Event<'webhookRefused', 'warn'>
  /**
   * Support asked for reset links: the audit record. `addressHash` is the hash of the address; the host's log says which function key
   * was used. `over_limit`: none were given out.
   */
  | Event<
      'linksIssued',
      'warn',
      { outcome: 'issued' | 'over_limit'; addressHash: string; count: number; noticeIds: readonly string[] }
    >
  /** The first e-mail backend did not accept a mail and the next one was tried. */
  | Event<
      'emailBackendFallback',
      'warn',
      { mailId: string; from: string; to: string; reason: string; misconfigured: boolean }
    >
  /** A mail is out, or failed, and its row could not be written: `outbox show` knows less than this line. */
  | Event<'deliveryNotRecorded', 'error', { mailId: string } & ErrorFields>
  /** Messages are in `outgoing-mail-poison`; repeated every minute. */
  | Event<'poisonMail', 'error', { count: number; oldestAgeMinutes: number | undefined; ids: readonly string[] }>
  /**
   * A mail failed for good (`mail`), may have been sent (`unsure`), or a provider refuses the settings for more than a minute
   * (`provider`; `mailId` is one of the mails that wait). Emitted once a day for the same mailbox or reason.
   */
  | Event<'deliveryAlert', 'error', { mailId: string; kind: string; reason: string }>
  /** The mail to `ADMINS` was refused. */
  | Event<'operatorAlertNotSent', 'error', { reason: string }>
  /** The site row cannot be used (`problems`) or read; the last good one stays in use if there is one. */
  | Event<
      'siteRowRefused',
      'error',
      { lastGoodInUse: boolean; problems?: readonly string[] | undefined } & Partial<ErrorFields>
    >
  /** Texts of the table SiteTexts were refused; the built-in sentences are used in their place. */
  | Event<'siteTextsRefused', 'error', { problems: readonly string[] }>
  /** A row of the Accounts table cannot be used as an account: its holder gets no mail until it is corrected. */
  | Event<'accountRowSkipped', 'error', { addressHash: string; reason: string }>
  /** The site's account directory failed; `reason` says how, `call` which of its calls. */
  | Event<'accountDirectoryFailed', 'error', { call: string; reason: string }>
  /** The breached-password service did not answer; the password was accepted without that check. */
  | Event<'breachCheckSkipped', 'warn', ErrorFields>
  /** Passwords are being hashed at capacity: a redemption was answered 503. */
  | Event<'hashingBusy', 'warn'>
  /** A call was answered 503 since `tables`, `queue` or `accounts` did not answer; `code` is the service's. */
  | Event<'storageUnavailable', 'error', { call: string; part: string; code: string; hint?: string | undefined }>
  /** A bug: the call was answered 500, or the mail is retried. */
  | Event<'unexpectedError', 'error', { call?: string | undefined; mailId?: string | undefined } & ErrorFields>
  /** A queue or timer function threw; the host tries again. */
  | Event<'taskFailed', 'error', { task: string } & ErrorFields>
  /** The hourly check of the site row: `columns` were missing and are written now. */
  | { readonly event: 'seedSite'; readonly columns: readonly string[] }
  /** The hourly purge: rows deleted, by table. */
  | {
      readonly event: 'purgeExpired';
      readonly ResetKeys?: number | undefined;
      readonly Limits?: number | undefined;
      readonly Deliveries?: number | undefined;
    }
  /** The settings are bad: names, never values. Nothing but health is registered. Repeated with every health check. */
  | Event<'badSettings', 'error', { problems: readonly string[] }>;

/** Writes one event as one line. Never throws. */
export type Emit = (event: AppEvent) => void;

/** What may be said of an unexpected error. */
export function errorFields(error: unknown): ErrorFields {
  if (!(error instanceof Error)) return { errorName: typeof error };
  const errorCode = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  // The stack begins with the text, and a line of the text may look like a frame.
  const [, ...frames] = (error.stack ?? '').split(error.message === '' ? error.name : error.message);
  const errorAt = /\n\s+at ([^\n]{1,150})/.exec(frames.at(-1) ?? '')?.[1];
  return { errorName: error.name, errorCode, errorAt };
}
