// Loads an app's bundle and calls its functions the way the real host's Node worker does, hooks included.
// One process holds one app: a bundle has module state, and so has the library.
import { randomUUID } from 'node:crypto';
import { createRequire } from 'node:module';
import { type CoreInvocationContext, type HookName, installCoreApi, type LogLevel } from './coreApi';
import type { RegisteredFunction, Registrations, RpcTypedData } from './coreApi';
import { errorText, type Log } from './log';

/** What a trigger hands to one call of a function. */
export interface TriggerInput {
  data: RpcTypedData;
  metadata?: Record<string, RpcTypedData>;
}

/** A loaded app. */
export interface FunctionApp {
  /** In name order, ignoring case, as the real host keeps them. */
  functions: RegisteredFunction[];
  /**
   * Calls a function.
   * @returns what the library made of the returned value, not yet checked.
   * @throws whatever the function or a hook threw; it is logged already.
   */
  invoke(fn: RegisteredFunction, input: TriggerInput): Promise<unknown>;
  /** Runs the app's appTerminate hooks; a failing one is logged. */
  terminate(): Promise<void>;
}

/**
 * Loads a CommonJS bundle and runs its appStart hooks.
 * @param appFile absolute path of the bundle.
 * @param log receives the app's lines and one line per failed call.
 * @throws whatever the bundle throws while loading; Error if it registers nothing or streams HTTP.
 */
export async function loadFunctionApp(appFile: string, log: Log): Promise<FunctionApp> {
  const registrations = installCoreApi((level, text) => {
    log(level, 'host', text);
  });
  createRequire(appFile)(appFile);
  if (!registrations.model) throw new Error(`${appFile} registers no function.`);
  const capabilities = await registrations.model.getCapabilities({});
  if ('HttpUri' in capabilities)
    throw new Error('The dev host does not support app.setup({ enableHttpStream: true }).');
  const appHookData = {};
  await runHooks(registrations, 'appStart', { hookData: appHookData, appHookData });

  const functions = [...registrations.functions.values()].sort((left, right) => compareNames(left, right));
  return {
    functions,
    invoke: (fn, input) => invoke({ registrations, appHookData, log }, fn, input),
    async terminate() {
      try {
        await runHooks(registrations, 'appTerminate', { hookData: appHookData, appHookData });
      } catch (error) {
        log('error', 'host', `An appTerminate hook failed: ${errorText(error)}`);
      }
    },
  };
}

interface InvokeDeps {
  registrations: Registrations;
  appHookData: object;
  log: Log;
}

async function invoke(deps: InvokeDeps, fn: RegisteredFunction, input: TriggerInput): Promise<unknown> {
  const { name } = fn.metadata;
  const startedAt = performance.now();
  const elapsed = (): string => `${Math.round(performance.now() - startedAt).toString()}ms`;
  try {
    const result = await runInvocation(deps, fn, input);
    deps.log('debug', 'host', `Executed '${name}' (Succeeded, ${elapsed()})`);
    return result;
  } catch (error) {
    deps.log('error', name, `Executed '${name}' (Failed, ${elapsed()}): ${errorText(error)}`);
    throw error;
  }
}

async function runInvocation(deps: InvokeDeps, fn: RegisteredFunction, input: TriggerInput): Promise<unknown> {
  const { registrations, appHookData } = deps;
  if (!registrations.model) throw new Error('The app is not loaded.');
  const hookData = {};
  const current: { invocationContext: unknown } = { invocationContext: undefined };
  const core = coreContext(fn, input, (level, category, text) => {
    logWithHooks(deps, { level, message: text, category, hookData, appHookData, ...current }, fn.metadata.name);
  });
  const model = registrations.model.getInvocationModel(core);
  const { context, inputs } = await model.getArguments();
  current.invocationContext = context;

  const before = { hookData, appHookData, invocationContext: context, inputs, functionCallback: fn.callback };
  core.state = 'preInvocationHooks';
  await runHooks(registrations, 'preInvocation', before);

  const after = { hookData, appHookData, invocationContext: context, inputs: before.inputs, ...nothingYet };
  core.state = 'invocation';
  try {
    after.result = await model.invokeFunction(context, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  core.state = 'postInvocationHooks';
  await runHooks(registrations, 'postInvocation', after);
  core.state = undefined;
  // eslint-disable-next-line @typescript-eslint/only-throw-error -- whatever the function threw goes on unchanged
  if (after.error !== null && after.error !== undefined) throw after.error;
  return (await model.getResponse(context, after.result)).returnValue;
}

const nothingYet: { result: unknown; error: unknown } = { result: null, error: null };

function coreContext(
  fn: RegisteredFunction,
  input: TriggerInput,
  log: CoreInvocationContext['log'],
): CoreInvocationContext {
  const invocationId = randomUUID();
  const trigger = Object.entries(fn.metadata.bindings).find(([, binding]) => /trigger$/i.test(binding.type));
  if (!trigger) throw new Error(`${fn.metadata.name} has no trigger.`);
  return {
    invocationId,
    metadata: fn.metadata,
    request: {
      invocationId,
      inputData: [{ name: trigger[0], data: input.data }],
      triggerMetadata: input.metadata ?? {},
    },
    state: undefined,
    log,
  };
}

interface LogHookContext {
  level: LogLevel;
  message: string;
  category: string;
  hookData: object;
  appHookData: object;
  invocationContext: unknown;
}

/** The app's log hooks see a line first and may change its text or level. */
function logWithHooks({ registrations, log }: InvokeDeps, line: LogHookContext, source: string): void {
  for (const hook of registrations.hooks.log) void hook(line);
  if (line.level !== 'none') log(line.level, source, line.message);
}

async function runHooks(registrations: Registrations, name: HookName, context: object): Promise<void> {
  for (const hook of registrations.hooks[name]) await hook(context);
}

function compareNames(left: RegisteredFunction, right: RegisteredFunction): number {
  const [leftName, rightName] = [left.metadata.name.toUpperCase(), right.metadata.name.toUpperCase()];
  return leftName < rightName ? -1 : leftName > rightName ? 1 : 0;
}
