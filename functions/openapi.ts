// GET api/openapi.json: the description of all HTTP calls, for front ends and their generators. Touches no storage.
import { app } from '@azure/functions';
import { jsonAnswer } from '../shared/http/answer';
import { openapi } from '../shared/openapi';
import { httpEndpoint, type ServicesSource } from './invocation';

/** Registers `openapi`. */
export function registerOpenapi(source: ServicesSource): void {
  app.http('openapi', {
    route: 'api/openapi.json',
    methods: ['GET', 'HEAD'],
    authLevel: 'anonymous',
    handler: httpEndpoint('openapi', source, () => Promise.resolve(jsonAnswer(200, openapi))),
  });
}
