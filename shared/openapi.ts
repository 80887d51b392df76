// The OpenAPI 3.1 document of all HTTP calls, from plain objects. Served by functions/openapi.ts; a test checks every real answer
// against it, and that every registered route is in it. The problems come from the one table in http/answer.ts.
import { providerStates } from './deliveries';
import { problemAnswer, type ProblemCode } from './http/answer';
import { maxPasswordCodePoints, type PasswordProblemCode } from './password/passwordRules';

/** A JSON Schema (2020-12), or any other part of the document. */
interface Part {
  readonly [name: string]: unknown;
}

const text = (more: Part = {}): Part => ({ type: 'string', ...more });
const instant = text({ format: 'date-time', description: 'ISO 8601, UTC' });
const list = (items: Part): Part => ({ type: 'array', items });
const reference = (name: string): Part => ({ $ref: `#/components/schemas/${name}` });

/** An object with these fields and no others; those of `optional` may be missing. */
const object = (required: Record<string, Part>, optional: Record<string, Part> = {}): Part => ({
  type: 'object',
  properties: { ...required, ...optional },
  required: Object.keys(required),
  additionalProperties: false,
});

const passwordProblemCodes: Record<PasswordProblemCode, true> = {
  too_short: true,
  too_long: true,
  malformed: true,
  too_common: true,
  about_you: true,
  breached: true,
};

const email = text({
  maxLength: 1016,
  description: 'An e-mail address; blanks around it do not count.',
  examples: ['someuser@somewhere.com'],
});
const key = text({ description: 'The reset key: what stands between `/key/` and the next slash of the mailed link.' });
const username = text({ description: 'The name she logs in with.' });
const newPassword = text({
  description: `At least \`PASSWORD_MIN_LENGTH\` (15) and at most ${maxPasswordCodePoints} Unicode code points, taken exactly as sent.`,
});
const clientIp = text({
  maxLength: 64,
  description: 'Whom you ask for: the limits per IP apply to it, or not at all without it.',
});

const schemas: Record<string, Part> = {
  Problem: {
    ...object(
      {
        type: { const: 'about:blank' },
        title: text(),
        status: { type: 'integer' },
        code: text({ description: 'Stable; what a program decides by.' }),
      },
      { detail: text({ description: 'For the developer; never quotes what was sent.' }) },
    ),
    description: 'RFC 9457.',
  },
  RejectedPassword: object({
    type: { const: 'about:blank' },
    title: text(),
    status: { const: 422 },
    code: { const: 'rejected_password' },
    errors: {
      ...list(
        object({ code: { enum: Object.keys(passwordProblemCodes) }, message: text({ description: 'English.' }) }),
      ),
      minItems: 1,
    },
  }),
  Accepted: object({ status: { const: 'accepted' } }),
  LiveKey: object({ username, expiresAt: instant }),
  Changed: object({ status: { const: 'changed' }, username }),
  Links: object({ links: list(object({ username, url: text({ format: 'uri' }), expiresAt: instant })) }),
  Health: object({ status: { enum: ['ok', 'unavailable'] } }),
  HealthDetails: {
    ...object(
      { status: { enum: ['ok', 'unavailable'] } },
      {
        settings: { anyOf: [{ const: 'ok' }, list(text())], description: '`ok`, or what is wrong, by name.' },
        tables: text(),
        queue: text(),
        site: text(),
      },
    ),
    description: 'Each part is `ok` or a short reason.',
  },
  Delivery: object(
    {
      id: text({ description: 'The mail id of the logs.' }),
      kind: { enum: ['passwordReset', 'passwordChanged', 'linkIssued'] },
      state: { enum: ['sending', 'waiting', 'accepted', 'failed', 'suppressed'] },
      attempt: { type: 'integer', minimum: 0 },
      acceptedAt: instant,
      updatedAt: instant,
    },
    {
      reason: text(),
      backend: text(),
      provider: object({ state: { enum: [...providerStates] }, at: instant }),
    },
  ),
  Deliveries: object({ deliveries: list(reference('Delivery')) }),
  WebhookCounts: object({
    noted: { type: 'integer' },
    stale: { type: 'integer' },
    unknown: { type: 'integer' },
  }),
};

const json = (description: string, schema: string): Part => ({
  description,
  content: { 'application/json': { schema: reference(schema) } },
});
const retryAfter = {
  'Retry-After': { required: true, schema: { type: 'integer', minimum: 1 }, description: 'Seconds.' },
};

