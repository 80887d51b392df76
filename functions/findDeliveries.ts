// POST api/deliveries/find, with a function key: what happened to the mails of an address. POST, so that no address is in a URL.
import { app } from '@azure/functions';
import { z } from 'zod';
import { parseAddress, addressHashOf } from '../shared/address';
import { jsonAnswer, problemAnswer } from '../shared/http/answer';
import { readJsonBody } from '../shared/http/jsonBody';
import { httpEndpoint, type Endpoint, type ServicesSource } from './invocation';

const bodySchema = z.strictObject({ email: z.string() });

const answerFind: Endpoint = async (services, request, signal) => {
  const read = await readJsonBody(request, bodySchema);
  if (read.outcome === 'refused') return read.answer;
  const email = parseAddress(read.body.email);
  if (email === undefined)
    return problemAnswer('invalid_request', { detail: 'The field "email" is not an e-mail address.' });
  const found = await services.deliveries.findBySubject(addressHashOf(email), signal);
  const deliveries = found.map(({ id, kind, state, attempt, reason, backend, acceptedAt, updatedAt, provider }) => {
    return { id, kind, state, attempt, reason, backend, acceptedAt, updatedAt, provider };
  });
  return jsonAnswer(200, { deliveries });
};

/** Registers `findDeliveries`. */
export function registerFindDeliveries(source: ServicesSource): void {
  app.http('findDeliveries', {
    route: 'api/deliveries/find',
    methods: ['POST'],
    authLevel: 'function',
    handler: httpEndpoint('findDeliveries', source, answerFind),
  });
}
