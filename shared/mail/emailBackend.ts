// The interface of every e-mail backend. A backend never throws for what a provider answers, never logs, and never sees an account.

/** One outgoing mail, rendered. Header fields hold no control characters. */
export interface Mail {
  /** Opaque mail id: the Deliveries row key, the custom arg of SendGrid. No personal data. */
  readonly id: string;
  /** `<id@domain>` with the angle brackets, the same on every attempt (RFC 5322 §3.6.4). */
  readonly messageId: string;
  /** What kind of mail, for the provider's statistics: `password-reset`, `password-changed`, `operator-alert`. */
  readonly category: string;
  /** `addr@domain` or `Name <addr@domain>`. */
  readonly from: string;
  /** Exactly one recipient: the stored address. */
  readonly to: string;
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** BCP 47 tag of the words, for `Content-Language`. */
  readonly locale: string;
  /** The logo, if the HTML part shows one. */
  readonly inlineImage?: InlineImage | undefined;
}

/** An image that the HTML part names as `cid:`. */
export interface InlineImage {
  readonly contentId: string;
  readonly contentType: string;
  readonly fileName: string;
  readonly base64: string;
}

/**
 * The outcome of one `send`.
 * - `accepted`: the provider has taken responsibility for the mail.
 * - `transient`: try again later. Only if `surelyNotAccepted` may another backend try: otherwise the provider may have accepted the
 *   mail. `misconfigured` means that the operator has to change a setting (401/403, SMTP 535, 5.7.x, a failed TLS handshake); since a
 *   recipient's own policy can look the same (5.7.1), the caller bounds the attempts.
 * - `permanent`: this mail will never be accepted (400/413, SMTP 5xx for the recipient).
 * `reason` is a short stable code such as `sendgrid_429`, `smtp_550`, `timeout`, `connection_refused`, `tls`; never provider text,
 * which may quote the address or the API key.
 */
export type SendResult =
  | { readonly outcome: 'accepted'; readonly backend: string }
  | {
      readonly outcome: 'transient';
      readonly reason: string;
      readonly surelyNotAccepted: boolean;
      readonly misconfigured?: boolean | undefined;
      /** The recipient's own policy may look the same: after this many such refusals the mail counts as refused. */
      readonly maxAttempts?: number | undefined;
      /** What the provider asked for, clamped to 1–300 s; 60 s after an SMTP 4xx. */
      readonly retryAfterSeconds?: number | undefined;
    }
  | { readonly outcome: 'permanent'; readonly reason: string };

export interface EmailBackend {
  readonly name: string;
  /** Hands one mail over. Bounded in time by the backend itself (≤30 s). Always resolves; an exception is a bug. */
  send(mail: Mail): Promise<SendResult>;
  /** Closes pooled connections. */
  close(): Promise<void>;
}

export type BackendName = 'sendgrid' | 'smtp' | 'console' | 'file';

/** The e-mail settings (`EMAIL_*`, `SENDGRID_*`), validated. */
export interface EmailSettings {
  /** In order of preference; the next one is only tried if the previous one definitely did not accept the mail. */
  readonly backends: readonly BackendName[];
  readonly sendgrid?: SendGridSettings | undefined;
  readonly smtp?: SmtpSettings | undefined;
  readonly filePath?: string | undefined;
}

export interface SendGridSettings {
  readonly apiKey: string;
  readonly apiUrl: string;
  readonly timeoutMs: number;
}

export interface SmtpSettings {
  readonly host: string;
  readonly port: number;
  readonly user?: string | undefined;
  readonly password?: string | undefined;
  /** `starttls` = required (`EMAIL_USE_TLS`), `implicit` (`EMAIL_USE_SSL`), `none` = plain (loopback or a trusted relay). */
  readonly security: 'starttls' | 'implicit' | 'none';
  readonly timeoutMs: number;
}
