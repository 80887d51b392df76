// An e-mail backend that answers what a test scripts and keeps what it was given.
import type { Mail, SendResult } from '../../shared/mail/emailBackend';

export type ScriptedEmail = ReturnType<typeof createScriptedEmail>;

export function createScriptedEmail(name = 'scripted') {
  const tried: Mail[] = [];
  const accepted: Mail[] = [];
  const scripted: SendResult[] = [];
  let answer: (mail: Mail) => SendResult = () => ({ outcome: 'accepted', backend: name });
  const meanwhile: (() => Promise<void>)[] = [];
  return {
    name,
    /** Every mail that was handed over, also those that were refused. */
    tried,
    accepted,
    /** Answers for the next mails, in order; afterwards (and before) every mail is accepted. */
    script: (...results: readonly SendResult[]): void => void scripted.push(...results),
    /** Answers for the mails that are not scripted. */
    answer: (how: (mail: Mail) => SendResult): void => {
      answer = how;
    },
    /** Runs while the next mail is being sent. */
    during: (what: () => Promise<void>): void => void meanwhile.push(what),
    send: async (mail: Mail): Promise<SendResult> => {
      tried.push(mail);
      await meanwhile.shift()?.();
      const result = scripted.shift() ?? answer(mail);
      if (result.outcome === 'accepted') accepted.push(mail);
      return result;
    },
    close: async (): Promise<void> => {},
  };
}
