// POST api/password-reset/check and its twin for a site's own server: does this reset key still work? Reads only.
import { app } from '@azure/functions';
import { z } from 'zod';
import { jsonAnswer, problemAnswer } from '../shared/http/answer';
import { readJsonBody } from '../shared/http/jsonBody';
import { checkKey } from '../shared/resetFlow';
import { clientOf, overLimit, type Caller } from './clientOf';
import { emit, httpEndpoint, type Endpoint, type ServicesSource } from './invocation';

const bodies = {
  public: z.strictObject({ key: z.string(), clientIp: z.never().optional() }),
  backend: z.strictObject({ key: z.string(), clientIp: z.string().max(64).optional() }),
};

const answerCheck =
  (caller: Caller): Endpoint =>
  async (services, request, signal) => {
    const read = await readJsonBody(request, bodies[caller]);
    if (read.outcome === 'refused') return read.answer;
    const refused = overLimit(services, 'check', clientOf(caller, services, request, read.body.clientIp));
    if (refused !== undefined) return refused;
    const checked = await checkKey(services, read.body.key, signal);
    emit({ event: 'checkKey', outcome: checked.outcome });
    if (checked.outcome !== 'live') return problemAnswer(checked.outcome);
    return jsonAnswer(200, { username: checked.username, expiresAt: checked.expiresAt.toISOString() });
  };

/** Registers `checkKey` and `backendCheckKey`. */
export function registerCheckKey(source: ServicesSource): void {
  app.http('checkKey', {
    route: 'api/password-reset/check',
    methods: ['POST', 'OPTIONS'],
    authLevel: 'anonymous',
    handler: httpEndpoint('checkKey', source, answerCheck('public')),
  });
  app.http('backendCheckKey', {
    route: 'api/backend/password-reset/check',
    methods: ['POST'],
    authLevel: 'function',
    handler: httpEndpoint('checkKey', source, answerCheck('backend')),
  });
}
