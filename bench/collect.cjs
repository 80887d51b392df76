// On SIGUSR2 the process collects its garbage, so that its resident memory shows what it keeps.
require('node:v8').setFlagsFromString('--expose-gc');
const collect = require('node:vm').runInNewContext('gc');
process.on('SIGUSR2', () => collect());
