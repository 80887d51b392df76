// POST api/password-reset/links, with a function key: support gets links without mail. Off unless LINKS_ENDPOINT=on.
import { app } from '@azure/functions';
import { z } from 'zod';
import { parseAddress, addressHashOf } from '../shared/address';
import { jsonAnswer, problemAnswer } from '../shared/http/answer';
import { readJsonBody } from '../shared/http/jsonBody';
import { issueLinks } from '../shared/issueLinks';
import { emit, httpEndpoint, type Endpoint, type ServicesSource } from './invocation';

const bodySchema = z.strictObject({ email: z.string() });
const retryAfterSeconds = 300;

const answerLinks: Endpoint = async (services, request, signal) => {
  const read = await readJsonBody(request, bodySchema);
  if (read.outcome === 'refused') return read.answer;
  const email = parseAddress(read.body.email);
  if (email === undefined)
    return problemAnswer('invalid_request', { detail: 'The field "email" is not an e-mail address.' });
  const issued = await issueLinks(services, email, signal);
  // The audit: who asked is in the host's log of the function key; for whom is the hash of the address.
  const audit = { event: 'linksIssued', level: 'warn', sub: addressHashOf(email), outcome: issued.outcome } as const;
  if (issued.outcome === 'over') {
    emit(audit);
    return problemAnswer('too_many_requests', { retryAfterSeconds });
  }
  emit({ ...audit, count: issued.links.length, noticeIds: issued.noticeIds });
  return jsonAnswer(200, { links: issued.links });
};

/** Registers `issueLinks`; call it only when the endpoint is switched on. */
export function registerIssueLinks(source: ServicesSource): void {
  app.http('issueLinks', {
    route: 'api/password-reset/links',
    methods: ['POST'],
    authLevel: 'function',
    handler: httpEndpoint('issueLinks', source, answerLinks),
  });
}
