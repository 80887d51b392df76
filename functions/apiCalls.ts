// The table of the JSON calls: what each one takes, does and answers. The edge reads bodies, applies limits and registers them;
// GET /api/openapi.json is generated from the same entries.
import { app, type HttpHandler, type HttpMethod, type HttpRequest } from '@azure/functions';
import * as z from 'zod';
import { addressHashOf, parseAddress } from '../shared/address';
import { isHealthy } from '../shared/health';
import {
  type Answer,
  bucketOf,
  jsonAnswer,
  problemAnswer,
  type ProblemCode,
  readBytes,
  readJsonBody,
} from '../shared/http/message';
import { backendNameOf, bodyOf, createOpenapi, type JsonCall, type OpenapiDocument } from '../shared/http/openapi';
import { isGenuine, readReports } from '../shared/mail/sendgridEvents';
import { deliveryStates, mailKinds, noteReports, providerStates } from '../shared/outbox/deliveries';
import type { Requester } from '../shared/resetDeps';
import { checkKey, issueLinks, redeemKey, requestReset } from '../shared/resetFlow';
import type { Services } from '../shared/services';
import { isLocale } from '../shared/site';
import {
  clientOf,
  emit,
  httpEndpoint,
  inInvocation,
  languageOf,
  withFrontLimit,
  type Endpoint,
  type FrontLimit,
} from './edge';
import { pageCalls } from './pageCalls';

/** A call with what it does. */
interface ApiCall<Body extends z.ZodObject = z.ZodObject> extends JsonCall {
  readonly body?: Body | undefined;
  readonly limit?: FrontLimit | undefined;
  handle(call: {
    readonly services: Services;
    readonly request: HttpRequest;
    readonly body: z.output<Body>;
    readonly requester: Requester;
  }): Promise<Answer>;
}

/** Lets `handle` be typed by its own `body`. */
const define = <Body extends z.ZodObject>(call: ApiCall<Body>): ApiCall => call;

const email = z
  .string()
  .max(1016)
  .describe('An e-mail address; blanks around it do not count.')
  .transform((typed, context) => {
    const address = parseAddress(typed);
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: 'is not an e-mail address' });
    return z.NEVER;
  });
const key = z.string().describe('The reset key: what is between `/key/` and the next slash of the mailed link.');
const username = z.string().describe('What the account logs in with.');
const instant = z.iso.datetime();
const keyProblems: readonly ProblemCode[] = ['invalid_key', 'expired_key', 'used_key', 'too_many_requests'];

const linksCall = define({
  name: 'issueLinks',
  route: 'password-reset/links',
  method: 'POST',
  auth: 'function',
  tag: 'for operators',
  summary: 'Links for support, without mail; the mailbox is notified. Registered only with `LINKS_ENDPOINT=on`.',
  body: z.strictObject({ email }),
  answers: () => ({
    200: {
      description: 'One link per account; none for an unknown address.',
      schema: z.strictObject({ links: z.array(z.strictObject({ username, url: z.url(), expiresAt: instant })) }),
    },
  }),
  problems: ['too_many_requests'],
  handle: async ({ services, body }) => {
    const issued = await issueLinks(services, body.email);
    if (issued.outcome === 'over_limit') return problemAnswer('too_many_requests', { retryAfterSeconds: 300 });
    return jsonAnswer(200, { links: issued.links });
  },
});

