// An app that mails through a scripted SendGrid, with an operator among its recipients.
import { startScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { startApp } from './app';

export async function createScriptedAdmins() {
  const sendgrid = await startScriptedSendGrid();
  const app = await startApp({
    timers: false, // a report at the full minute would be the one mail of the quarter
    env: {
      EMAIL_BACKEND: 'sendgrid',
      SENDGRID_API_KEY: 'SG.admins-test',
      SENDGRID_API_URL: sendgrid.url,
      ADMINS: 'admin@codalab.org',
    },
  });
  return {
    app,
    sendgrid,
    mailsToAdmins: () =>
      sendgrid.requests
        .map(({ body }) => body as SendGridBody)
        .map(({ personalizations, from, content }) => ({
          to: personalizations[0]?.to[0]?.email,
          from: from.email,
          text: content[0]?.value ?? '',
        }))
        .filter(({ to }) => to === 'admin@codalab.org'),
    close: async () => {
      await app.stop();
      await sendgrid.close();
    },
  };
}

interface SendGridBody {
  readonly personalizations: readonly { readonly to: readonly { readonly email: string }[] }[];
  readonly from: { readonly email: string };
  readonly content: readonly { readonly value: string }[];
}
