// The page behind the link, accounts/password/reset/key/{key}/, and …/key/done/: one function, so that route order cannot matter.
// A GET only reads: link scanners may open it any number of times.
import type { Answer } from '../shared/http/message';
import { isEmbedded, type PageRequest, readPageForm, requesterOf, withPageLimit } from './pageEndpoint';
import * as pages from '../shared/pages/pages';
import type { KeyRefusal } from '../shared/resetLinks';
import type { PasswordProblem } from '../shared/password/passwordRules';
import { checkKey, redeemKey, resendReset } from '../shared/resetFlow';
import { verifyResetKey } from '../shared/resetKey';

export async function answerNewPassword(call: PageRequest): Promise<pages.Page | Answer> {
  const key = (call.request.params['rest'] ?? '').replace(/\/$/, '');
  const isPost = call.request.method === 'POST';
  if (key === 'done') return isPost ? pages.problemPage('not_found') : pages.passwordSetPage;
  if (!isPost) return answerVisit(call, key);
  const form = await readPageForm(call);
  if (typeof form === 'function') return form;
  return form.get('action') === 'resend'
    ? withPageLimit(call, 'request', () => answerResend(call, key))
    : withPageLimit(call, 'redeem', () => answerRedeem(call, key, form));
}

/**
 * A visit of the link. Only a key that we signed is charged to the limit, and none that another site's page loads: else any page
 * could spend the limit of the people who look at it.
 */
async function answerVisit(call: PageRequest, key: string): Promise<pages.Page | Answer> {
  if (isEmbedded(call.request.headers)) return pages.problemPage('cross_site');
  const { outcome } = verifyResetKey(call.services.settings, key, call.services.clock());
  if (outcome === 'invalid') return pages.invalidLinkPage;
  return withPageLimit(call, 'check', () => showForm(call, key));
}

/** The form for a live key, with what was wrong if there was a try; else why the link does not work. */
async function showForm(call: PageRequest, key: string, problem?: pages.NewPassword['problem']): Promise<pages.Page> {
  const checked = await checkKey(call.services, key);
  if (checked.outcome !== 'live') return refusal(key, checked.outcome);
  const { minLength } = call.services.settings.password;
  return pages.newPasswordPage({ key, username: checked.username, minLength, problem });
}

const refusal = (key: string, outcome: KeyRefusal): pages.Page =>
  outcome === 'invalid_key' ? pages.invalidLinkPage : pages.deadLinkPage(key, outcome);

async function answerRedeem(
  call: PageRequest,
  key: string,
  form: ReadonlyMap<string, string>,
): Promise<pages.Page | Answer> {
  const newPassword = form.get('newPassword') ?? '';
  const again = form.get('newPasswordAgain');
  if (newPassword === '') return showForm(call, key, 'missing');
  if (again !== undefined && again !== newPassword) return showForm(call, key, 'mismatch');
  const redeemed = await redeemKey(call.services, key, newPassword);
  switch (redeemed.outcome) {
    case 'changed':
      return pages.seeOther(pages.paths.passwordSet);
    case 'rejected_password':
      return showForm(call, key, mistakeOf(redeemed.problems[0]));
    case 'busy':
      return pages.problemPage('unavailable', 2);
    case 'invalid_key':
    case 'expired_key':
    case 'used_key':
      return refusal(key, redeemed.outcome);
  }
}

const mistakeOf = (problem: PasswordProblem | undefined): pages.NewPassword['problem'] =>
  problem?.code === 'site_rule' ? { siteRule: problem.message } : (problem?.code ?? 'too_common');

async function answerResend(call: PageRequest, key: string): Promise<pages.Page | Answer> {
  const resent = await resendReset(call.services, key, requesterOf(call));
  if (resent.outcome === 'invalid_key') return pages.invalidLinkPage;
  return pages.seeOther(pages.paths.checkInbox);
}
