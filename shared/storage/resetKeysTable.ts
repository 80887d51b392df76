// The ResetKeys table: partition = hash of the address, row = SHA-256 of the key's `jti`.
import * as z from 'zod';
import type { BoundKey, ResetKeyStore } from '../resetLinks';
import type { TableStore } from './tableStore';

const columns = z.object({
  accountId: z.string().min(1),
  credentialVersion: z.string().min(1),
  expiresAt: z.date(),
});

export function createResetKeysTable(table: TableStore): ResetKeyStore {
  const find = async (addressHash: string, resetKeyId: string): Promise<BoundKey | undefined> => {
    const row = columns.safeParse(await table.get(addressHash, resetKeyId));
    return row.success ? { addressHash, resetKeyId, ...row.data } : undefined;
  };
  return {
    find,
    bind: async ({ addressHash, resetKeyId, accountId, credentialVersion, expiresAt }) => {
      const written = await table.insert(addressHash, resetKeyId, { accountId, credentialVersion, expiresAt });
      if (written !== 'exists') return 'bound';
      const there = await find(addressHash, resetKeyId);
      const same = there?.accountId === accountId && there.credentialVersion === credentialVersion;
      return same ? 'bound' : 'taken';
    },
  };
}
