// The suites of the pure modules and of the story: no Azurite, no bundle.
const all = require('../jest.config.js');

module.exports = {
  ...all,
  rootDir: '..',
  globalSetup: undefined,
  globalTeardown: undefined,
  testMatch: [
    '<rootDir>/test/shared/{address,limits,resetKey,resetFlow.*,upgrade}.test.ts',
    '<rootDir>/test/shared/outbox/*.test.ts',
    '<rootDir>/test/shared/password/passwordRules.test.ts',
  ],
};
