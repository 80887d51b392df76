// The page behind the link, accounts/password/reset/key/{key}/, and …/key/done/: one function, so that route order cannot matter.
// Opening it only reads: link scanners may do so any number of times.
import { app } from '@azure/functions';
import type { Answer } from '../shared/http/answer';
import { isEmbedded } from '../shared/http/pageOrigin';
import * as pages from '../shared/pages/pages';
import { passwordSetPath, sentPath } from '../shared/pages/paths';
import { resendReset } from '../shared/resendReset';
import { checkKey, redeemKey, type KeyRefusal } from '../shared/resetFlow';
import { verifyResetKey } from '../shared/resetKey';
import { emit, type ServicesSource } from './invocation';
import { askerOf, contextOf, overPageLimit, pageEndpoint, readPageForm, type PageCall } from './pageEndpoint';

async function answerKey(page: PageCall): Promise<Answer> {
  const key = (page.request.params['rest'] ?? '').replace(/\/$/, '');
  const isPost = page.request.method === 'POST';
  if (key === 'done') {
    const context = await contextOf(page);
    return isPost ? pages.problemPage(context, 'notFound') : pages.passwordSetPage(context);
  }
  if (!isPost) return answerVisit(page, key);
  const form = await readPageForm(page);
  if ('refused' in form) return form.refused;
  return form.get('action') === 'resend' ? answerResend(page, key) : answerRedeem(page, key, form);
}

/**
 * A visit of the link. Only a key that we signed is charged to the limit, and none that another site's page loads: else any page
 * could spend the limit of the people who look at it.
 */
async function answerVisit(page: PageCall, key: string): Promise<Answer> {
  if (isEmbedded(page.request.headers)) return pages.problemPage(await contextOf(page), 'crossSite');
  const { outcome } = verifyResetKey(page.services.settings, key, page.services.clock());
  if (outcome === 'invalid') return pages.invalidLinkPage(await contextOf(page));
  return overPageLimit(page, 'check') ?? showForm(page, key);
}

type Problem = Exclude<pages.NewPassword['problem'], undefined>;

/** The form for a live key, with what was wrong if there was a try; else why the link does not work. */
async function showForm(page: PageCall, key: string, problem?: Problem): Promise<Answer> {
  const checked = await checkKey(page.services, key, page.signal);
  emit({ event: 'checkKey', outcome: checked.outcome });
  if (checked.outcome !== 'live') return refusal(page, key, checked.outcome);
  const { minLength } = page.services.settings.password;
  const { username } = checked;
  return pages.newPasswordPage(await contextOf(page), { key, username, minLength, ...(problem && { problem }) });
}

async function refusal(page: PageCall, key: string, outcome: KeyRefusal): Promise<Answer> {
  const context = await contextOf(page);
  return outcome === 'invalid_key' ? pages.invalidLinkPage(context) : pages.deadLinkPage(context, key, outcome);
}

async function answerRedeem(page: PageCall, key: string, form: ReadonlyMap<string, string>): Promise<Answer> {
  const refused = overPageLimit(page, 'redeem');
  if (refused !== undefined) return refused;
  const newPassword = form.get('newPassword') ?? '';
  const again = form.get('newPasswordAgain');
  if (newPassword === '') return showForm(page, key, 'missing');
  if (again !== undefined && again !== newPassword) return showForm(page, key, 'mismatch');
  const redeemed = await redeemKey(page.services, key, newPassword, page.signal);
  emit({ event: 'redeemKey', outcome: redeemed.outcome });
  switch (redeemed.outcome) {
    case 'changed':
      return pages.seeOther(passwordSetPath);
    case 'rejected_password':
      return showForm(page, key, redeemed.problems[0]?.code ?? 'too_common');
    case 'invalid_key':
    case 'expired_key':
    case 'used_key':
      return refusal(page, key, redeemed.outcome);
  }
}

async function answerResend(page: PageCall, key: string): Promise<Answer> {
  const refused = overPageLimit(page, 'request');
  if (refused !== undefined) return refused;
  const resent = await resendReset(page.services, key, askerOf(page), page.signal);
  if (resent.outcome === 'invalid_key') return pages.invalidLinkPage(await contextOf(page));
  emit({ event: 'resendReset', mailId: resent.mailId });
  return pages.seeOther(sentPath);
}

/** Registers `keyPage`. The whole rest of the path: a link with something behind it gets a page, too. */
export function registerKeyPage(source: ServicesSource): void {
  app.http('keyPage', {
    route: 'accounts/password/reset/key/{*rest}',
    methods: ['GET', 'HEAD', 'POST'],
    authLevel: 'anonymous',
    handler: pageEndpoint('keyPage', source, answerKey),
  });
}
