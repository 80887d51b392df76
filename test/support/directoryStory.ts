// The whole story on the running app with a site that keeps its own accounts, whatever the site is made of.
import { createSign, generateKeyPairSync } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { z } from 'zod';
import { addressHashOf } from '../../shared/address';
import { hashPassword } from '../../shared/password/passwordHash';
import type { SeedAccount } from '../shared/directory/accountDirectory.contract';
import { eventually, startApp } from './app';
import { startDirectoryFront, type DirectoryFront } from './directoryFront';
import { siteSecret } from './directorySite';
import { expectSameAnswer } from './invariants';
import { nextResetMail, paths, postForm } from './pages';

export interface StorySite {
  /** Of its three calls. */
  readonly url: string;
  readonly seed: (accounts: readonly SeedAccount[]) => Promise<void>;
  /** @returns the session's cookie, or undefined if the password is wrong */
  readonly logIn: (username: string, password: string) => Promise<string | undefined>;
  /** @returns who is logged in, or an empty text */
  readonly me: (cookie?: string) => Promise<string>;
  readonly close: () => unknown;
}

export type Story = Awaited<ReturnType<typeof startStory>>;

const oldPassword = 'the old horse battery';
export const newPassword = 'the new horse battery';
const usernames = ['ada', 'bob', 'carl', 'dora', 'eve', 'fay'];
export const addressOf = (username: string): string => `${username}@example.org`;

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const settings = {
  LIMIT_PER_IP: 'off',
  LIMIT_PER_ADDRESS: 'off',
  SENDGRID_WEBHOOK_PUBLIC_KEY: publicKey.export({ type: 'spki', format: 'der' }).toString('base64'),
};

/** The app and the site, with a peer between them. */
async function startStory(site: StorySite, env: Readonly<Record<string, string>> = {}) {
  const front = await startDirectoryFront(site.url, siteSecret);
  const password = await hashPassword(oldPassword, 'argon2id');
  await site.seed(
    usernames.map((username, index) => {
      return { id: String(index + 1), email: addressOf(username), username, password, isActive: true };
    }),
  );
  const app = await startApp({ timers: false, env: { ...settings, ...front.settings, ...env } });
  return {
    app,
    front,
    site,
    /** Asks for a mail and reads the key in it. */
    keyFor: async (username: string): Promise<string> => {
      const email = addressOf(username);
      return (await nextResetMail(app, () => app.post('password-reset/request', { email }))).key;
    },
    check: (key: string) => app.post('password-reset/check', { key }),
    redeem: (key: string, chosen: string) => app.post('password-reset/redeem', { key, newPassword: chosen }),
    stop: async () => {
      await app.stop();
      front.close();
      await site.close();
      expect([...new Set(front.undocumented)]).toEqual([]);
    },
  };
}

const eventBody = z.object({ type: z.string(), data: z.record(z.string(), z.string()) });

/** The events that the site got of one type and about one account or mail; each signature is verified. */
const eventsAt = ({ calls }: DirectoryFront, type: string, about: string) =>
  calls
    .filter(({ call, body }) => call === 'events' && body.includes(`"${type}"`) && body.includes(`"${about}"`))
    .map(({ headers, body }) => {
      return { id: headers['webhook-id'], ...eventBody.parse(new Webhook(siteSecret).verify(body, headers)) };
    });

