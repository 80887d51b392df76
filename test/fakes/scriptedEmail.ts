// An e-mail backend that answers what a test scripts and keeps what it was given.
import type { EmailBackend, Mail, SendResult } from '../../shared/mail/emailBackend';

export interface ScriptedEmail extends EmailBackend {
  /** Every mail that was handed over, also those that were refused. */
  readonly tried: Mail[];
  /** The mails that were accepted. */
  readonly accepted: Mail[];
  /** Answers for the next mails, in order; afterwards (and before) every mail is accepted. */
  script(...results: readonly SendResult[]): void;
  /** Answers for the mails that are not scripted. */
  answer(how: (mail: Mail) => SendResult): void;
  /** Runs while the next mail is being sent. */
  during(what: () => Promise<void>): void;
}

export function createScriptedEmail(name = 'scripted'): ScriptedEmail {
  const tried: Mail[] = [];
  const accepted: Mail[] = [];
  const scripted: SendResult[] = [];
  let answer: (mail: Mail) => SendResult = () => ({ outcome: 'accepted', backend: name });
  const meanwhile: (() => Promise<void>)[] = [];
  return {
    name,
    tried,
    accepted,
    script: (...results) => void scripted.push(...results),
    answer: (how) => {
      answer = how;
    },
    during: (what) => void meanwhile.push(what),
    send: async (mail) => {
      tried.push(mail);
      await meanwhile.shift()?.();
      const result = scripted.shift() ?? answer(mail);
      if (result.outcome === 'accepted') accepted.push(mail);
      return result;
    },
    close: async () => {},
  };
}
