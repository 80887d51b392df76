// POST api/password-reset/redeem and its twin for a site's own server: set the new password.
import { app } from '@azure/functions';
import { z } from 'zod';
import { jsonAnswer, problemAnswer } from '../shared/http/answer';
import { readJsonBody } from '../shared/http/jsonBody';
import { redeemKey } from '../shared/resetFlow';
import { clientOf, overLimit, type Caller } from './clientOf';
import { emit, httpEndpoint, type Endpoint, type ServicesSource } from './invocation';

const fields = { key: z.string(), newPassword: z.string() };
const bodies = {
  public: z.strictObject({ ...fields, clientIp: z.never().optional() }),
  backend: z.strictObject({ ...fields, clientIp: z.string().max(64).optional() }),
};

const answerRedeem =
  (caller: Caller): Endpoint =>
  async (services, request, signal) => {
    const read = await readJsonBody(request, bodies[caller]);
    if (read.outcome === 'refused') return read.answer;
    const { key, newPassword, clientIp } = read.body;
    const refused = overLimit(services, 'redeem', clientOf(caller, services, request, clientIp));
    if (refused !== undefined) return refused;
    const redeemed = await redeemKey(services, key, newPassword, signal);
    emit({ event: 'redeemKey', outcome: redeemed.outcome });
    switch (redeemed.outcome) {
      case 'changed':
        return jsonAnswer(200, { status: 'changed', username: redeemed.username });
      case 'rejected_password':
        return problemAnswer('rejected_password', { errors: redeemed.problems });
      case 'invalid_key':
      case 'expired_key':
      case 'used_key':
        return problemAnswer(redeemed.outcome);
    }
  };

/** Registers `redeemKey` and `backendRedeemKey`. */
export function registerRedeemKey(source: ServicesSource): void {
  app.http('redeemKey', {
    route: 'api/password-reset/redeem',
    methods: ['POST', 'OPTIONS'],
    authLevel: 'anonymous',
    handler: httpEndpoint('redeemKey', source, answerRedeem('public')),
  });
  app.http('backendRedeemKey', {
    route: 'api/backend/password-reset/redeem',
    methods: ['POST'],
    authLevel: 'function',
    handler: httpEndpoint('redeemKey', source, answerRedeem('backend')),
  });
}
