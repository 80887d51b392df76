// Loads an app's bundle and calls its functions as the real host's Node worker does. It supplies the module
// `@azure/functions-core`, through which the library `@azure/functions` registers functions and hooks. One process holds one app.
import { randomUUID } from 'node:crypto';
import Module, { createRequire } from 'node:module';

/** An HTTP request in the shape the host sends to a non-streaming app. */
export interface RpcHttpRequest {
  url: string;
  method: string;
  nullableHeaders: Record<string, { value: string }>;
  nullableParams: Record<string, { value: string }>;
  nullableQuery: Record<string, { value: string }>;
  body: { bytes: Uint8Array } | undefined;
}

type FunctionCallback = (...args: unknown[]) => unknown;
type Binding = { type: string } & Record<string, unknown>;

/** A function as `app.http`, `app.storageQueue` or `app.timer` registered it. */
export interface RegisteredFunction {
  metadata: { name: string; bindings: Record<string, Binding> };
  callback: FunctionCallback;
}

/** What a trigger hands to one call of a function: a value with exactly one member, and the metadata of a queue message. */
export interface TriggerInput {
  data: { string: string } | { json: string } | { http: RpcHttpRequest };
  metadata?: Record<string, { string: string } | { json: string }>;
}

export type FunctionApp = Awaited<ReturnType<typeof loadFunctionApp>>;

/** The library's side; the steps of an invocation are called in the order they stand here. */
interface ProgrammingModel {
  getInvocationModel(context: object): {
    getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
    invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
    getResponse(context: unknown, result: unknown): Promise<{ returnValue?: unknown }>;
  };
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

type TerminateHook = (context: object) => unknown;

const servedBindings = ['httpTrigger', 'http', 'queueTrigger', 'timerTrigger'];

/**
 * @param appFile absolute path of a CommonJS bundle.
 * @throws whatever the bundle throws while loading; Error if it registers nothing or uses what the dev host does not support.
 */
export async function loadFunctionApp(appFile: string) {
  const functions: RegisteredFunction[] = [];
  const terminateHooks: TerminateHook[] = [];
  const registered: { model?: ProgrammingModel } = {};
  supplyCoreApi({
    setProgrammingModel: (model: ProgrammingModel) => (registered.model = model),
    registerFunction: (metadata: RegisteredFunction['metadata'], callback: FunctionCallback) => {
      functions.push({ metadata, callback });
    },
    registerHook: (name: string, hook: TerminateHook) => {
      if (name !== 'appTerminate') throw new RangeError(`The dev host runs appTerminate hooks only, not ${name}.`);
      terminateHooks.push(hook);
    },
    log: (level: LogLevel, _category: string, text: string) => log(level, 'host', text),
  });
  createRequire(appFile)(appFile);
  const { model } = registered;
  if (!model) throw new Error(`${appFile} registers no function.`);
  if ('HttpUri' in (await model.getCapabilities({}))) {
    throw new Error('The dev host does not support app.setup({ enableHttpStream: true }).');
  }
  for (const { metadata } of functions) {
    const foreign = Object.values(metadata.bindings).find(({ type }) => !servedBindings.includes(type));
    if (foreign) throw new Error(`'${metadata.name}': the dev host does not serve ${foreign.type} bindings.`);
  }
  return {
    /** In name order, ignoring case: the order in which the real host tries their routes. */
    functions: functions.sort((left, right) => (upperName(left) < upperName(right) ? -1 : 1)),
    invoke: (fn: RegisteredFunction, input: TriggerInput) => invoke(model, fn, input),
    /** Runs the app's appTerminate hooks, all at once; a failing one is logged. */
    async terminate(): Promise<void> {
      const run = (hook: TerminateHook): Promise<unknown> =>
        Promise.resolve({ hookData: {}, appHookData: {} })
          .then(hook)
          .catch((error: unknown) => log('error', 'host', `An appTerminate hook failed: ${errorText(error)}`));
      await Promise.all(terminateHooks.map(run));
    },
  };
}

const upperName = ({ metadata }: RegisteredFunction): string => metadata.name.toUpperCase();

/** The binding of a function that has this type. */
export function bindingOf({ metadata }: RegisteredFunction, type: string): Binding | undefined {
  return Object.values(metadata.bindings).find((binding) => binding.type === type);
}

/** @returns what the library made of the returned value, not yet checked. @throws what the function threw; it is logged already */
async function invoke(
  model: ProgrammingModel,
  { metadata, callback }: RegisteredFunction,
  input: TriggerInput,
): Promise<unknown> {
  const { name, bindings } = metadata;
  const trigger = Object.keys(bindings).find((key) => bindings[key]?.type.endsWith('Trigger'));
  const invocationId = randomUUID();
  const invocation = model.getInvocationModel({
    invocationId,
    metadata,
    request: { invocationId, inputData: [{ name: trigger, data: input.data }], triggerMetadata: input.metadata ?? {} },
    state: 'invocation',
    log: (level: LogLevel, _category: string, text: string) => log(level, name, text),
  });
  try {
    const { context, inputs } = await invocation.getArguments();
    const result = await invocation.invokeFunction(context, inputs, callback);
    return (await invocation.getResponse(context, result)).returnValue;
  } catch (error) {
    log('error', name, `Executed '${name}' (Failed): ${errorText(error)}`);
    throw error;
  }
}

// `Module._load` is private but the only way on Node 20: the id has no file, and `registerHooks` came with Node 22.
function supplyCoreApi(coreApi: object): void {
  const load: unknown = Reflect.get(Module, '_load');
  if (typeof load !== 'function') throw new Error('This version of Node has no Module._load to supply a module with.');
  Reflect.set(Module, '_load', function (this: unknown, id: string, ...rest: unknown[]): unknown {
    return id === '@azure/functions-core' ? coreApi : (Reflect.apply(load, this, [id, ...rest]) as unknown);
  });
}

/** Severity of one line of log, as the library names them. */
type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/**
 * Writes `[source] text` to the terminal: the app's lines to standard output, the host's own errors to standard error.
 * Never pass a request's URL: a path can hold a reset key.
 * @param source a function's name, or `host`
 */
export function log(level: LogLevel, source: string, text: string): void {
  if (level === 'none' || level === 'trace' || level === 'debug') return;
  const stream = source === 'host' && level !== 'information' ? process.stderr : process.stdout;
  stream.write(`[${source}] ${text}\n`);
}

/** An error as text for the log: its stack with every cause. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const text = error.stack ?? `${error.name}: ${error.message}`;
  return error.cause === undefined ? text : `${text}\ncaused by ${errorText(error.cause)}`;
}
