// The part of the module `@azure/functions-core` that the library `@azure/functions` calls: the real host's Node worker
// supplies it, here the dev host does. It must be installed before the app's bundle is loaded, once per process.
import Module from 'node:module';

/** Severity of one line of log, as the library names them. */
export type LogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';

/** A value on its way between host and library; exactly one member is set. */
export interface RpcTypedData {
  string?: string;
  json?: string;
  bytes?: Uint8Array;
  http?: RpcHttpRequest;
}

/** An HTTP request in the shape the host sends to a non-streaming app. */
export interface RpcHttpRequest {
  url: string;
  method: string;
  nullableHeaders: Record<string, { value: string }>;
  nullableParams: Record<string, { value: string }>;
  nullableQuery: Record<string, { value: string }>;
  body?: RpcTypedData;
}

/** One binding as registered; what a trigger adds to it is checked by whoever serves that trigger. */
export interface BindingInfo {
  type: string;
  direction: string;
  [property: string]: unknown;
}

/** The app's own function: its inputs, then the invocation context. */
export type FunctionCallback = (...args: unknown[]) => unknown;

/** A function as `app.http`, `app.storageQueue` or `app.timer` registered it. */
export interface RegisteredFunction {
  metadata: { name: string; bindings: Record<string, BindingInfo> };
  callback: FunctionCallback;
}

/** What the library needs to know about one call of a function. */
export interface CoreInvocationContext {
  invocationId: string;
  request: {
    invocationId: string;
    inputData: { name: string; data: RpcTypedData }[];
    triggerMetadata: Record<string, RpcTypedData>;
  };
  metadata: RegisteredFunction['metadata'];
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: LogLevel, category: 'user' | 'system', text: string): void;
}

/** The library's side of one call; the steps are called in the order they stand here. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ returnValue?: unknown; outputData?: unknown[] }>;
}

interface ProgrammingModel {
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}

const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate', 'log'] as const;
/** The events an app can hook into. */
export type HookName = (typeof hookNames)[number];
type HookCallback = (context: object) => unknown;

/** Everything an app registered while it was loaded. */
export interface Registrations {
  functions: Map<string, RegisteredFunction>;
  hooks: Record<HookName, Set<HookCallback>>;
  model: ProgrammingModel | undefined;
}

/**
 * Makes `require('@azure/functions-core')` answer in this process.
 * @param systemLog receives the library's own lines.
 * @returns the registrations, filled while the app's bundle is being loaded.
 */
export function installCoreApi(systemLog: (level: LogLevel, text: string) => void): Registrations {
  const registrations: Registrations = {
    functions: new Map(),
    hooks: {
      preInvocation: new Set(),
      postInvocation: new Set(),
      appStart: new Set(),
      appTerminate: new Set(),
      log: new Set(),
    },
    model: undefined,
  };
  interceptLoad({
    setProgrammingModel: (model: ProgrammingModel) => {
      registrations.model = model;
    },
    registerFunction: (metadata: RegisteredFunction['metadata'], callback: FunctionCallback) => {
      if (registrations.functions.has(metadata.name)) {
        throw new Error(`A function named "${metadata.name}" is already registered.`);
      }
      registrations.functions.set(metadata.name, { metadata, callback });
    },
    registerHook: (name: string, callback: HookCallback) => {
      const known = hookNames.find((hookName) => hookName === name);
      if (known === undefined) throw new RangeError(`Unrecognized hook "${name}"`);
      registrations.hooks[known].add(callback);
      return { dispose: () => registrations.hooks[known].delete(callback) };
    },
    log: (level: LogLevel, _category: string, text: string) => {
      systemLog(level, text);
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
