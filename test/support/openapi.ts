// Holds real answers against the OpenAPI document that the app serves.
import Ajv2020 from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { openapiDocument } from '../../functions/apiCalls';
import { paths } from '../../shared/pages/pages';

const openapi = openapiDocument();
const documentId = 'https://openapi.example/document';
// `strict: false`: a document is more than schemas, and a schema may hold OpenAPI's own words.
const ajv = addFormats(new Ajv2020({ strict: false, allErrors: true }));
ajv.addSchema({ ...openapi, $id: documentId }, documentId, false, false);

interface Documented {
  readonly headers?: Readonly<Record<string, { readonly required?: boolean }>>;
  readonly content?: Readonly<Record<string, unknown>>;
}
type Operation = { readonly responses: Readonly<Record<string, Documented>> };

/**
 * Every answer that a test gets is documented: its status, its content type, the headers that must be there, and its body. Only a 404 need not be.
 * @param path as called, such as `/api/password-reset/check`
 * @throws Error naming what the document does not say
 */
export function expectDocumented(
  method: 'GET' | 'POST',
  path: string,
  { status, headers, text }: { readonly status: number; readonly headers: Headers; readonly text: string },
): void {
  if (status === 404) return;
  const [called = ''] = path.split('?');
  const isLink = called.startsWith(paths.newPassword) && called !== paths.passwordSet;
  const route = isLink ? `${paths.newPassword}{key}/` : called;
  const fail = (problem: string): never => {
    throw new Error(`${method} ${route} ${status}: ${problem}`);
  };
  const verb = method.toLowerCase();
  const operation = (openapi.paths[route] as Record<string, Operation> | undefined)?.[verb];
  const documented = operation?.responses[status] ?? fail('not documented');
  for (const [name, { required }] of Object.entries(documented.headers ?? {})) {
    if (required === true && !headers.has(name)) fail(`no ${name}`);
  }
  const types = Object.keys(documented.content ?? {});
  if (types.length === 0) return text === '' ? undefined : fail('a body');
  const type = headers.get('content-type')?.split(';')[0] ?? '';
  if (!types.includes(type)) fail(`the type is ${type}`);
  if (!type.endsWith('json')) return;
  const place = ['paths', route, verb, 'responses', String(status), 'content', type, 'schema'];
  const pointer = place.map((part) => encodeURIComponent(part.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  const validate = ajv.getSchema(`${documentId}#/${pointer}`) ?? fail('no schema');
  if (validate(JSON.parse(text)) !== true) fail(ajv.errorsText(validate.errors));
}
