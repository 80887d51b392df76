// Run in a process of its own: `node bench/loadTime.cjs FILE` prints how many milliseconds `require(FILE)` takes.
// The host's own module has no file, so it is answered here.
const Module = require('node:module');
const { performance } = require('node:perf_hooks');
const load = Module._load;
const core = { setProgrammingModel() {}, registerFunction() {}, registerHook() {}, log() {} };
Module._load = function (id, ...rest) {
  return id === '@azure/functions-core' ? core : load.call(this, id, ...rest);
};
const startedAt = performance.now();
require(process.argv[2]);
process.stderr.write(`LOADED ${performance.now() - startedAt}\n`);
process.exit(0);
