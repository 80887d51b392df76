// The table of the pages: one entry per function, with its routes for the OpenAPI document.
import { app, type HttpMethod } from '@azure/functions';
import * as z from 'zod';
import { commonHeaders } from '../shared/http/message';
import type { PageCall } from '../shared/http/openapi';
import { paths, problemPage } from '../shared/pages/pages';
import type { Services } from '../shared/services';
import { answerCheckInbox, answerForgotPassword } from './forgotPasswordPage';
import { answerNewPassword } from './newPasswordPage';
import { pageEndpoint, type AnswerPage } from './pageEndpoint';

const text = z.string().optional();

interface RegisteredPage extends PageCall {
  readonly answer: AnswerPage;
  /** `pageMethods` if absent. */
  readonly methods?: readonly HttpMethod[];
}

const pageMethods: readonly HttpMethod[] = ['GET', 'HEAD', 'POST'];

export const pageCalls: readonly RegisteredPage[] = [
  {
    name: 'forgotPasswordPage',
    route: 'accounts/password/reset',
    operations: {
      [paths.forgotPassword]: {
        get: { summary: 'Asks for the address.', statuses: [200] },
        post: { summary: 'As `requestReset`.', form: z.object({ email: z.string() }), statuses: [200, 400] },
      },
    },
    answer: answerForgotPassword,
  },
  {
    name: 'checkInboxPage',
    route: 'accounts/password/reset/done',
    operations: { [paths.checkInbox]: { get: { summary: 'Says that a mail may be on its way.', statuses: [200] } } },
    answer: answerCheckInbox,
  },
  {
    // One function for the link and for what follows, so that route order cannot matter. A link with something behind it gets a page.
    name: 'newPasswordPage',
    route: 'accounts/password/reset/key/{*rest}',
    operations: {
      '/accounts/password/reset/key/{key}/': {
        get: { summary: 'The page behind the mailed link. Reads only.', statuses: [200, 400, 403, 410] },
        post: {
          summary: 'As `redeemKey`; with `action=resend` it asks for a new mail.',
          form: z.object({
            newPassword: text,
            newPasswordAgain: text,
            username: text,
            action: z.literal('resend').optional(),
          }),
          statuses: [303, 400, 410, 422],
        },
      },
      [paths.passwordSet]: { get: { summary: 'Says that the password is set.', statuses: [200] } },
    },
    answer: answerNewPassword,
  },
  {
    // Whatever else there is below. The host tries routes in the order of function names, and this one comes last.
    name: 'unknownPage',
    route: 'accounts/password/reset/{*rest}',
    operations: {},
    answer: () => problemPage('not_found'),
  },
  {
    name: 'changePassword',
    route: '.well-known/change-password',
    operations: {
      '/.well-known/change-password': {
        get: { summary: 'W3C "A Well-Known URL for Changing Passwords", for password managers.', statuses: [302] },
      },
    },
    methods: ['GET', 'HEAD'],
    answer: () => ({ status: 302, headers: { ...commonHeaders, Location: paths.forgotPassword } }),
  },
];

export function registerPages(services: Services): void {
  for (const { name, route, answer, methods = pageMethods } of pageCalls) {
    const handler = pageEndpoint(name, services, answer);
    app.http(name, { route, methods: [...methods], authLevel: 'anonymous', handler });
  }
}
