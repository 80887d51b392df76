// Loads the app BENCH_APP. In a host: prints how long each call of its queue function took (`TOOK ms`). By itself, as
// `node bench/timed.cjs`: prints how long loading took (`LOADED ms`).
const Module = require('node:module');
const { performance } = require('node:perf_hooks');
const inHost = require.main !== module;
const core = inHost ? require('@azure/functions-core') : { registerHook() {}, log() {}, setProgrammingModel() {} };
const timed =
  (callback) =>
  async (...args) => {
    const startedAt = performance.now();
    try {
      return await callback(...args);
    } finally {
      process.stderr.write(`TOOK ${performance.now() - startedAt}\n`);
    }
  };
const wrapped = {
  ...core,
  registerFunction(metadata, callback) {
    const isQueue = Object.values(metadata.bindings).some(({ type }) => type === 'queueTrigger');
    return core.registerFunction?.(metadata, isQueue ? timed(callback) : callback);
  },
};
const load = Module._load;
Module._load = function (id, ...rest) {
  return id === '@azure/functions-core' ? wrapped : load.call(this, id, ...rest);
};
const startedAt = performance.now();
require(process.env.BENCH_APP);
if (!inHost) {
  process.stderr.write(`LOADED ${performance.now() - startedAt}\n`);
  process.exit(0);
}
