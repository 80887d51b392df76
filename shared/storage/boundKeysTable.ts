// The ResetKeys table: partition = `sub`, row = SHA-256 of the key's `jti`.
import { z } from 'zod';
import type { BoundKey, BoundKeys } from '../boundKeys';
import type { TableStore } from './tableStore';

const columns = z.object({
  accountId: z.string().min(1),
  credentialVersion: z.string().min(1),
  expiresAt: z.date(),
});

export function createBoundKeysTable(table: TableStore): BoundKeys {
  const find = async (sub: string, resetKeyId: string, signal: AbortSignal): Promise<BoundKey | undefined> => {
    const row = columns.safeParse(await table.get(sub, resetKeyId, signal));
    return row.success ? { sub, resetKeyId, ...row.data } : undefined;
  };
  return {
    find,
    bind: async ({ sub, resetKeyId, accountId, credentialVersion, expiresAt }, signal) => {
      const written = await table.insert(sub, resetKeyId, { accountId, credentialVersion, expiresAt }, signal);
      if (written !== 'exists') return 'bound';
      const there = await find(sub, resetKeyId, signal);
      const same = there?.accountId === accountId && there.credentialVersion === credentialVersion;
      return same ? 'bound' : 'taken';
    },
  };
}
