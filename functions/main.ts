// The composition root, and what the bundle is made of: settings → services → one registration per trigger.
import { readConfig } from '../shared/config';
import { buildServices, type Services } from '../shared/services';
import { registerCheckKey } from './checkKey';
import { registerFindDeliveries } from './findDeliveries';
import { registerForgotPasswordPage } from './forgotPasswordPage';
import { registerHealth } from './health';
import { emit } from './invocation';
import { registerIssueLinks } from './issueLinks';
import { registerNewPasswordPage } from './newPasswordPage';
import { registerOpenapi } from './openapi';
import { registerPurgeExpired } from './purgeExpired';
import { registerRedeemKey } from './redeemKey';
import { registerReportPoisonMail } from './reportPoisonMail';
import { registerRequestReset } from './requestReset';
import { registerSeedSite } from './seedSite';
import { registerSendgridWebhook } from './sendgridWebhook';
import { registerSendMail } from './sendMail';

const settings = readConfig();
let services: Promise<Services> | undefined;

const source = (): Promise<Services> => {
  if (!settings.ok) throw new Error('the settings are bad'); // only health is registered then, and it does not ask
  services ??= buildServices(settings.config, emit).catch((error: unknown) => {
    services = undefined; // the next call tries again
    throw error;
  });
  return services;
};

registerHealth(settings, source);
if (settings.ok) {
  registerRequestReset(source);
  registerCheckKey(source);
  registerRedeemKey(source);
  registerForgotPasswordPage(source);
  registerNewPasswordPage(source);
  registerOpenapi(source);
  registerSendMail(source);
  registerSeedSite(source, settings.config.development);
  registerReportPoisonMail(source);
  registerPurgeExpired(source);
  registerFindDeliveries(source);
  registerSendgridWebhook(source);
  if (settings.config.linksEndpoint) registerIssueLinks(source);
} else {
  // No other trigger: messages wait in the queue instead of being poisoned.
  emit({ event: 'badSettings', level: 'error', problems: settings.problems });
}