/** The answers for these problems, one per status, and those that every call can give. */
function problems(...codes: ProblemCode[]): Record<string, Part> {
  const answers: Record<string, Part> = {};
  for (const status of new Set([...codes, ...always].map(statusOf))) {
    const here = [...codes, ...always].filter((code) => statusOf(code) === status);
    const schema =
      status === 422
        ? reference('RejectedPassword')
        : { allOf: [reference('Problem'), { properties: { code: { enum: here }, status: { const: status } } }] };
    answers[status] = {
      description: here.map((code) => `\`${code}\`: ${titleOf(code)}`).join(' '),
      content: { 'application/problem+json': { schema } },
      ...((status === 429 || status === 503) && { headers: retryAfter }),
    };
  }
  return answers;
}

const always: readonly ProblemCode[] = ['internal_error', 'unavailable'];
const statusOf = (code: ProblemCode): number => problemAnswer(code).status;
const titleOf = (code: ProblemCode): string =>
  (JSON.parse(problemAnswer(code).body ?? '{}') as { title: string }).title;

const body = (schema: Part): Part => ({
  requestBody: { required: true, content: { 'application/json': { schema } } },
});
const badBody = ['invalid_request', 'request_too_large', 'unsupported_media_type'] as const;
const withFunctionKey = {
  security: [{ functionKey: [] }],
  unauthorized: { 401: { description: 'No function key, or a wrong one. Answered by the host, without a body.' } },
};

/** A call of the three steps, and its twin for a site's own server. */
function step(
  name: 'request' | 'check' | 'redeem',
  summary: string,
  fields: { required: Record<string, Part>; optional?: Record<string, Part> },
  answers: Record<string, Part>,
): Record<string, Part> {
  const { required, optional = {} } = fields;
  const ids = { request: 'requestReset', check: 'checkKey', redeem: 'redeemKey' } as const;
  const id = ids[name];
  return {
    [`/api/password-reset/${name}`]: {
      post: {
        operationId: id,
        summary,
        tags: ['password reset'],
        ...body(object(required, optional)),
        responses: answers,
      },
    },
    [`/api/backend/password-reset/${name}`]: {
      post: {
        operationId: `backend${id.charAt(0).toUpperCase()}${id.slice(1)}`,
        summary: `${summary} For a site's own server.`,
        tags: ['for your server'],
        security: withFunctionKey.security,
        ...body(object(required, { ...optional, clientIp })),
        responses: { ...answers, ...withFunctionKey.unauthorized },
      },
    },
  };
}

const htmlPage = (description: string): Part => ({ description, content: { 'text/html': { schema: text() } } });
const form = (required: Record<string, Part>, optional: Record<string, Part> = {}): Part => ({
  requestBody: {
    required: true,
    content: {
      'application/x-www-form-urlencoded': { schema: { ...object(required, optional), additionalProperties: true } },
    },
  },
});
const redirect = (description: string): Part => ({
  description,
  headers: { Location: { required: true, schema: { type: 'string' } } },
});
const pageProblems: Record<string, Part> = {
  429: { ...htmlPage('Too many attempts.'), headers: retryAfter },
  500: htmlPage('Something went wrong here.'),
  503: { ...htmlPage('Not available just now.'), headers: retryAfter },
};
const formProblems: Record<string, Part> = {
  403: htmlPage('The form came from another web site.'),
  413: htmlPage('Over 16 KiB.'),
  415: htmlPage('Not a form in UTF-8.'),
  ...pageProblems,
};

const page = (operationId: string, summary: string, responses: Record<string, Part>, more: Part = {}): Part => ({
  operationId,
  summary,
  tags: ['pages'],
  ...more,
  responses,
});
const keyParameter = { parameters: [{ name: 'key', in: 'path', required: true, schema: key }] };
const linkRefused: Record<string, Part> = {
  400: htmlPage('Not a link of ours, or broken.'),
  410: htmlPage('Expired or used: offers a new mail.'),
};

const pages: Record<string, Part> = {
  '/accounts/password/reset/': {
    get: page('askPage', 'Asks for the address.', { 200: htmlPage('The form.'), ...pageProblems }),
    post: page(
      'askPagePost',
      'As `requestReset`.',
      {
        200: htmlPage('Says that a mail may be on its way, for every well-formed address.'),
        400: htmlPage('The form again.'),
        ...formProblems,
      },
      form({ email }),
    ),
  },
  '/accounts/password/reset/done/': {
    get: page('sentPage', 'Says that a mail may be on its way.', { 200: htmlPage('The page.'), ...pageProblems }),
  },
  '/accounts/password/reset/key/{key}/': {
    get: page(
      'keyPage',
      'The page behind the mailed link. Reads only.',
      { 200: htmlPage('The form.'), ...linkRefused, ...pageProblems },
      keyParameter,
    ),
    post: page(
      'keyPagePost',
      'As `redeemKey`; with `action=resend` it asks for a new mail, for a key that we signed.',
      {
        303: redirect('To …/key/done/, or to …/done/ after a resend.'),
        422: htmlPage('The form again, with the reason.'),
        ...linkRefused,
        ...formProblems,
      },
      {
        ...keyParameter,
        ...form({}, { newPassword, newPasswordAgain: newPassword, username, action: { const: 'resend' } }),
      },
    ),
  },
  '/accounts/password/reset/key/done/': {
    get: page('passwordSetPage', 'Says that the password is set.', { 200: htmlPage('The page.'), ...pageProblems }),
  },
  '/.well-known/change-password': {
    get: page('changePassword', 'For password managers.', { 302: redirect('To the ask page.') }),
  },
};

