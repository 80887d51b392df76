// POST api/password-reset/request and its twin for a site's own server: somebody asks for a reset mail.
import { app } from '@azure/functions';
import { z } from 'zod';
import { parseAddress } from '../shared/address';
import { jsonAnswer, problemAnswer } from '../shared/http/answer';
import { readJsonBody } from '../shared/http/jsonBody';
import { acceptedLocale } from '../shared/locales';
import { requestReset } from '../shared/resetFlow';
import { isLocale } from '../shared/site';
import { clientOf, overLimit, type Caller } from './clientOf';
import { emit, httpEndpoint, type Endpoint, type ServicesSource } from './invocation';

const fields = { email: z.string(), locale: z.string().max(35).refine(isLocale).optional() };
const bodies = {
  public: z.strictObject({ ...fields, clientIp: z.never().optional() }),
  backend: z.strictObject({ ...fields, clientIp: z.string().max(64).optional() }),
};

const answerRequest =
  (caller: Caller): Endpoint =>
  async (services, request, signal) => {
    const read = await readJsonBody(request, bodies[caller]);
    if (read.outcome === 'refused') return read.answer;
    const { email: typed, locale, clientIp } = read.body;
    const email = parseAddress(typed);
    if (email === undefined)
      return problemAnswer('invalid_request', { detail: 'The field "email" is not an e-mail address.' });
    const client = clientOf(caller, services, request, clientIp);
    const refused = overLimit(services, 'request', client);
    if (refused !== undefined) return refused;
    // A site's own server sends its own Accept-Language, not the person's.
    const language =
      locale ?? (caller === 'public' ? acceptedLocale(request.headers.get('accept-language')) : undefined);
    const asker = { ...(client !== undefined && { client }), ...(language !== undefined && { locale: language }) };
    const mailId = await requestReset(services, email, asker, signal);
    emit({ event: 'requestReset', mailId });
    return jsonAnswer(202, { status: 'accepted' });
  };

/** Registers `requestReset` and `backendRequestReset`. */
export function registerRequestReset(source: ServicesSource): void {
  app.http('requestReset', {
    route: 'api/password-reset/request',
    methods: ['POST', 'OPTIONS'],
    authLevel: 'anonymous',
    handler: httpEndpoint('requestReset', source, answerRequest('public')),
  });
  app.http('backendRequestReset', {
    route: 'api/backend/password-reset/request',
    methods: ['POST'],
    authLevel: 'function',
    handler: httpEndpoint('requestReset', source, answerRequest('backend')),
  });
}
