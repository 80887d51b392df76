// The interface every e-mail backend implements, and what it is given and answers. Called by sendMail only.
// A backend never throws for what a provider answers; it never logs; it never sees an account or a reset key.

/** One outgoing mail, rendered. No field but the addresses and the words holds user text; header fields hold no control characters. */
export interface Mail {
  /** Opaque mail id: the Deliveries row key, the custom arg of SendGrid. No personal data. */
  readonly id: string;
  /** `<id@domain>` with the angle brackets, the same on every attempt (RFC 5322 §3.6.4). */
  readonly messageId: string;
  /** What kind of mail, for the provider's statistics: `password-reset`, `password-changed`, `operator-alert`. */
  readonly category: string;
  /** `addr@domain` or `Name <addr@domain>`. */
  readonly from: string;
  /** Exactly one recipient, byte for byte the stored address. */
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
 * What became of one `send`.
 * - `accepted`: the provider has taken responsibility for the mail.
 * - `transient`: try again later. `surelyNotAccepted` says whether the provider certainly has *not* taken it: only then
 *   may another backend try. `misconfigured` marks our own fault (401/403, SMTP 535, TLS refused): alert the operator.
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
      readonly misconfigured?: boolean;
      /** What the provider asked for, already clamped to 1–300 s (or the backend's own minimum, 60 s after an SMTP 4xx). */
      readonly retryAfterSeconds?: number;
    }
  | { readonly outcome: 'permanent'; readonly reason: string };

export interface EmailBackend {
  readonly name: string;
  /** Hands one mail over. Bounded in time by the backend itself (≤30 s). Resolves always; an exception is a bug. */
  send(mail: Mail): Promise<SendResult>;
  /** Closes pooled connections. */
  close(): Promise<void>;
}

/** The e-mail settings as config.ts validates them (`EMAIL_*`, `SENDGRID_*`). */
export interface EmailSettings {
  /** In order of preference; a second one is tried only when the first surely did not accept. */
  readonly backends: readonly ('sendgrid' | 'smtp' | 'console' | 'file')[];
  readonly sendgrid?: { readonly apiKey: string; readonly apiUrl: string; readonly timeoutMs: number };
  readonly smtp?: {
    readonly host: string;
    readonly port: number;
    readonly user?: string;
    readonly password?: string;
    /** `starttls` = required (`EMAIL_USE_TLS`), `implicit` (`EMAIL_USE_SSL`), `none` = plain (loopback or a trusted relay). */
    readonly security: 'starttls' | 'implicit' | 'none';
    readonly timeoutMs: number;
  };
  readonly filePath?: string;
}
