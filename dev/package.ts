// `npm run package`: makes dist/app.zip, the very file that is deployed: the bundle, host.json and the native hash module.
// Reproducible: the same sources make the same bytes (one zlib, so: one Node version). Never part of what it packs.
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { ZipFile } from 'yazl';
import { z } from 'zod';

const root = path.join(__dirname, '..');
const nativeModule = '@node-rs/argon2';
/** What Azure Functions run on. */
const platform = 'linux-x64-gnu';
/** The DOS time stamp has no time zone: local midnight is written as the same bytes everywhere. */
const mtime = new Date(2020, 0, 1);
const manifestSchema = z.object({ name: z.string(), version: z.string(), main: z.string() });

export type PackedFiles = ReadonlyMap<string, Buffer>;

/**
 * What the package holds, sorted by path.
 * @throws Error when the bundle or the native module for Linux is missing; the message says what to run.
 */
export function packedFiles(): PackedFiles {
  const manifest = readManifest('package.json');
  const native = readManifest(`node_modules/${nativeModule}/package.json`);
  const files = new Map<string, Buffer>();
  const add = (name: string): unknown => files.set(name, readFileSync(path.join(root, name)));
  files.set('package.json', reducedManifest(manifest, native.version));
  add('host.json');
  for (const name of readdirSync(path.join(root, 'dist'))) if (name.endsWith('.js')) add(`dist/${name}`);
  for (const name of ['package.json', native.main, 'LICENSE']) add(`node_modules/${nativeModule}/${name}`);
  const folder = `node_modules/${nativeModule}-${platform}`;
  if (!existsSync(path.join(root, folder))) {
    const command = `npm install --no-save --force ${nativeModule}-${platform}@${native.version}`;
    throw new Error(`Azure runs on ${platform}, and its ${nativeModule} is not installed here. Run:\n  ${command}`);
  }
  for (const name of ['package.json', `argon2.${platform}.node`]) add(`${folder}/${name}`);
  return new Map([...files].sort(([left], [right]) => (left < right ? -1 : 1)));
}

/** Zips files; the bytes depend on names, contents and order alone. */
export async function zipFiles(files: PackedFiles): Promise<Buffer> {
  const zip = new ZipFile();
  for (const [name, content] of files) {
    zip.addBuffer(content, name, { mtime, forceDosTimestamp: true, mode: 0o100644, compressionLevel: 9 });
  }
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function readManifest(name: string): z.infer<typeof manifestSchema> {
  return manifestSchema.parse(JSON.parse(readFileSync(path.join(root, name), 'utf8')));
}

/** Only what the host reads (`main`) and what is installed beside the bundle: nothing that a remote build could act upon. */
function reducedManifest({ name, version, main }: z.infer<typeof manifestSchema>, nativeVersion: string): Buffer {
  const reduced = { name, version, private: true, main, dependencies: { [nativeModule]: nativeVersion } };
  return Buffer.from(`${JSON.stringify(reduced, null, 2)}\n`);
}

async function main(): Promise<void> {
  await promisify(execFile)(process.execPath, ['esbuild.config.mjs'], { cwd: root });
  const files = packedFiles();
  const bytes = await zipFiles(files);
  writeFileSync(path.join(root, 'dist/app.zip'), bytes);
  for (const [name, content] of files) console.log(`${kilobytes(content.length).padStart(9)}  ${name}`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  console.log(`dist/app.zip  ${kilobytes(bytes.length)}  sha256 ${sha256}`);
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} kB`;

if (require.main === module) {
  main().catch((error: unknown) => {
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  });
}
