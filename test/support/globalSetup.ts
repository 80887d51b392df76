// Before all suites: builds the bundle under test and starts one Azurite for the whole run, with an account per store.
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { execFileSync } from 'node:child_process';
import { startAzurite, type Azurite } from '../../dev/azurite';
import { azuriteAccounts } from './storage';

declare global {
  var sharedAzurite: Azurite | undefined;
}

export default async function globalSetup(): Promise<void> {
  execFileSync(process.execPath, ['esbuild.config.mjs'], { cwd: path.join(__dirname, '../..'), stdio: 'inherit' });
  globalThis.sharedAzurite = await startAzurite({ accounts: azuriteAccounts });
  process.env['TEST_AZURITE'] = JSON.stringify(globalThis.sharedAzurite.ports);
  process.env['TEST_ACCOUNTS_TAKEN'] = mkdtempSync(path.join(tmpdir(), 'accounts-taken-'));
}
