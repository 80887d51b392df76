// Loaded by the dev host in place of an app: loads the bundle BENCH_APP and prints how long each call of its queue function took.
const Module = require('node:module');
const { performance } = require('node:perf_hooks');
const core = require('@azure/functions-core');
const load = Module._load;
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
    return core.registerFunction(metadata, isQueue ? timed(callback) : callback);
  },
};
Module._load = function (id, ...rest) {
  return id === '@azure/functions-core' ? wrapped : load.call(this, id, ...rest);
};
require(process.env.BENCH_APP);
