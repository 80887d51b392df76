// Builds the e-mail backend the settings ask for. A client library is loaded with the first mail, not with the app: a cold start that
// only answers HTTP calls evaluates neither nodemailer nor @sendgrid/mail.
import { systemClock, type Clock } from '../../clock';
import type { BackendName, EmailBackend, EmailSettings } from '../emailBackend';
import { createFallbackBackend, type FallbackEvent } from './fallbackBackend';

/** What the backends need besides their settings. */
export interface EmailBackendServices {
  /** Where the console backend prints. */
  readonly write: (text: string) => void;
  /** Called when one backend failed and the next was tried. */
  readonly log?: ((event: FallbackEvent) => void) | undefined;
  readonly clock?: Clock | undefined;
}

/**
 * The backend of `settings.backends`, in that order if there are several.
 * @throws if there are none, or one lacks its settings, which the settings schema rules out
 */
export function createEmailBackend(settings: EmailSettings, services: EmailBackendServices): EmailBackend {
  const [first, ...others] = settings.backends.map((name) => lazyBackend(name, loader(name, settings, services)));
  if (!first) throw new Error('no e-mail backend is set');
  return others.length === 0 ? first : createFallbackBackend([first, ...others], services.log);
}

type Load = () => Promise<EmailBackend>;

function loader(
  name: BackendName,
  settings: EmailSettings,
  { write, clock = systemClock }: EmailBackendServices,
): Load {
  const required = <T>(setting: T | undefined): T => {
    if (setting === undefined) throw new Error(`the ${name} e-mail backend has no settings`);
    return setting;
  };
  switch (name) {
    case 'sendgrid': {
      const sendgrid = required(settings.sendgrid);
      return async () => (await import('./sendgridBackend')).createSendgridBackend(sendgrid, clock);
    }
    case 'smtp': {
      const smtp = required(settings.smtp);
      return async () => (await import('./smtpBackend')).createSmtpBackend(smtp);
    }
    case 'file': {
      const directory = required(settings.filePath);
      return async () => (await import('./developmentBackends')).createFileBackend({ directory, clock });
    }
    case 'console': {
      const loadKeep = settings.filePath === undefined ? undefined : loader('file', settings, { write, clock });
      return async () =>
        (await import('./developmentBackends')).createConsoleBackend({ write, clock, keep: await loadKeep?.() });
    }
  }
}

/** A backend whose module is loaded by its first `send`. */
function lazyBackend(name: BackendName, load: Load): EmailBackend {
  let loading: Promise<EmailBackend> | undefined;
  return {
    name,
    async send(mail) {
      loading ??= load();
      return (await loading).send(mail);
    },
    async close() {
      await (await loading)?.close();
    },
  };
}
