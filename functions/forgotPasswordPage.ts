// accounts/password/reset/ asks for the address; …/done/ says that a mail may be on its way.
import { parseAddress } from '../shared/address';
import type { Answer } from '../shared/http/message';
import { checkInboxPage, forgotPasswordPage, problemPage, type Page } from '../shared/pages/pages';
import { requestReset } from '../shared/resetFlow';
import { readPageForm, requesterOf, withPageLimit, type PageRequest } from './pageEndpoint';

export async function answerForgotPassword(call: PageRequest): Promise<Page | Answer> {
  if (call.request.method !== 'POST') return forgotPasswordPage();
  const form = await readPageForm(call);
  if (typeof form === 'function') return form;
  const typed = form.get('email') ?? '';
  const email = parseAddress(typed);
  if (email === undefined) {
    return forgotPasswordPage({ typed, problem: /^\s*$/.test(typed) ? 'missing' : 'malformed' });
  }
  // As the API: one storage call, and an answer that depends on nothing but the typed address. It is the page itself, since a
  // redirect would put the address into a URL.
  return withPageLimit(call, 'request', async () => {
    await requestReset(call.services, email, requesterOf(call));
    return checkInboxPage(call.services.settings.resetKeyTtlMinutes, email);
  });
}

export function answerCheckInbox({ request, services }: PageRequest): Page {
  return request.method === 'POST' ? problemPage('not_found') : checkInboxPage(services.settings.resetKeyTtlMinutes);
}
