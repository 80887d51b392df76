// accounts/password/reset/ asks for the address, …/done/ says that a mail may be on its way, and .well-known/change-password is
// where password managers send people.
import { app } from '@azure/functions';
import { parseAddress } from '../shared/address';
import { commonHeaders, type Answer } from '../shared/http/answer';
import { checkInboxPage, forgotPasswordPage, paths, problemPage, seeOther, type Page } from '../shared/pages/pages';
import { requestReset } from '../shared/resetFlow';
import { emit, httpEndpoint, type ServicesSource } from './invocation';
import { overPageLimit, pageEndpoint, readPageForm, requesterOf, type PageCall } from './pageEndpoint';

async function answerForgotPassword(call: PageCall): Promise<Page | Answer> {
  if (call.request.method !== 'POST') return forgotPasswordPage();
  const form = await readPageForm(call);
  if (typeof form === 'function') return form;
  const typed = form.get('email') ?? '';
  const email = parseAddress(typed);
  if (email === undefined) {
    return forgotPasswordPage({ typed, problem: /^\s*$/.test(typed) ? 'missing' : 'malformed' });
  }
  const refused = overPageLimit(call, 'request');
  if (refused !== undefined) return refused;
  // As the API: one storage call, the same answer for every well-formed address.
  const mailId = await requestReset(call.services, email, requesterOf(call), call.signal);
  emit({ event: 'requestReset', mailId });
  return seeOther(paths.checkInbox);
}

function answerCheckInbox({ request, services }: PageCall): Page {
  return request.method === 'POST' ? problemPage('not_found') : checkInboxPage(services.settings.resetKeyTtlMinutes);
}

/** Registers `forgotPasswordPage`, `checkInboxPage` and `changePassword`. */
export function registerForgotPasswordPage(source: ServicesSource): void {
  app.http('forgotPasswordPage', {
    route: 'accounts/password/reset',
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler: pageEndpoint('forgotPasswordPage', source, answerForgotPassword),
  });
  app.http('checkInboxPage', {
    route: 'accounts/password/reset/done',
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler: pageEndpoint('checkInboxPage', source, answerCheckInbox),
  });
  // W3C "A Well-Known URL for Changing Passwords"
  app.http('changePassword', {
    route: '.well-known/change-password',
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    handler: httpEndpoint('changePassword', source, () =>
      Promise.resolve({ status: 302, headers: { ...commonHeaders, Location: paths.forgotPassword } }),
    ),
  });
}