const operations: Record<string, Part> = {
  '/api/password-reset/links': {
    post: {
      operationId: 'issueLinks',
      summary: 'Links for support, without mail; the mailbox is told. Not there unless `LINKS_ENDPOINT=on`.',
      tags: ['for operators'],
      security: withFunctionKey.security,
      ...body(object({ email })),
      responses: {
        200: json('One link per account; none for an unknown address.', 'Links'),
        ...problems(...badBody, 'too_many_requests'),
        ...withFunctionKey.unauthorized,
      },
    },
  },
  '/api/deliveries/find': {
    post: {
      operationId: 'findDeliveries',
      summary: 'What became of the mails of an address, newest first.',
      tags: ['for operators'],
      security: withFunctionKey.security,
      ...body(object({ email })),
      responses: { 200: json('The mails.', 'Deliveries'), ...problems(...badBody), ...withFunctionKey.unauthorized },
    },
  },
  '/api/webhooks/sendgrid': {
    post: {
      operationId: 'sendgridWebhook',
      summary: "SendGrid's signed Event Webhook.",
      tags: ['for operators'],
      requestBody: { required: true, content: { 'application/json': { schema: list({ type: 'object' }) } } },
      responses: { 200: json('Taken.', 'WebhookCounts'), ...problems('forbidden', 'request_too_large') },
    },
  },
  '/api/health': {
    get: {
      operationId: 'health',
      summary: 'Is the app able to do its work? At most ten seconds old.',
      tags: ['for operators'],
      responses: { 200: json('It is.', 'Health'), 503: json('It is not.', 'Health') },
    },
  },
  '/api/health/details': {
    get: {
      operationId: 'healthDetails',
      summary: 'The same, part by part.',
      tags: ['for operators'],
      security: withFunctionKey.security,
      responses: {
        200: json('It is.', 'HealthDetails'),
        503: json('It is not.', 'HealthDetails'),
        ...withFunctionKey.unauthorized,
      },
    },
  },
  '/api/openapi.json': {
    get: {
      operationId: 'openapi',
      summary: 'This document.',
      tags: ['for operators'],
      responses: {
        200: { description: 'OpenAPI 3.1.', content: { 'application/json': { schema: { type: 'object' } } } },
      },
    },
  },
};

const keyRefused = ['invalid_key', 'expired_key', 'used_key'] as const;

/** The document. @see OpenAPI Specification 3.1 */
export const openapi = {
  openapi: '3.1.0',
  info: {
    title: 'Password reset',
    version: '1',
    description:
      'Three steps: request, check, redeem. Every error is `application/problem+json` with a stable `code`. Nothing tells whether an address has an account.',
  },
  servers: [{ url: '/' }],
  paths: {
    ...step(
      'request',
      'Somebody forgot a password: mails a link, if there is an account.',
      {
        required: { email },
        optional: {
          locale: text({ maxLength: 35, description: 'BCP 47; for an account that has no language of its own.' }),
        },
      },
      {
        202: json('The same for every well-formed address.', 'Accepted'),
        ...problems(...badBody, 'too_many_requests'),
      },
    ),
    ...step(
      'check',
      'Would this key be redeemed now? Reads only.',
      { required: { key } },
      { 200: json('It would.', 'LiveKey'), ...problems(...badBody, ...keyRefused, 'too_many_requests') },
    ),
    ...step(
      'redeem',
      'Sets the new password, once. A rejected password leaves the key good.',
      { required: { key, newPassword } },
      {
        200: json('It is set; the mailbox is told.', 'Changed'),
        ...problems(...badBody, ...keyRefused, 'rejected_password', 'too_many_requests'),
      },
    ),
    ...operations,
    ...pages,
  } as Record<string, Part>,
  components: {
    schemas,
    securitySchemes: { functionKey: { type: 'apiKey', in: 'header', name: 'x-functions-key' } },
  },
} as const;
