// The composition root, and what the bundle is made of: settings → services → registrations.
import { app } from '@azure/functions';
import { readConfig } from '../shared/config';
import { buildServices, type Services } from '../shared/services';
import { registerApiCalls, registerHealth } from './apiCalls';
import { registerBackground } from './background';
import { emit } from './edge';
import { registerPages } from './pageCalls';

const settings = readConfig();
let services: Services | undefined;

const source = (): Promise<Services> => {
  if (!settings.ok) throw new Error('the settings are bad'); // only health is registered then, and it does not ask
  services ??= buildServices(settings.config, emit);
  return Promise.resolve(services);
};

registerHealth(settings, source);
if (settings.ok) {
  const { linksEndpoint, development } = settings.config;
  registerApiCalls(source, linksEndpoint);
  registerPages(source);
  registerBackground(source, development);
  app.hook.appTerminate(() => services?.outbox.stop());
} else {
  // No other trigger: messages wait in the queue instead of being poisoned.
  emit({ event: 'badSettings', level: 'error', problems: settings.problems });
}
