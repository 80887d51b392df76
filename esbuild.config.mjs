// Builds the deployed artefact: one CommonJS bundle, so that a cold start loads one file.
// `@azure/functions-core` comes from the host; `@node-rs/argon2` is native and ships beside the bundle.
import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const { outputFiles } = await build({
  entryPoints: ['functions/main.ts'],
  outfile: 'dist/main.js',
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  sourcemap: true,
  sourcesContent: false,
  // The storage SDK's ESM asks where it is; in a CommonJS bundle esbuild would answer undefined, and the SDK would throw.
  define: { 'import.meta.url': 'bundleUrl' },
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
  legalComments: 'none',
  // Less to compile at a cold start; names stay, so that a stack frame says something.
  minifyWhitespace: true,
  minifySyntax: true,
  external: ['@azure/functions-core', '@node-rs/argon2'],
  logLevel: 'warning',
  write: false,
});
// Renamed into place: who loads the bundle meanwhile gets the old one or the new one, never half of one.
for (const { path: file, contents } of outputFiles) {
  const draft = `${file}.${process.pid}.tmp`;
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(draft, contents);
  renameSync(draft, file);
}
