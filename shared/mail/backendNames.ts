// The names an e-mail backend goes by in `EMAIL_BACKEND`: ours, and those Django users have in their settings. Called by config.ts.
import type { EmailSettings } from './emailBackend';

/** One of our backends. */
export type BackendName = EmailSettings['backends'][number];

const names: ReadonlyMap<string, BackendName> = new Map([
  ['sendgrid', 'sendgrid'],
  ['smtp', 'smtp'],
  ['console', 'console'],
  ['file', 'file'],
  ['sendgrid_backend.SendgridBackend', 'sendgrid'], // django-sendgrid-v5
  ['django.core.mail.backends.smtp.EmailBackend', 'smtp'],
  ['django.core.mail.backends.console.EmailBackend', 'console'],
  ['django.core.mail.backends.filebased.EmailBackend', 'file'],
]);

/**
 * Reads `EMAIL_BACKEND`: one name, or several between commas in order of preference.
 * `error` is a sentence for the operator; as every settings error it does not repeat the value.
 */
export function parseBackendNames(text: string): { names: readonly BackendName[] } | { error: string } {
  const parts = text.split(',').map((part) => names.get(part.trim()));
  const found = parts.filter((name) => name !== undefined);
  if (found.length < parts.length) {
    return {
      error: "must be sendgrid, smtp, console or file (or Django's name of one), or several of them between commas",
    };
  }
  if (new Set(found).size < found.length) return { error: 'names the same e-mail backend twice' };
  return { names: found };
}
