// The pages accounts/password/reset/ (asks for the address) and …/done/ (says that a mail may be on its way).
import { app } from '@azure/functions';
import { parseAddress } from '../shared/address';
import type { Answer } from '../shared/http/answer';
import { askPage, problemPage, seeOther, sentPage } from '../shared/pages/pages';
import { sentPath } from '../shared/pages/paths';
import { requestReset } from '../shared/resetFlow';
import { emit, type ServicesSource } from './invocation';
import { askerOf, contextOf, overPageLimit, pageEndpoint, readPageForm, type PageCall } from './pageEndpoint';

async function answerAsk(page: PageCall): Promise<Answer> {
  if (page.request.method !== 'POST') return askPage(await contextOf(page));
  const form = await readPageForm(page);
  if ('refused' in form) return form.refused;
  const typed = form.get('email') ?? '';
  const email = parseAddress(typed);
  if (email === undefined) {
    return askPage(await contextOf(page), { typed, problem: /^\s*$/.test(typed) ? 'missing' : 'malformed' });
  }
  const refused = overPageLimit(page, 'request');
  if (refused !== undefined) return refused;
  // As the API: one storage call, the same answer for every well-formed address.
  const mailId = await requestReset(page.services, email, askerOf(page), page.signal);
  emit({ event: 'requestReset', mailId });
  return seeOther(sentPath);
}

async function answerSent(page: PageCall): Promise<Answer> {
  const context = await contextOf(page);
  if (page.request.method === 'POST') return problemPage(context, 'notFound');
  return sentPage(context, page.services.settings.resetKeyTtlMinutes);
}

/** Registers `askPage` and `sentPage`. */
export function registerAskPage(source: ServicesSource): void {
  app.http('askPage', {
    route: 'accounts/password/reset',
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler: pageEndpoint('askPage', source, answerAsk),
  });
  app.http('sentPage', {
    route: 'accounts/password/reset/done',
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler: pageEndpoint('sentPage', source, answerSent),
  });
}
