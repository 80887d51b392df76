// A real browser for the tests: @sparticuz/chromium under playwright-core, with nothing installed by hand. Where it cannot run the
// tests say so and count as skipped.
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { z } from 'zod';

const root = path.join(__dirname, '../..');
const { version } = z
  .object({ version: z.string() })
  .parse(JSON.parse(readFileSync(path.join(root, 'node_modules/@sparticuz/chromium/package.json'), 'utf8')));

// The package's own arguments are for AWS Lambda: one process, no web security. These tests want the browser people have.
const args = [
  ...['--no-sandbox', '--no-zygote', '--disable-gpu', '--disable-background-networking', '--disable-component-update'],
  ...['--disable-sync', '--no-first-run', '--disable-dev-shm-usage'],
];

/** Unpacks the browser once per version and machine; whole or not at all, whoever else does the same. */
function executablePath(): string {
  const home = path.join(tmpdir(), `test-chromium-${version}`);
  const executable = path.join(home, 'chromium');
  if (existsSync(executable)) return executable;
  const draft = mkdtempSync(`${home}-`);
  const unpack = "import('@sparticuz/chromium').then(({ default: chromium }) => chromium.executablePath())";
  execFileSync(process.execPath, ['-e', unpack], {
    cwd: root,
    env: { ...process.env, TMPDIR: draft },
  });
  try {
    renameSync(draft, home);
  } catch {
    rmSync(draft, { recursive: true, force: true }); // another process was faster
  }
  return executable;
}

/** Tests are skipped before anything asynchronous can run, so another process tries. @returns undefined when it runs */
function whyNot(): string | undefined {
  try {
    const options = JSON.stringify({ executablePath: executablePath(), args, headless: true, timeout: 60_000 });
    const tryIt = `require('playwright-core').chromium.launch(${options}).then((browser) => browser.close())`;
    execFileSync(process.execPath, ['-e', tryIt], { cwd: root, stdio: 'pipe', timeout: 70_000 });
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message.split('\n').slice(0, 8).join(' ') : String(error);
  }
}

/** `describe` for tests in a browser; `browser()` is there from `beforeAll` on. */
export function describeInBrowser(name: string, tests: (browser: () => Browser) => void): void {
  const reason = whyNot();
  if (reason !== undefined) {
    // Not console.warn: jest keeps that to itself when a whole file is skipped.
    writeSync(2, `\nSKIPPED: "${name}": this machine cannot run the browser: ${reason}\n`);
    describe.skip(name, () => tests(() => chromium as never));
    return;
  }
  describe(name, () => {
    let browser: Browser | undefined;
    beforeAll(async () => {
      browser = await chromium.launch({ executablePath: executablePath(), args, headless: true });
    });
    afterAll(() => browser?.close());
    tests(() => {
      if (browser === undefined) throw new Error('the browser starts in beforeAll');
      return browser;
    });
  });
}
