// Everything the dev host answers to over HTTP: the app's functions, the admin call that runs a timer, and its own pages.
import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import type { RegisteredFunction } from './coreApi';
import type { FunctionApp } from './functionApp';
import { compileRoute, type Route } from './routes';
import { emptyAnswer, fromRpcHttpResponse, type PlainResponse, toRpcHttpRequest } from './rpcHttp';

/** A page of the dev host itself, under `/dev/…`. `path` is a route template: `/dev/mailbox/{id}`. */
export interface DevRoute {
  method: string;
  path: string;
  handle(request: { url: URL; params: Record<string, string>; body: Buffer }): Promise<DevAnswer> | DevAnswer;
}

/** What a dev route answers. */
export interface DevAnswer {
  status: number;
  headers?: Record<string, string>;
  body?: string | Uint8Array;
}

/** Answers the requests that fit its route and method. */
export interface Endpoint {
  route: Route;
  methods: readonly string[];
  needsKey: boolean;
  answer(
    request: IncomingMessage,
    target: string,
    params: Record<string, string>,
    body: Buffer,
  ): Promise<PlainResponse>;
}

const httpTrigger = z.object({
  route: z.string().optional(),
  methods: z.array(z.string().toUpperCase()),
  authLevel: z.string().toLowerCase(),
});

/**
 * The endpoint of a function; none if it has no HTTP trigger.
 * @throws Error when its route cannot be understood.
 */
export function functionEndpoint(app: FunctionApp, routePrefix: string, fn: RegisteredFunction): Endpoint[] {
  const binding = Object.values(fn.metadata.bindings).find(({ type }) => type === 'httpTrigger');
  if (!binding) return [];
  const trigger = httpTrigger.parse(binding);
  return [
    {
      route: compileRoute(`${routePrefix}/${trigger.route ?? fn.metadata.name}`),
      methods: trigger.methods,
      needsKey: trigger.authLevel !== 'anonymous',
      async answer(request, target, params, body) {
        const http = toRpcHttpRequest(request, target, params, body);
        return fromRpcHttpResponse(await app.invoke(fn, { data: { http } }));
      },
    },
  ];
}

/** The real host's way to run a function by hand. Here it answers when the run is over, and 500 if it failed. */
export function adminEndpoint(runTimer: (name: string) => Promise<boolean>): Endpoint {
  return {
    route: compileRoute('admin/functions/{name}'),
    methods: ['POST'],
    needsKey: true,
    answer: async (_request, _target, { name = '' }) => emptyAnswer((await runTimer(name)) ? 202 : 404),
  };
}

/** The endpoint of one of the dev host's own pages. @throws Error when it is not under `/dev/`. */
export function devEndpoint(devRoute: DevRoute): Endpoint {
  if (!devRoute.path.startsWith('/dev/')) throw new Error(`A dev route must be under /dev/: ${devRoute.path}`);
  return {
    route: compileRoute(devRoute.path),
    methods: [devRoute.method.toUpperCase()],
    needsKey: false,
    async answer(request, target, params, body) {
      const url = new URL(`http://${request.headers.host ?? 'localhost'}${target}`);
      const { status, headers = {}, body: answerBody = '' } = await devRoute.handle({ url, params, body });
      return { status, headers, body: Buffer.from(answerBody) };
    },
  };
}
