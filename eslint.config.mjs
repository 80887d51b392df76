// Lint rules, among them the import boundaries (`functions → shared flow → interfaces ← adapters`) and that only config.ts reads
// process.env.
import js from '@eslint/js';
import tseslint from 'typescript-eslint';

const only = (group, message) => ({ group, message });
const azureFunctions = only(
  ['@azure/functions', '@azure/functions-core'],
  'Only functions/, dev/ and test/ know the host.',
);
const devOnly = only(
  ['**/dev/**', '**/test/**', '**/bench/**', '**/cli/**'],
  'The deployed app never imports dev/, cli/, test/ or bench/.',
);
const upward = only(['**/functions/**'], 'Imports go one way: functions → shared.');
const storage = only(
  ['@azure/data-tables', '@azure/storage-queue', '@azure/identity'],
  'Only shared/storage/ and services.ts know Azure Storage.',
);
const jwt = only(['jsonwebtoken'], 'Only shared/resetKey.ts knows jsonwebtoken.');
const mailers = only(['nodemailer', '@sendgrid/*'], 'Only the e-mail backends know their client.');
const environment = {
  'no-restricted-properties': [
    'error',
    { object: 'process', property: 'env', message: 'Only shared/config.ts reads process.env.' },
  ],
};
const boundaries = (...patterns) => ({ 'no-restricted-imports': ['error', { patterns }] });

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      // A guard clause may `return report(…)`: early ends read better in one line.
      '@typescript-eslint/no-confusing-void-expression': 'off',
      'no-console': 'error',
    },
  },
  {
    files: ['shared/**/*.ts'],
    rules: { ...environment, ...boundaries(azureFunctions, devOnly, upward, storage, jwt, mailers) },
  },
  { files: ['shared/config.ts'], rules: { 'no-restricted-properties': 'off' } },
  { files: ['shared/resetKey.ts'], rules: boundaries(azureFunctions, devOnly, upward, storage, mailers) },
  { files: ['shared/services.ts'], rules: boundaries(azureFunctions, devOnly, upward, jwt, mailers) },
  { files: ['shared/storage/**/*.ts'], rules: boundaries(azureFunctions, devOnly, upward, jwt, mailers) },
  {
    files: ['shared/mail/backends/**/*.ts'],
    rules: boundaries(azureFunctions, devOnly, upward, storage, jwt),
  },
  { files: ['functions/**/*.ts'], rules: { ...environment, ...boundaries(devOnly, storage, jwt, mailers) } },
  {
    files: ['cli/**/*.ts', 'dev/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts'],
    rules: { 'no-console': 'off', '@typescript-eslint/no-empty-function': 'off' },
  },
  {
    files: ['test/**/*.ts'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSAsExpression > TSAsExpression[typeAnnotation.type="TSUnknownKeyword"]',
          message: 'A cast by way of `unknown` hides the next rename: build the real thing.',
        },
      ],
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
    },
  },
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    languageOptions: {
      globals: {
        process: 'readonly',
        console: 'readonly',
        module: 'writable',
        require: 'readonly',
        __dirname: 'readonly',
      },
    },
  },
);
