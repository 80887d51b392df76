// The app under attack: the bundle under the dev host on empty storage, its mails caught by a scripted SendGrid, its invariants
// checked at the end.
import { startScriptedSendGrid, type ScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { addAccount, eventually, readAccount, startApp, type AppAnswer, type AppOptions } from './app';
import {
  expectMailsToStoredOnly,
  expectNoSilence,
  expectNothingLeaked,
  messagesOf,
  sentMailOf,
  type SentMail,
} from './invariants';

export const apiKey = 'SG.attack-canary.api-key-nobody-may-see';
/** The origin of every link, from local.settings.json.example. */
export const siteOrigin = 'http://codalab.org';
export const goodPassword = 'correct horse battery staple';
/** What `addAccount` stores. */
export const oldHash = 'pbkdf2_sha256$1$salt$AAAA';

export type Target = Awaited<ReturnType<typeof startTarget>>;

let victims = 0;

/** @param options as for `startApp`; several apps may share one SendGrid */
export async function startTarget({
  env,
  sendgrid: given,
  ...options
}: AppOptions & { readonly sendgrid?: ScriptedSendGrid } = {}) {
  const sendgrid = given ?? (await startScriptedSendGrid());
  const provider = { EMAIL_BACKEND: 'sendgrid', SENDGRID_API_KEY: apiKey, SENDGRID_API_URL: sendgrid.url };
  const app = await startApp({ timers: false, ...options, env: { LIMIT_PER_IP: 'off', ...provider, ...env } });
  /** Everything that must not be found anywhere; grows with what a test uses. */
  const secrets = [apiKey, goodPassword];
  const stored: string[] = [];
  const mails = (): SentMail[] => sendgrid.requests.map(sentMailOf);
  /** Waits until so many mails went to this address. */
  const mailsTo = (address: string, count: number): Promise<SentMail[]> =>
    eventually(() => {
      const found = mails().filter(({ to }) => to === address);
      return found.length >= count ? found : undefined;
    });
  const request = (email: unknown, headers?: Record<string, string>): Promise<AppAnswer> =>
    app.post('password-reset/request', { email }, headers);
  const reported = (): number => app.host.output().split('"event":"sendMail"').length - 1;
  return {
    app,
    sendgrid,
    secrets,
    stored,
    mails,
    mailsTo,
    /** An account of its own for a case. @returns its address */
    victim: async (columns: Partial<Parameters<typeof addAccount>[1]> = {}): Promise<string> => {
      const email = columns.email ?? `victim-${++victims}-${process.pid}@somewhere.com`;
      await addAccount(app, { username: `victim${victims}`, ...columns, email });
      stored.push(email);
      secrets.push(email);
      return email;
    },
    request,
    check: (key: unknown) => app.post('password-reset/check', { key }),
    redeem: (key: unknown, newPassword: unknown = goodPassword) => {
      if (typeof newPassword === 'string') secrets.push(newPassword);
      return app.post('password-reset/redeem', { key, newPassword });
    },
    /** A key from a mail to this address. */
    keyFor: async (address: string) => {
      const before = mails().filter(({ to }) => to === address).length;
      await request(address);
      const { key = '' } = (await mailsTo(address, before + 1))[before] ?? {};
      secrets.push(key);
      return key;
    },
    row: (address: string, id?: string) => readAccount(app, address, id),
    /** Waits until so many handled messages have been reported. */
    settled: async (requests: number) => {
      await eventually(() => (reported() >= requests ? true : undefined));
    },
    /** Waits until there is no message left that is visible, and nothing was sent for a moment. */
    settledQueue: async () => {
      let before = -1;
      await eventually(async () => {
        const visible = (await messagesOf(app.storage, 'outgoing-mail')).length;
        const now = reported();
        const settled = visible === 0 && now === before;
        before = now;
        return settled ? true : new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), 200));
      });
    },
    /** I1, I4 and I6 over everything that happened, then the end of both processes. */
    checkAndStop: async () => {
      const sent = mails();
      secrets.push(...sent.map(({ key }) => key));
      expect(app.host.output()).toContain('"event":"answered"'); // the search below has something to search
      await expectNothingLeaked(app.host.output(), app.storage, secrets);
      await expectNoSilence(app.storage, sent);
      expectMailsToStoredOnly(sent, stored, siteOrigin);
      await app.stop();
      if (given === undefined) await sendgrid.close();
    },
  };
}
