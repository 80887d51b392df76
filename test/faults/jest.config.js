// `npm run test:faults`: every cell of the matrix and ten minutes of the soak; `npm test` runs a part of both.
process.env.FAULTS = 'all';
const base = require('../../jest.config.js');
module.exports = { ...base, rootDir: '../..', testMatch: ['<rootDir>/test/faults/*.test.ts'] };
