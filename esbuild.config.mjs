// Builds the deployed artefact: CommonJS, one file that a cold start loads, and one file for each large library that a first call needs.
// `@azure/functions-core` comes from the host; `@node-rs/argon2` is native and ships beside the bundle.
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

/** Imports that become a file of their own, by the last part of their path. */
const chunks = {
  storageSdk: 'shared/storage/storageSdk.ts',
  storageHttp: 'shared/storage/storageHttp.ts',
  identity: '@azure/identity',
  undici: 'undici', // the storage SDK's and SendGrid's HTTP client
  commonPasswords: '@zxcvbn-ts/language-common',
  nodemailer: 'nodemailer',
  sendgridSdk: 'shared/mail/backends/sendgridSdk.ts',
};

const splitChunks = {
  name: 'split-chunks',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /.*/ }, ({ path: wanted, kind }) => {
      if (kind === 'entry-point') return wanted === 'undici' ? { path: wanted, namespace: 'undici' } : undefined;
      const name = Object.keys(chunks).find((chunk) => chunks[chunk] === wanted || wanted === `./${chunk}`);
      const isOwnModule = name !== undefined && wanted.startsWith('./') && !chunks[name].startsWith('shared/');
      return name === undefined || isOwnModule ? undefined : { path: `./${name}.js`, external: true };
    });
    // Its dispatchers alone: fetch, WebSocket, caches and mocks are most of it, and take 12 ms to load.
    const contents = `
      const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
      Object.assign(Dispatcher.prototype, require('undici/lib/api')); // a proxy is reached by \`connect\`
      exports.EnvHttpProxyAgent = require('undici/lib/dispatcher/env-http-proxy-agent.js');`;
    onLoad({ filter: /.*/, namespace: 'undici' }, () => ({ contents, resolveDir: '.' }));
  },
};

/** Leaves out what is not used: less to compile at a cold start. */
const leaveOut = {
  name: 'leave-out',
  setup({ onResolve, onLoad, resolve }) {
    // Azure's packages say that they have no side effects, but not in the package.json beside their ES modules.
    onResolve({ filter: /^\./ }, ({ path: wanted, resolveDir }) => {
      const [, root] = /^(.*node_modules.(?:@azure|@typespec).[^\\/]+).dist.esm/.exec(resolveDir) ?? [];
      if (root === undefined) return undefined;
      const { sideEffects } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
      return sideEffects === false ? { path: path.join(resolveDir, wanted), sideEffects } : undefined;
    });
    onResolve({ filter: /^https?-proxy-agent$/ }, async ({ path: wanted, pluginData, ...where }) =>
      pluginData === 'resolved'
        ? undefined
        : { ...(await resolve(wanted, { ...where, pluginData: 'resolved' })), sideEffects: false },
    );
    // jsonwebtoken asks semver whether this is Node 6, 15.7 and 16.9 or later.
    onLoad({ filter: /jsonwebtoken.lib.(?:psSupported|\w+DetailsSupported)\.js$/ }, () => ({
      contents: 'module.exports = true;',
    }));
  },
};

/** @type {import('esbuild').BuildOptions} */
const common = {
  outdir: 'dist',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // The storage SDK's ESM asks where it is; in a CommonJS bundle esbuild would answer undefined, and the SDK would throw.
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  legalComments: 'none',
  external: ['@azure/functions-core', '@node-rs/argon2'],
  logLevel: 'warning',
  write: false,
};
const app = await build({
  ...common,
  entryPoints: { main: 'functions/main.ts', ...chunks },
  plugins: [splitChunks, leaveOut],
  // import() becomes require(): by way of the ES module loader, each file is parsed once more for its exports.
  supported: { 'dynamic-import': false },
  sourcemap: true,
  sourcesContent: false,
  // Less to compile at a cold start; names stay, so that a stack frame says something.
  minifyWhitespace: true,
  minifySyntax: true,
});
// Never deployed; as a bundle it starts several times faster than from its sources.
const devHost = await build({ ...common, entryPoints: { 'dev/host': 'dev/host/main.ts' } });
// Renamed into place: who loads the bundle meanwhile gets the old one or the new one, never half of one.
for (const { path: file, contents } of [...app.outputFiles, ...devHost.outputFiles]) {
  const draft = `${file}.${process.pid}.tmp`;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(draft, contents);
  renameSync(draft, file);
}
// What is packaged is whatever is here: a file that an earlier build made must not stay.
const made = new Set(app.outputFiles.map(({ path: file }) => path.basename(file)));
for (const name of readdirSync('dist')) if (/\.js(?:\.map)?$/.test(name) && !made.has(name)) rmSync(`dist/${name}`);