export function directoryStory(
  name: string,
  startSite: (passwordFormat: 'encoded' | 'plain') => Promise<StorySite>,
  more: (story: () => Story) => void = () => undefined,
): void {
  describe(`with accounts at ${name}`, () => {
    let story: Story;
    beforeAll(async () => {
      story = await startStory(await startSite('encoded'));
    }, 60_000);
    afterAll(() => story.stop());

    it('a mailed key sets the password that the site takes from then on', async () => {
      const { app, front, site, keyFor, check, redeem } = story;
      const key = await keyFor('ada');
      expect(await check(key)).toMatchObject({ status: 200, json: { username: 'ada' } });
      expect(await redeem(key, newPassword)).toMatchObject({
        status: 200,
        text: '{"status":"changed","username":"ada"}',
      });
      expect(await site.me(await site.logIn('ada', newPassword))).toBe('ada');
      expect(await check(key)).toMatchObject({ status: 410, json: { code: 'used_key' } });

      const isNotice = (mail: string) =>
        mail.includes('The password of your account ada') && mail.includes(`To: ${addressOf('ada')}`);
      await eventually(() => app.mails().find(isNotice));
      const [event, ...repeats] = await eventually(() => {
        const events = eventsAt(front, 'password.changed', '1');
        return events.length > 0 ? events : undefined;
      });
      expect(event?.data['accountId']).toBe('1');
      expect(Math.abs(Date.parse(event?.data['at'] ?? '') - Date.now())).toBeLessThan(60_000);
      expect(new Set([event, ...repeats].map((each) => each?.id)).size).toBe(1);
    });

    it('tells the site of a bounced and of a dropped mail', async () => {
      const { app, front, keyFor } = story;
      const mailIds = async () => {
        await keyFor('dora');
        return [...app.host.output().matchAll(/"outcome":"accepted","mailId":"(\w+)","kind":"passwordReset"/g)];
      };
      for (const [report, type] of [
        ['bounce', 'mail.bounced'],
        ['dropped', 'mail.dropped'],
      ] as const) {
        const before = (await mailIds()).length;
        const mailId = (await eventually(async () => (await mailIds())[before]))[1] ?? '';
        const timestamp = String(Math.floor(Date.now() / 1000));
        const event = { email: addressOf('dora'), event: report, timestamp: Number(timestamp), mail_id: mailId };
        const body = JSON.stringify([{ ...event, sg_event_id: report, sg_message_id: 'x' }]);
        const signature = createSign('sha256').update(`${timestamp}${body}`).sign(privateKey, 'base64');
        const headers = {
          'X-Twilio-Email-Event-Webhook-Signature': signature,
          'X-Twilio-Email-Event-Webhook-Timestamp': timestamp,
        };
        expect(await app.post('webhooks/sendgrid', body, headers)).toMatchObject({ status: 200, json: { noted: 1 } });
        const [told] = await eventually(() => {
          const events = eventsAt(front, type, mailId);
          return events.length > 0 ? events : undefined;
        });
        expect(told?.data).toMatchObject({ mailId, addressHash: addressHashOf(addressOf('dora')) });
      }
    });

    more(() => story);
  });

  describe(`with accounts at ${name}, which gets passwords`, () => {
    let story: Story;
    beforeAll(async () => {
      const env = { ACCOUNT_DIRECTORY_PASSWORD: 'plain', PASSWORD_MIN_LENGTH: '8' };
      story = await startStory(await startSite('plain'), env);
    }, 60_000);
    afterAll(() => story.stop());

    it("its own rules are the person's to read, and the key stays good", async () => {
      const { app, site, keyFor, check, redeem } = story;
      const key = await keyFor('ada');
      const refused = 'q7 battery';
      const words = expect.stringContaining('at least 12 characters');
      expect(await redeem(key, refused)).toMatchObject({
        status: 422,
        json: { code: 'rejected_password', errors: [{ code: 'site_rule', message: words }] },
      });
      expect((await postForm(app, paths.key(key), { newPassword: refused })).html).toEqual(words);
      expect(await check(key)).toMatchObject({ status: 200 });
      expect(await redeem(key, newPassword)).toMatchObject({ status: 200 });
      expect(await redeem(key, newPassword)).toMatchObject({ status: 200 });
      expectSameAnswer(await redeem(key, `${newPassword} 2`), await redeem(key, refused));
      expect(await site.me(await site.logIn('ada', newPassword))).toBe('ada');
      expect(app.host.output()).not.toContain(newPassword);
    });
  });
}
