// Holds real answers against the OpenAPI document that the app serves.
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { openapiDocument } from '../../functions/apiCalls';

const openapi = openapiDocument();
const documentId = 'https://openapi.example/document';
// `strict: false`: a document is more than schemas, and a schema may hold OpenAPI's own words.
const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema({ ...openapi, $id: documentId }, documentId, false, false);

/** What a test got; `AppAnswer` and `PageAnswer` fit. */
export interface RealAnswer {
  readonly status: number;
  readonly headers: { get(name: string): string | null };
  readonly text?: string;
  readonly html?: string;
}

interface Documented {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, unknown>>;
}
type Operation = { readonly responses: Readonly<Record<string, Documented>> };

const pointer = (...parts: string[]): string =>
  `${documentId}#/${parts.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/')}`;

/**
 * Fails unless the answer is documented: its status, its content type, the headers that must be there, and its body.
 * @param method in any case
 * @param route the documented path, with its `{key}`: `/api/password-reset/check`, `/accounts/password/reset/key/{key}/`
 */
export function expectDocumented(method: string, route: string, answer: RealAnswer): void {
  const verb = method.toLowerCase();
  const operation = (openapi.paths[route] as Record<string, Operation> | undefined)?.[verb];
  if (operation === undefined) throw new Error(`${method} ${route} is not documented`);
  const documented = operation.responses[answer.status];
  if (documented === undefined) throw new Error(`${method} ${route}: the status ${answer.status} is not documented`);
  for (const [name, { required }] of Object.entries(documented.headers ?? {})) {
    if (required === true) expect([route, name, answer.headers.get(name)]).toEqual([route, name, expect.any(String)]);
  }
  const body = answer.text ?? answer.html ?? '';
  const types = Object.keys(documented.content ?? {});
  if (types.length === 0) return expect([route, body]).toEqual([route, '']);
  const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
  expect([route, answer.status, types]).toEqual([route, answer.status, expect.arrayContaining([type])]);
  if (!type.endsWith('json')) return;
  const $ref = pointer('paths', route, verb, 'responses', String(answer.status), 'content', type, 'schema');
  const validate = ajv.compile({ $ref });
  if (!validate(JSON.parse(body))) {
    throw new Error(`${method} ${route} ${answer.status}: ${ajv.errorsText(validate.errors)}`);
  }
}