const calls: readonly ApiCall[] = [
  define({
    name: 'requestReset',
    route: 'password-reset/request',
    method: 'POST',
    auth: 'anonymous',
    tag: 'password reset',
    summary: 'Mails a link to choose a new password, if the address has an account.',
    backendTwin: true,
    limit: 'request',
    body: z.strictObject({
      email,
      locale: z
        .string()
        .max(35)
        .refine(isLocale)
        .optional()
        .describe('BCP 47; for an account that has no language of its own.'),
    }),
    answers: () => ({
      202: {
        description: 'The same for every well-formed address.',
        schema: z.strictObject({ status: z.enum(['accepted']) }),
      },
    }),
    problems: ['too_many_requests'],
    handle: async ({ services, body, requester }) => {
      await requestReset(services, body.email, { ...requester, locale: body.locale ?? requester.locale });
      return jsonAnswer(202, { status: 'accepted' });
    },
  }),
  define({
    name: 'checkKey',
    route: 'password-reset/check',
    method: 'POST',
    auth: 'anonymous',
    tag: 'password reset',
    summary: 'Would this key be redeemed now? Reads only.',
    backendTwin: true,
    limit: 'check',
    body: z.strictObject({ key }),
    answers: () => ({ 200: { description: 'Yes.', schema: z.strictObject({ username, expiresAt: instant }) } }),
    problems: keyProblems,
    handle: async ({ services, body }) => {
      const checked = await checkKey(services, body.key);
      if (checked.outcome !== 'live') return problemAnswer(checked.outcome);
      return jsonAnswer(200, { username: checked.username, expiresAt: checked.expiresAt });
    },
  }),
  define({
    name: 'redeemKey',
    route: 'password-reset/redeem',
    method: 'POST',
    auth: 'anonymous',
    tag: 'password reset',
    summary: 'Sets the new password, once. A rejected password leaves the key good.',
    backendTwin: true,
    limit: 'redeem',
    body: z.strictObject({
      key,
      newPassword: z
        .string()
        .describe('At least `PASSWORD_MIN_LENGTH` (15) and at most 128 Unicode code points, taken exactly as sent.'),
    }),
    answers: () => ({
      200: {
        description: 'The password is set; the mailbox is notified.',
        schema: z.strictObject({ status: z.enum(['changed']), username }),
      },
    }),
    problems: [...keyProblems, 'rejected_password'],
    handle: async ({ services, body }) => {
      const redeemed = await redeemKey(services, body.key, body.newPassword);
      switch (redeemed.outcome) {
        case 'changed':
          return jsonAnswer(200, { status: 'changed', username: redeemed.username });
        case 'rejected_password':
          return problemAnswer('rejected_password', { errors: redeemed.problems });
        case 'busy':
          return problemAnswer('unavailable', { retryAfterSeconds: 2 });
        case 'invalid_key':
        case 'expired_key':
        case 'used_key':
          return problemAnswer(redeemed.outcome);
      }
    },
  }),
  define({
    name: 'findDeliveries',
    route: 'deliveries/find',
    method: 'POST', // so that no address is in a URL
    auth: 'function',
    tag: 'for operators',
    summary: 'What became of the mails to an address, newest first.',
    body: z.strictObject({ email }),
    answers: () => ({
      200: {
        description: 'The mails.',
        schema: z.strictObject({
          deliveries: z.array(
            z.strictObject({
              id: z.string().describe('The mail id of the logs.'),
              kind: z.enum(mailKinds),
              state: z.enum(deliveryStates),
              attempt: z.int(),
              reason: z.string().optional(),
              backend: z.string().optional(),
              count: z.int().optional().describe('How many mails a limit suppressed.'),
              acceptedAt: instant,
              updatedAt: instant,
              provider: z.strictObject({ state: z.enum(providerStates), at: instant }).optional(),
            }),
          ),
        }),
      },
    }),
    problems: [],
    handle: async ({ services, body }) => {
      const found = await services.deliveries.findByAddressHash(addressHashOf(body.email));
      const deliveries = found.map(({ id, kind, state, attempt, acceptedAt, updatedAt, provider, ...rest }) => ({
        ...{ id, kind, state, attempt, acceptedAt, updatedAt, provider },
        reason: 'reason' in rest ? rest.reason : undefined,
        backend: 'backend' in rest ? rest.backend : undefined,
        count: 'count' in rest ? rest.count : undefined,
      }));
      return jsonAnswer(200, { deliveries });
    },
  }),
  define({
    name: 'sendgridWebhook',
    route: 'webhooks/sendgrid',
    method: 'POST',
    auth: 'anonymous', // the signature counts
    tag: 'for operators',
    summary:
      "SendGrid's signed Event Webhook: an array of events. State only moves forward, so a replay changes nothing.",
    answers: () => ({
      200: {
        description: 'How many reports were new, known, and about no mail of this app.',
        schema: z.strictObject({ noted: z.int(), stale: z.int(), unknown: z.int() }),
      },
    }),
    problems: ['forbidden', 'request_too_large'],
    handle: async ({ services, request }) => {
      const bytes = await readBytes(request, 1024 * 1024);
      if (bytes === undefined) return problemAnswer('request_too_large');
      const body = Buffer.from(bytes);
      const signature = request.headers.get('x-twilio-email-event-webhook-signature');
      const timestamp = request.headers.get('x-twilio-email-event-webhook-timestamp');
      const { sendgridWebhookPublicKey } = services.settings;
      if (!isGenuine(sendgridWebhookPublicKey, body, signature, timestamp, services.clock())) {
        emit({ event: 'webhookRefused', level: 'warn' });
        return problemAnswer('forbidden');
      }
      return jsonAnswer(200, await noteReports(services, readReports(body))); // storage down: 503, and SendGrid retries
    },
  }),
  define({
    name: 'openapi',
    route: 'openapi.json',
    method: 'GET',
    auth: 'anonymous',
    tag: 'for operators',
    summary: 'This document.',
    answers: () => ({ 200: { description: 'OpenAPI 3.1.', schema: z.looseObject({}) } }),
    problems: [],
    handle: () => Promise.resolve(jsonAnswer(200, openapiDocument())),
  }),
];

