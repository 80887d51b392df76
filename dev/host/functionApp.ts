// Loads an app's bundle and calls its functions as the real host's Node worker does. It supplies the module
// `@azure/functions-core`, through which the library `@azure/functions` registers functions and hooks. One process holds one app.
import { randomUUID } from 'node:crypto';
import Module, { createRequire } from 'node:module';
import { errorText, type Log, type LogLevel } from './log';

/** A value on its way between host and library; exactly one member is set. */
export interface RpcTypedData {
  string?: string;
  json?: string;
  http?: RpcHttpRequest;
}

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

interface Binding {
  type: string;
  [property: string]: unknown;
}

/** A function as `app.http`, `app.storageQueue` or `app.timer` registered it. */
export interface RegisteredFunction {
  metadata: { name: string; bindings: Record<string, Binding> };
  callback: FunctionCallback;
}

/** What a trigger hands to one call of a function. */
export interface TriggerInput {
  data: RpcTypedData;
  metadata?: Record<string, RpcTypedData>;
}

/** A loaded app. */
export interface FunctionApp {
  /** In name order, ignoring case: the order in which the real host tries their routes. */
  functions: RegisteredFunction[];
  /**
   * Calls a function.
   * @returns what the library made of the returned value, not yet checked.
   * @throws whatever the function threw; it is logged already.
   */
  invoke(fn: RegisteredFunction, input: TriggerInput): Promise<unknown>;
  /** Runs the app's appTerminate hooks, all at once; a failing one is logged. */
  terminate(): Promise<void>;
}

/** The library's side; the steps of an invocation are called in the order they stand here. */
interface ProgrammingModel {
  getInvocationModel(context: object): {
    getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
    invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
    getResponse(context: unknown, result: unknown): Promise<{ returnValue?: unknown }>;
  };
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

interface Registrations {
  functions: RegisteredFunction[];
  terminateHooks: Set<(context: object) => unknown>;
  model: ProgrammingModel | undefined;
}

const servedBindings = ['httpTrigger', 'http', 'queueTrigger', 'timerTrigger'];

/**
 * Loads a CommonJS bundle.
 * @param appFile absolute path of the bundle.
 * @throws whatever the bundle throws while loading; Error if it registers nothing or uses what the dev host does not support.
 */
export async function loadFunctionApp(appFile: string, log: Log): Promise<FunctionApp> {
  const registrations = installCoreApi(log);
  createRequire(appFile)(appFile);
  const { model, functions, terminateHooks } = registrations;
  if (!model) throw new Error(`${appFile} registers no function.`);
  if ('HttpUri' in (await model.getCapabilities({}))) {
    throw new Error('The dev host does not support app.setup({ enableHttpStream: true }).');
  }
  for (const { metadata } of functions) {
    const foreign = Object.values(metadata.bindings).find(({ type }) => !servedBindings.includes(type));
    if (foreign) throw new Error(`'${metadata.name}': the dev host does not serve ${foreign.type} bindings.`);
  }
  return {
    functions: functions.sort((left, right) => (upperName(left) < upperName(right) ? -1 : 1)),
    invoke: (fn, input) => invoke(model, log, fn, input),
    async terminate() {
      const context = { hookData: {}, appHookData: {} };
      const results = await Promise.allSettled(
        [...terminateHooks].map(async (hook) => {
          await hook(context);
        }),
      );
      for (const result of results) {
        if (result.status === 'rejected')
          log('error', 'host', `An appTerminate hook failed: ${errorText(result.reason)}`);
      }
    },
  };
}

const upperName = ({ metadata }: RegisteredFunction): string => metadata.name.toUpperCase();

async function invoke(
  model: ProgrammingModel,
  log: Log,
  { metadata, callback }: RegisteredFunction,
  input: TriggerInput,
): Promise<unknown> {
  const { name, bindings } = metadata;
  const trigger = Object.keys(bindings).find((key) => bindings[key]?.type.endsWith('Trigger'));
  const invocationId = randomUUID();
  const core = {
    invocationId,
    metadata,
    request: { invocationId, inputData: [{ name: trigger, data: input.data }], triggerMetadata: input.metadata ?? {} },
    state: 'invocation',
    log: (level: LogLevel, _category: string, text: string) => {
      log(level, name, text);
    },
  };
  try {
    const invocation = model.getInvocationModel(core);
    const { context, inputs } = await invocation.getArguments();
    const result = await invocation.invokeFunction(context, inputs, callback);
    const { returnValue } = await invocation.getResponse(context, result);
    log('debug', 'host', `Executed '${name}' (Succeeded)`);
    return returnValue;
  } catch (error) {
    log('error', name, `Executed '${name}' (Failed): ${errorText(error)}`);
    throw error;
  }
}

/** Makes `require('@azure/functions-core')` answer in this process. The registrations fill while the bundle is loaded. */
function installCoreApi(log: Log): Registrations {
  const registrations: Registrations = { functions: [], terminateHooks: new Set(), model: undefined };
  interceptLoad({
    setProgrammingModel: (model: ProgrammingModel) => {
      registrations.model = model;
    },
    registerFunction: (metadata: RegisteredFunction['metadata'], callback: FunctionCallback) => {
      registrations.functions.push({ metadata, callback });
    },
    registerHook: (name: string, callback: (context: object) => unknown) => {
      if (name !== 'appTerminate') throw new RangeError(`The dev host runs appTerminate hooks only, not ${name}.`);
      registrations.terminateHooks.add(callback);
      return { dispose: () => registrations.terminateHooks.delete(callback) };
    },
    log: (level: LogLevel, _category: string, text: string) => {
      log(level, 'host', text);
    },
  });
  return registrations;
}

/** `Module._load` is private but the only way on Node 20: the id has no file, and `registerHooks` came with Node 22. */
function interceptLoad(coreApi: object): void {
  const load: unknown = Reflect.get(Module, '_load');
  if (typeof load !== 'function') throw new Error('This version of Node has no Module._load to supply a module with.');
  Reflect.set(Module, '_load', function (this: unknown, id: string, ...rest: unknown[]): unknown {
    const loaded: unknown = id === '@azure/functions-core' ? coreApi : Reflect.apply(load, this, [id, ...rest]);
    return loaded;
  });
}
