// The page behind the link, accounts/password/reset/key/{key}/, and …/key/done/: one function, so that route order cannot matter.
// A GET only reads: link scanners may open it any number of times.
import { app } from '@azure/functions';
import type { Answer } from '../shared/http/answer';
import { isEmbedded } from '../shared/http/pageOrigin';
import * as pages from '../shared/pages/pages';
import { resendReset } from '../shared/resendReset';
import { checkKey, redeemKey, type KeyRefusal } from '../shared/resetFlow';
import { verifyResetKey } from '../shared/resetKey';
import { emit, type ServicesSource } from './invocation';
import { overPageLimit, pageEndpoint, readPageForm, requesterOf, type PageCall } from './pageEndpoint';

async function answerNewPassword(call: PageCall): Promise<pages.Page | Answer> {
  const key = (call.request.params['rest'] ?? '').replace(/\/$/, '');
  const isPost = call.request.method === 'POST';
  if (key === 'done') return isPost ? pages.problemPage('not_found') : pages.passwordSetPage;
  if (!isPost) return answerVisit(call, key);
  const form = await readPageForm(call);
  if (typeof form === 'function') return form;
  return form.get('action') === 'resend' ? answerResend(call, key) : answerRedeem(call, key, form);
}

/**
 * A visit of the link. Only a key that we signed is charged to the limit, and none that another site's page loads: else any page
 * could spend the limit of the people who look at it.
 */
async function answerVisit(call: PageCall, key: string): Promise<pages.Page> {
  if (isEmbedded(call.request.headers)) return pages.problemPage('cross_site');
  const { outcome } = verifyResetKey(call.services.settings, key, call.services.clock());
  if (outcome === 'invalid') return pages.invalidLinkPage;
  return overPageLimit(call, 'check') ?? showForm(call, key);
}

/** The form for a live key, with what was wrong if there was a try; else why the link does not work. */
async function showForm(call: PageCall, key: string, problem?: pages.PasswordMistake): Promise<pages.Page> {
  const checked = await checkKey(call.services, key, call.signal);
  emit({ event: 'checkKey', outcome: checked.outcome });
  if (checked.outcome !== 'live') return refusal(key, checked.outcome);
  const { minLength } = call.services.settings.password;
  return pages.newPasswordPage({ key, username: checked.username, minLength, problem });
}

const refusal = (key: string, outcome: KeyRefusal): pages.Page =>
  outcome === 'invalid_key' ? pages.invalidLinkPage : pages.deadLinkPage(key, outcome);

async function answerRedeem(
  call: PageCall,
  key: string,
  form: ReadonlyMap<string, string>,
): Promise<pages.Page | Answer> {
  const refused = overPageLimit(call, 'redeem');
  if (refused !== undefined) return refused;
  const newPassword = form.get('newPassword') ?? '';
  const again = form.get('newPasswordAgain');
  if (newPassword === '') return showForm(call, key, 'missing');
  if (again !== undefined && again !== newPassword) return showForm(call, key, 'mismatch');
  const redeemed = await redeemKey(call.services, key, newPassword, call.signal);
  emit({ event: 'redeemKey', outcome: redeemed.outcome });
  switch (redeemed.outcome) {
    case 'changed':
      return pages.seeOther(pages.paths.passwordSet);
    case 'rejected_password':
      return showForm(call, key, redeemed.problems[0]?.code ?? 'too_common');
    case 'invalid_key':
    case 'expired_key':
    case 'used_key':
      return refusal(key, redeemed.outcome);
  }
}

async function answerResend(call: PageCall, key: string): Promise<pages.Page | Answer> {
  const refused = overPageLimit(call, 'request');
  if (refused !== undefined) return refused;
  const resent = await resendReset(call.services, key, requesterOf(call), call.signal);
  if (resent.outcome === 'invalid_key') return pages.invalidLinkPage;
  emit({ event: 'resendReset', mailId: resent.mailId });
  return pages.seeOther(pages.paths.checkInbox);
}

/** Registers `newPasswordPage`. The whole rest of the path: a link with something behind it gets a page, too. */
export function registerNewPasswordPage(source: ServicesSource): void {
  app.http('newPasswordPage', {
    route: 'accounts/password/reset/key/{*rest}',
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler: pageEndpoint('newPasswordPage', source, answerNewPassword),
  });
}
