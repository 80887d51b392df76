// What the app reports: one JSON object per event. docs/events.md is generated from the union below.
// An event never holds a reset key, a link, a password, an API key, a full address or a request URL. `mailId` is the one id
// from request to mail.

/** The class and code of an unexpected error; never its text, which may quote user input or secrets. */
export interface ErrorFields {
  readonly errorName: string;
  readonly errorCode?: string | undefined;
  readonly errorAt?: string | undefined;
}

type MailKind = 'passwordReset' | 'passwordChanged' | 'linkIssued' | 'siteEvent';
type KeyRefusal = 'invalid_key' | 'expired_key' | 'used_key';

export type AppEvent =
  /** A request was accepted and is in the queue; whether anybody has that address is not known yet. */
  | { readonly event: 'requestReset'; readonly mailId: string }
  /** A person with a dead link asked for a new mail; no `mailId` if there is nothing to send. */
  | { readonly event: 'resendReset'; readonly mailId?: string | undefined }
  /**
   * A queue message was handled. Outcomes: `accepted` by the `backend`; `nobody` to write to; `suppressed` by a limit; `retry_later` in
   * `delaySeconds`, with the `reason`; `busy`: another worker has it, the app is stopping, or what it reports has not happened yet; `done`: a repeat of a finished one; `failed` for good; `unsure`: the
   * provider may have accepted it, so it is not tried again; `poisoned`: unreadable. `ageSeconds` since the request.
   */
  | {
      readonly event: 'sendMail';
      readonly level: 'info' | 'warn' | 'error';
      readonly outcome:
        'accepted' | 'nobody' | 'suppressed' | 'retry_later' | 'busy' | 'done' | 'failed' | 'unsure' | 'poisoned';
      readonly mailId?: string | undefined;
      readonly kind?: MailKind | undefined;
      readonly reason?: string | undefined;
      readonly backend?: string | undefined;
      readonly attempt?: number | undefined;
      readonly delaySeconds?: number | undefined;
      readonly ageSeconds?: number | undefined;
    }
  /** An address has more accounts than one request may mail (`mailed`); the others (`skipped`) got nothing. */
  | {
      readonly event: 'accountsSkipped';
      readonly level: 'warn';
      readonly mailId: string;
      readonly mailed: number;
      readonly skipped: number;
    }
  /** A reset key was looked at. */
  | { readonly event: 'checkKey'; readonly outcome: 'live' | KeyRefusal }
  /** A new password was submitted. */
  | { readonly event: 'redeemKey'; readonly outcome: 'changed' | 'rejected_password' | 'busy' | KeyRefusal }
  /** An HTTP call was answered; `error` from 500 on. */
  | {
      readonly event: 'answered';
      readonly level: 'info' | 'error';
      readonly call: string;
      readonly status: number;
      readonly latencyMs: number;
    }
  /** SendGrid's webhook reported something new; `error` for `blocked`, `dropped`, `bounced` and `spamReported`. */
  | {
      readonly event: 'mailReported';
      readonly level: 'info' | 'error';
      readonly mailId: string;
      readonly state: string;
    }
  /** A webhook call had no valid signature, or an old time stamp. */
  | { readonly event: 'webhookRefused'; readonly level: 'warn' }
  /**
   * Support asked for reset links: the audit record. `addressHash` is the hash of the address; the host's log says which function key
   * was used. `over_limit`: none were given out.
   */
  | {
      readonly event: 'linksIssued';
      readonly level: 'warn';
      readonly outcome: 'issued' | 'over_limit';
      readonly addressHash: string;
      readonly count: number;
      readonly noticeIds: readonly string[];
    }
  /** The first e-mail backend did not accept a mail and the next one was tried. */
  | {
      readonly event: 'emailBackendFallback';
      readonly level: 'warn';
      readonly mailId: string;
      readonly from: string;
      readonly to: string;
      readonly reason: string;
      readonly misconfigured: boolean;
    }
  /** A mail is out, or failed, and its row could not be written: `outbox show` knows less than this line. */
  | ({ readonly event: 'deliveryNotRecorded'; readonly level: 'error'; readonly mailId: string } & ErrorFields)
  /** Messages are in `outgoing-mail-poison`; repeated every minute. */
  | {
      readonly event: 'poisonMail';
      readonly level: 'error';
      readonly count: number;
      readonly oldestAgeMinutes: number | undefined;
      readonly ids: readonly string[];
    }
  /**
   * A mail failed for good (`mail`), may have been sent (`unsure`), or a provider refuses the settings for more than a minute
   * (`provider`; `mailId` is one of the mails that wait). Emitted once a day for the same mailbox or reason.
   */
  | {
      readonly event: 'deliveryAlert';
      readonly level: 'error';
      readonly mailId: string;
      readonly kind: string;
      readonly reason: string;
    }
  /** The mail to `ADMINS` was refused. */
  | { readonly event: 'operatorAlertNotSent'; readonly level: 'error'; readonly reason: string }
  /** The site row cannot be used (`problems`) or read; the last good one stays in use if there is one. */
  | ({
      readonly event: 'siteRowRefused';
      readonly level: 'error';
      readonly lastGoodInUse: boolean;
      readonly problems?: readonly string[] | undefined;
    } & Partial<ErrorFields>)
  /** Texts of the table SiteTexts were refused; the built-in sentences are used in their place. */
  | { readonly event: 'siteTextsRefused'; readonly level: 'error'; readonly problems: readonly string[] }
  /** A row of the Accounts table cannot be used as an account: its holder gets no mail until it is corrected. */
  | {
      readonly event: 'accountRowSkipped';
      readonly level: 'error';
      readonly addressHash: string;
      readonly reason: string;
    }
  /** The site's account directory failed; `reason` says how, `call` which of its calls. */
  | {
      readonly event: 'accountDirectoryFailed';
      readonly level: 'error';
      readonly call: string;
      readonly reason: string;
    }
  /** The breached-password service did not answer; the password was accepted without that check. */
  | ({ readonly event: 'breachCheckSkipped'; readonly level: 'warn' } & ErrorFields)
  /** Passwords are being hashed at capacity: a redemption was answered 503. */
  | { readonly event: 'hashingBusy'; readonly level: 'warn' }
  /** A call was answered 503 since `tables`, `queue` or `accounts` did not answer; `code` is the service's. */
  | {
      readonly event: 'storageUnavailable';
      readonly level: 'error';
      readonly call: string;
      readonly part: string;
      readonly code: string;
      readonly hint?: string | undefined;
    }
  /** A bug: the call was answered 500, or the mail is retried. */
  | ({
      readonly event: 'unexpectedError';
      readonly level: 'error';
      readonly call?: string | undefined;
      readonly mailId?: string | undefined;
    } & ErrorFields)
  /** A queue or timer function threw; the host tries again. */
  | ({ readonly event: 'taskFailed'; readonly level: 'error'; readonly task: string } & ErrorFields)
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
  | { readonly event: 'badSettings'; readonly level: 'error'; readonly problems: readonly string[] };

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
