// The Accounts table: the flow's three calls. The operator's changes are in accountsAdmin.ts.
// Partition = `sub` of the stored address, row = the account's id; docs/accounts-table.md is the public contract.
import { odata } from '@azure/data-tables';
import { z } from 'zod';
import type { Account, Accounts, PasswordChange } from '../accounts';
import { credentialVersionOf } from '../accounts';
import { parseAddress, subjectOf } from '../address';
import { StorageUnavailable } from '../errors';
import type { Emit } from '../events';
import type { Row, TableStore } from './tableStore';

const maxTries = 4;
/** docs/accounts-table.md. The second bound is what a sealed message can hold, whatever script the id is written in. */
const maxIdChars = 256;
const maxIdBytes = 600;
const text = z
  .string()
  .nullish()
  .transform((value) => value ?? '');
const columns = z.object({
  partitionKey: z.string(),
  rowKey: z.string(),
  etag: z.string(),
  email: z.string(),
  username: z.string().min(1),
  password: text,
  isActive: z
    .boolean()
    .nullish()
    .transform((value) => value ?? true),
  generation: z
    .union([z.int().min(0), z.bigint().transform(Number)])
    .nullish()
    .transform((value) => value ?? 0),
  locale: text,
  lastResetKeyId: text,
});

/** Does an account id fit into a sealed message? 1–256 characters, and at most 600 bytes as JSON. */
export function isShortId(id: string): boolean {
  return id !== '' && id.length <= maxIdChars && Buffer.byteLength(JSON.stringify(id)) <= maxIdBytes;
}

export type AccountRow = { readonly account: Account } | { readonly problem: string };

/** Reads a row that anybody may have edited. A row whose address does not belong to its partition is no account. */
export function accountOf(row: Row): AccountRow {
  const parsed = columns.safeParse(row);
  if (!parsed.success) return { problem: `bad_column_${String(parsed.error.issues[0]?.path[0] ?? '')}` };
  const {
    partitionKey: sub,
    rowKey: id,
    email,
    username,
    password,
    isActive,
    generation,
    etag,
    locale,
    lastResetKeyId,
  } = parsed.data;
  if (!isShortId(id)) return { problem: 'bad_id' };
  if (parseAddress(email) !== email) return { problem: 'bad_address' };
  if (subjectOf(email) !== sub) return { problem: 'address_of_another_partition' };
  return {
    account: {
      sub,
      id,
      email,
      username,
      password,
      isActive,
      generation,
      etag,
      ...(locale !== '' && { locale }),
      ...(lastResetKeyId !== '' && { lastResetKeyId }),
    },
  };
}

export function createAccountsTable(table: TableStore, emit: Emit): Accounts {
  const read = (row: Row): Account[] => {
    const result = accountOf(row);
    if ('account' in result) return [result.account];
    // Not the id: a site may use addresses as ids.
    emit({ event: 'accountRowSkipped', level: 'warn', sub: row.partitionKey ?? '', reason: result.problem });
    return [];
  };
  const findBySubject = async (sub: string, signal: AbortSignal): Promise<Account[]> => {
    const accounts: Account[] = [];
    for await (const row of table.list(odata`PartitionKey eq ${sub}`, signal)) accounts.push(...read(row));
    return accounts.sort((a, b) => (a.id < b.id ? -1 : 1));
  };
  return {
    findBySubject,
    findByAddress: (address, signal) => findBySubject(subjectOf(address), signal),
    setPassword: async (asRead, change, signal) => {
      const expected = credentialVersionOf(asRead);
      let account = asRead;
      for (let tries = 0; tries < maxTries; tries++) {
        const written = await table.merge(account.sub, account.id, changed(account, change), account.etag, signal);
        if (written !== 'stale') return 'changed';
        const row = await table.get(account.sub, account.id, signal);
        const [now] = row === undefined ? [] : read(row);
        if (now === undefined) return 'superseded';
        if (now.password === change.password) return 'changed'; // ours: the reply to the write was lost
        if (credentialVersionOf(now) !== expected) return 'superseded';
        account = now; // another column was edited meanwhile
      }
      throw new StorageUnavailable('tables', 'contended');
    },
  };
}

const changed = (account: Account, { password, resetKeyId, at }: PasswordChange) => ({
  password,
  generation: account.generation + 1,
  lastResetKeyId: resetKeyId,
  passwordChangedAt: at,
});
