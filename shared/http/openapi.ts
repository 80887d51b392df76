// What an HTTP call is: functions/ has a table of such entries, and registers them. The OpenAPI 3.1 document is made from the same table.
import * as z from 'zod';
import { type ProblemCode, problems } from './message';

/** A call that takes and answers JSON. */
export interface JsonCall {
  /** The function's name in the portal and the `operationId`. */
  readonly name: string;
  /** Below `/api/`. */
  readonly route: string;
  readonly method: 'GET' | 'POST';
  /** `function`: needs a function key. */
  readonly auth: 'anonymous' | 'function';
  readonly summary: string;
  readonly tag: 'password reset' | 'for operators';
  readonly body?: z.ZodObject | undefined;
  /** The answers that are not problems, by status. */
  readonly answers: () => Readonly<Record<number, { readonly description: string; readonly schema: z.ZodType }>>;
  /** Besides `internal_error` and `unavailable`, and those of the body. */
  readonly problems: readonly ProblemCode[];
  /**
   * A second route below `/api/backend/`, with a function key, for a site's own server: its body may name the `clientIp` that it asks
   * for, and the limits per client apply to that, or not at all without it.
   */
  readonly backendTwin?: boolean | undefined;
}

/** One method of a page. */
export interface PageOperation {
  readonly summary: string;
  readonly form?: z.ZodType | undefined;
  /** Besides the problem pages. */
  readonly statuses: readonly number[];
}

/** A call that answers HTML. */
export interface PageCall {
  readonly name: string;
  readonly route: string;
  /** The operations by documented path: one function may serve several. */
  readonly operations: Readonly<
    Record<string, { readonly get: PageOperation; readonly post?: PageOperation | undefined }>
  >;
}

/** The name of a call's backend twin. */
export const backendNameOf = ({ name }: JsonCall): string => `backend${name.charAt(0).toUpperCase()}${name.slice(1)}`;

const clientIp = z
  .string()
  .max(64)
  .optional()
  .describe('The client you ask for: the limits per IP apply to it, or not at all without it.');

/** The body that a call or its backend twin takes. */
export const bodyOf = ({ body }: JsonCall, isBackend: boolean): z.ZodObject | undefined =>
  isBackend ? body?.extend({ clientIp }) : body;

type Part = Readonly<Record<string, unknown>>;
export interface OpenapiDocument extends Part {
  readonly paths: Record<string, Record<string, Part>>;
}

const jsonSchema = (schema: z.ZodType): Part => {
  const { $schema, ...rest } = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return $schema === undefined ? {} : rest; // OpenAPI 3.1 names the dialect once for the document
};
const jsonContent = (schema: Part, type = 'application/json'): Part => ({ content: { [type]: { schema } } });

const problemSchema = () =>
  z.strictObject({
    type: z.literal('about:blank'),
    title: z.string(),
    status: z.int(),
    code: z.string().describe('Stable; what a program decides by.'),
    detail: z.string().optional().describe('For the developer; never quotes what was sent.'),
    errors: z
      .array(z.strictObject({ code: z.string(), message: z.string().describe('English.') }))
      .min(1)
      .optional()
      .describe('Why a password was rejected.'),
  });

const headers = (...names: readonly string[]): Part => ({
  headers: Object.fromEntries(names.map((name) => [name, { required: true, schema: { type: 'string' } }])),
});

function problemResponses(codes: readonly ProblemCode[]): Record<string, Part> {
  const responses: Record<string, Part> = {};
  for (const status of new Set(codes.map((code) => problems[code].status))) {
    const here = codes.filter((code) => problems[code].status === status);
    const allOf = [
      { $ref: '#/components/schemas/Problem' },
      { properties: { code: { enum: here }, status: { const: status } } },
    ];
    responses[status] = {
      description: here.map((code) => `\`${code}\`: ${problems[code].title}`).join(' '),
      ...jsonContent({ allOf }, 'application/problem+json'),
      ...((status === 429 || status === 503) && headers('Retry-After')),
    };
  }
  return responses;
}

const bodyProblems: readonly ProblemCode[] = [
  'invalid_request',
  'length_required',
  'request_too_large',
  'unsupported_media_type',
];

