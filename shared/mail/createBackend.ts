// Builds the e-mail backend the settings ask for. Called by services.ts. A client library is loaded with the first mail, not with
// the app: a cold start that only answers HTTP calls evaluates neither nodemailer nor @sendgrid/mail.
import type { BackendName } from './backendNames';
import type { EmailBackend, EmailSettings, SendResult } from './emailBackend';
import { createFallbackBackend, type FallbackEvent } from './fallbackBackend';
import type { SmtpBackendOptions } from './smtpBackend';

/** What the backends need besides their settings. */
export interface EmailBackendServices {
  /** Where the console backend prints. */
  readonly write: (text: string) => void;
  /** Told when one backend failed and the next was asked. */
  readonly log?: (event: FallbackEvent) => void;
  readonly now?: () => Date;
  /** For tests: see SmtpBackendOptions. */
  readonly smtp?: SmtpBackendOptions;
}

async function load(name: BackendName, settings: EmailSettings, services: EmailBackendServices): Promise<EmailBackend> {
  const { write, now = () => new Date() } = services;
  switch (name) {
    case 'sendgrid':
      return (await import('./sendgridBackend')).createSendgridBackend(required(name, settings.sendgrid), now);
    case 'smtp':
      return (await import('./smtpBackend')).createSmtpBackend(required(name, settings.smtp), services.smtp);
    case 'console': {
      const keep = settings.filePath === undefined ? undefined : await load('file', settings, services);
      return (await import('./consoleBackend')).createConsoleBackend({ write, now, ...(keep && { keep }) });
    }
    case 'file':
      return (await import('./fileBackend')).createFileBackend({ directory: required(name, settings.filePath), now });
  }
}

function required<T>(name: BackendName, setting: T | undefined): T {
  if (setting === undefined) throw new Error(`the ${name} e-mail backend has no settings`);
  return setting;
}

/** A backend whose module is loaded by its first `send`. */
function lazyBackend(name: BackendName, settings: EmailSettings, services: EmailBackendServices): EmailBackend {
  let loading: Promise<EmailBackend> | undefined;
  return {
    name,
    async send(mail): Promise<SendResult> {
      loading ??= load(name, settings, services);
      return (await loading).send(mail);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}

/**
 * The backend of `settings.backends`, in that order if there are several. Throws (a mistake in config.ts) if there are none, or one
 * lacks its settings.
 */
export function createEmailBackend(settings: EmailSettings, services: EmailBackendServices): EmailBackend {
  const given: Readonly<Record<BackendName, unknown>> = {
    sendgrid: settings.sendgrid,
    smtp: settings.smtp,
    console: true,
    file: settings.filePath,
  };
  for (const name of settings.backends) required(name, given[name]);
  const [first, ...others] = settings.backends.map((name) => lazyBackend(name, settings, services));
  if (!first) throw new Error('no e-mail backend is set');
  return others.length === 0 ? first : createFallbackBackend([first, ...others], services.log);
}
