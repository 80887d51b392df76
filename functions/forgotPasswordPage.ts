// accounts/password/reset/ asks for the address, …/done/ says that a mail may be on its way, and .well-known/change-password is
// where password managers send people.
import { app } from '@azure/functions';
import { parseAddress } from '../shared/address';
import { commonHeaders } from '../shared/http/answer';
import { checkInboxPage, forgotPasswordPage, paths, problemPage, type Page } from '../shared/pages/pages';
import { requestReset } from '../shared/resetFlow';
import { emit, httpEndpoint, type ServicesSource } from './invocation';
import { overPageLimit, pageEndpoint, readPageForm, requesterOf, type PageCall } from './pageEndpoint';

async function answerForgotPassword(call: PageCall): Promise<Page> {
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
  // As the API: one storage call, and an answer that depends on nothing but the typed address. The page itself is the answer,
  // since a redirect would put the address into a URL.
  const mailId = await requestReset(call.services, email, requesterOf(call), call.signal);
  emit({ event: 'requestReset', mailId });
  return checkInboxPage(call.services.settings.resetKeyTtlMinutes, email);
}

function answerCheckInbox({ request, services }: PageCall): Page {
  return request.method === 'POST' ? problemPage('not_found') : checkInboxPage(services.settings.resetKeyTtlMinutes);
}

/** Registers `forgotPasswordPage`, `checkInboxPage`, `unknownPage` and `changePassword`. */
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
  // Whatever else there is below. The host tries routes in the order of function names, and this name is the last one.
  app.http('unknownPage', {
    route: 'accounts/password/reset/{*rest}',
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler: pageEndpoint('unknownPage', source, () => problemPage('not_found')),
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
