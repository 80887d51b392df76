// After all suites: ends what globalSetup started.
import { rmSync } from 'node:fs';

export default async function globalTeardown(): Promise<void> {
  await globalThis.sharedAzurite?.close('SIGKILL'); // it keeps nothing; a polite end would wait for our idle connections
  const taken = process.env['TEST_ACCOUNTS_TAKEN'];
  if (taken !== undefined) rmSync(taken, { recursive: true, force: true });
}
