// On SIGUSR2 the process collects its garbage and prints what it keeps (`KEPT mb`): V8 puts collections off while there is memory.
require('node:v8').setFlagsFromString('--expose-gc');
const collect = require('node:vm').runInNewContext('gc');
process.on('SIGUSR2', () => {
  collect();
  process.stderr.write(`KEPT ${process.memoryUsage().heapUsed / 1e6}\n`);
});
