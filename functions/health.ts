// GET api/health for availability tests, GET api/health/details for operators. The only functions that are there when the
// settings are bad, so that a portal shows why nothing else is.
import { app, type HttpHandler } from '@azure/functions';
import type { ConfigResult } from '../shared/config';
import { jsonAnswer, type Answer } from '../shared/http/answer';
import { createHealthCheck, isHealthy } from '../shared/health';
import { emit, httpEndpoint, type ServicesSource } from './invocation';

const check = createHealthCheck();

/** Registers `health` and `healthDetails`. */
export function registerHealth(settings: ConfigResult, source: ServicesSource): void {
  const badSettings =
    (problems: readonly string[], details: boolean): HttpHandler =>
    () => {
      emit({ event: 'badSettings', level: 'error', problems });
      return answer(false, details ? { settings: problems } : {});
    };
  const handler = (name: string, details: boolean): HttpHandler =>
    settings.ok
      ? httpEndpoint(name, source, async (services) => {
          const health = await check(services);
          return answer(isHealthy(health), details ? { settings: 'ok', ...health } : {});
        })
      : badSettings(settings.problems, details);
  app.http('health', {
    route: 'api/health',
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    handler: handler('health', false),
  });
  app.http('healthDetails', {
    route: 'api/health/details',
    methods: ['GET'],
    authLevel: 'function',
    handler: handler('healthDetails', true),
  });
}

const answer = (
  healthy: boolean,
  details: Record<string, unknown>,
): { status: number; headers: Record<string, string>; body?: string } => {
  const made: Answer = jsonAnswer(healthy ? 200 : 503, { status: healthy ? 'ok' : 'unavailable', ...details });
  return { ...made, headers: { ...made.headers } };
};