function jsonOperation(call: JsonCall, operationId: string, isBackend: boolean): Part {
  const needsKey = isBackend || call.auth === 'function';
  const body = bodyOf(call, isBackend);
  const problems = [
    ...(body === undefined ? [] : bodyProblems),
    ...call.problems,
    'internal_error',
    'unavailable',
  ] as const;
  const answers = Object.entries(call.answers()).map(([status, { description, schema }]) => [
    status,
    { description, ...jsonContent(jsonSchema(schema)) },
  ]);
  return {
    operationId,
    summary: isBackend ? `${call.summary} For a site's own server.` : call.summary,
    tags: [isBackend ? 'for your server' : call.tag],
    ...(needsKey && { security: [{ functionKey: [] }] }),
    ...(body && { requestBody: { required: true, ...jsonContent(jsonSchema(body)) } }),
    responses: {
      ...problemResponses(problems),
      ...Object.fromEntries(answers),
      ...(needsKey && {
        401: { description: 'No function key, or a wrong one. Answered by the host, without a body.' },
      }),
    },
  };
}

const html = jsonContent({ type: 'string' }, 'text/html');
const pageDescriptions: Readonly<Record<number, Part>> = {
  200: { description: 'The page.', ...html },
  302: { description: 'Redirect.', ...headers('Location') },
  303: { description: 'To the next page.', ...headers('Location') },
  400: { description: 'Not usable: the form again, or why the link does not work.', ...html },
  403: { description: 'The form came from another web site.', ...html },
  404: { description: 'Nothing there.', ...html },
  410: { description: 'The link is expired or used; offers a new mail.', ...html },
  413: { description: 'Over 16 KiB.', ...html },
  415: { description: 'Not a form in UTF-8.', ...html },
  422: { description: 'The form again, with the reason.', ...html },
  429: { description: 'Too many attempts.', ...html, ...headers('Retry-After') },
  500: { description: 'Something went wrong here.', ...html },
  503: { description: 'Not available just now.', ...html, ...headers('Retry-After') },
};

function pageOperation(operationId: string, path: string, { summary, form, statuses }: PageOperation): Part {
  const formStatuses = form === undefined ? [] : [403, 413, 415];
  const all = [...statuses, ...formStatuses, 429, 500, 503];
  const schema = form && { ...jsonSchema(form), additionalProperties: true };
  return {
    operationId,
    summary,
    tags: ['pages'],
    ...(path.includes('{key}') && {
      parameters: [{ name: 'key', in: 'path', required: true, schema: { type: 'string' } }],
    }),
    ...(schema && { requestBody: { required: true, ...jsonContent(schema, 'application/x-www-form-urlencoded') } }),
    responses: Object.fromEntries(all.map((status) => [status, pageDescriptions[status]])),
  };
}

/** @see OpenAPI Specification 3.1 */
export function createOpenapi(calls: readonly JsonCall[], pages: readonly PageCall[]): OpenapiDocument {
  const paths: Record<string, Record<string, Part>> = {};
  for (const call of calls) {
    const method = call.method.toLowerCase();
    paths[`/api/${call.route}`] = { [method]: jsonOperation(call, call.name, false) };
    if (call.backendTwin !== true) continue;
    paths[`/api/backend/${call.route}`] = { [method]: jsonOperation(call, backendNameOf(call), true) };
  }
  for (const { name, operations } of pages) {
    for (const [index, [path, { get, post }]] of Object.entries(operations).entries()) {
      const id = index === 0 ? name : `${name}${index + 1}`;
      paths[path] = {
        get: pageOperation(id, path, get),
        ...(post && { post: pageOperation(`${id}Post`, path, post) }),
      };
    }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Password reset',
      version: '1',
      description:
        'Three steps: request, check, redeem. Every error is `application/problem+json` with a stable `code`. No answer tells whether an address has an account.',
    },
    servers: [{ url: '/' }],
    paths,
    components: {
      schemas: { Problem: jsonSchema(problemSchema()) },
      securitySchemes: { functionKey: { type: 'apiKey', in: 'header', name: 'x-functions-key' } },
    },
  };
}
