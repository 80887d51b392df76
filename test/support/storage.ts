// Empty storage for a test: an account of the shared Azurite that no other test of the run has.
import { closeSync, openSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { connectionStringOf, type AzuritePorts } from '../../dev/azurite';
import { createStorageClients, type StorageClients } from '../../shared/storage/storage';

const accountKey = Buffer.alloc(64, 7).toString('base64');
const accountNames = Array.from({ length: 400 }, (_, index) => `test${index}`);

/** For `AZURITE_ACCOUNTS`. */
export const azuriteAccounts = accountNames.map((name) => `${name}:${accountKey}`).join(';');

/** A connection string to storage that is empty and nobody else's. */
export function emptyStorage(): string {
  const ports = z
    .object({ blob: z.number(), queue: z.number(), table: z.number() })
    .parse(JSON.parse(process.env['TEST_AZURITE'] ?? ''));
  const name = accountNames.find(isFree);
  if (name === undefined)
    throw new Error('all accounts of the shared Azurite are taken: raise the number in test/support/storage.ts');
  return connectionString(name, ports);
}

/** The same account seen through other ports, such as a proxy's. */
export function connectionString(name: string, ports: AzuritePorts): string {
  return connectionStringOf(ports, `${name}:${accountKey}`);
}

/** Our own clients on empty storage, with its tables and queues made. */
export async function emptyStorageClients(): Promise<StorageClients> {
  const storage = createStorageClients({ kind: 'connectionString', connectionString: emptyStorage() });
  await storage.createMissing();
  return storage;
}

/** Test files run in several processes: a file made with `wx` is the lock. */
function isFree(name: string): boolean {
  try {
    closeSync(openSync(path.join(process.env['TEST_ACCOUNTS_TAKEN'] ?? '', name), 'wx'));
    return true;
  } catch {
    return false;
  }
}