const healthStatus = z.enum(['ok', 'unavailable']);
const healthDetails = z.strictObject({
  status: healthStatus,
  settings: z
    .union([z.literal('ok'), z.array(z.string())])
    .optional()
    .describe('`ok`, or what is wrong, by name.'),
  tables: z.string().optional(),
  queue: z.string().optional(),
  site: z.string().optional(),
});
const healthOf = (schema: z.ZodType) => ({ 200: { description: 'Yes.', schema }, 503: { description: 'No.', schema } });

/** The health calls are registered also with bad settings, so that a portal shows why nothing else is there. */
const healthCalls = [
  {
    name: 'health',
    route: 'health',
    method: 'GET',
    auth: 'anonymous',
    tag: 'for operators',
    summary: 'Is the app able to do its work? At most ten seconds old.',
    answers: () => healthOf(z.strictObject({ status: healthStatus })),
    problems: [],
  },
  {
    name: 'healthDetails',
    route: 'health/details',
    method: 'GET',
    auth: 'function',
    tag: 'for operators',
    summary: 'The same, part by part: each is `ok` or a short reason.',
    answers: () => healthOf(healthDetails),
    problems: [],
  },
] as const satisfies readonly JsonCall[];

let document: OpenapiDocument | undefined;
/** Made with the first call for it. */
export const openapiDocument = (): OpenapiDocument =>
  (document ??= createOpenapi([...calls, linksCall, ...healthCalls], pageCalls));

/** Registers the calls, each with its backend twin. */
export function registerApiCalls(services: Services): void {
  for (const call of services.settings.linksEndpoint ? [...calls, linksCall] : calls) {
    const hasTwin = call.backendTwin === true;
    const methods: HttpMethod[] = call.method === 'GET' ? ['GET', 'HEAD'] : hasTwin ? ['POST', 'OPTIONS'] : ['POST'];
    app.http(call.name, {
      route: `api/${call.route}`,
      methods,
      authLevel: call.auth,
      handler: httpEndpoint(call.name, services, endpointOf(services, call, false)),
    });
    if (!hasTwin) continue;
    app.http(backendNameOf(call), {
      route: `api/backend/${call.route}`,
      methods: ['POST'],
      authLevel: 'function',
      handler: httpEndpoint(call.name, services, endpointOf(services, call, true)),
    });
  }
}

function endpointOf(services: Services, call: ApiCall, isBackend: boolean): Endpoint {
  const schema = bodyOf(call, isBackend);
  return async (request) => {
    const read = schema === undefined ? undefined : await readJsonBody(request, schema);
    if (read?.outcome === 'refused') return read.answer;
    const body: Record<string, unknown> = read?.body ?? {};
    const client = isBackend ? clientOfBackend(body['clientIp']) : clientOf(services, request);
    const run = () => {
      // A site's own server sends its own Accept-Language, not the person's.
      const locale = isBackend ? undefined : languageOf(services, request);
      return call.handle({ services, request, body, requester: { client, locale } });
    };
    if (call.limit === undefined) return run();
    const over = (retryAfterSeconds: number) => problemAnswer('too_many_requests', { retryAfterSeconds });
    return withFrontLimit(services, call.limit, client, run, over);
  };
}

/** The client that a site's own server asks for; undefined if it names none: no limit per client applies then. */
const clientOfBackend = (clientIp: unknown): string | undefined =>
  typeof clientIp === 'string' ? bucketOf(clientIp) : undefined;

/** Registers `health` and `healthDetails`. */
export function registerHealth(services: Services): void {
  registerHealthCalls((name, details) =>
    httpEndpoint(name, services, async () => {
      const health = await services.checkHealth();
      return healthAnswer(isHealthy(health), details ? { settings: 'ok', ...health } : {});
    }),
  );
}

/** Registers the same for an app with bad settings. @param problems names of settings, never values */
export function registerBadHealth(problems: readonly string[]): void {
  registerHealthCalls(
    (_name, details) => (_request, context) =>
      inInvocation(context, () => {
        emit({ event: 'badSettings', level: 'error', problems });
        return healthAnswer(false, details ? { settings: problems } : {});
      }),
  );
}

function registerHealthCalls(handlerOf: (name: string, details: boolean) => HttpHandler): void {
  for (const { name, route, auth } of healthCalls) {
    const details = name === 'healthDetails';
    const methods = details ? (['GET'] as const) : (['GET', 'HEAD'] as const);
    app.http(name, {
      route: `api/${route}`,
      methods: [...methods],
      authLevel: auth,
      handler: handlerOf(name, details),
    });
  }
}

const healthAnswer = (healthy: boolean, details: Record<string, unknown>): Answer =>
  jsonAnswer(healthy ? 200 : 503, { status: healthy ? 'ok' : 'unavailable', ...details });
