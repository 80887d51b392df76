// Bundles the dev host into one file, since loading that is several times faster than loading it through tsx.
import { existsSync, readdirSync, renameSync, statSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';

const sourceDirectory = __dirname;
const mailboxDirectory = path.join(__dirname, '../mailbox');
const outfile = path.join(__dirname, '../../dist/dev-host.js');

/**
 * Bundles dev/host/main.ts unless the bundle is newer than its sources. Safe to call from several processes at once.
 * @returns the bundle's path, to be run with `node`.
 */
export async function buildDevHost(): Promise<string> {
  if (isUpToDate()) return outfile;
  const draft = `${outfile}.${process.pid}.tmp.js`;
  await build({
    entryPoints: [path.join(sourceDirectory, 'main.ts')],
    outfile: draft,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // The storage SDK's ESM asks where it is; in a CommonJS bundle esbuild would answer undefined, and the SDK would throw.
    define: { 'import.meta.url': 'bundleUrl' },
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__filename).href;" },
    legalComments: 'none',
    logLevel: 'warning',
  });
  renameSync(draft, outfile);
  return outfile;
}

function isUpToDate(): boolean {
  if (!existsSync(outfile)) return false;
  const sources = [sourceDirectory, mailboxDirectory].flatMap((directory) =>
    readdirSync(directory).map((name) => statSync(path.join(directory, name)).mtimeMs),
  );
  return statSync(outfile).mtimeMs > Math.max(...sources);
}
