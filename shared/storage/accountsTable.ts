// The account directory in this app's own table. Partition = hash of the stored address, row = the account's id;
// docs/accounts-table.md is the public contract.
import { createHash } from 'node:crypto';
import * as z from 'zod';
import { addressHashOf, parseAddress } from '../address';
import type { Account, AccountDirectory, PasswordChange, SetPasswordOutcome } from '../directory/accountDirectory';
import type { Emit } from '../events';
import { isAccountId } from '../mailRequest';
import { equals, updateRow, type Row, type TableStore } from './storage';

/** An optional column; some tools write `null` for one that is not there. */
const orElse = <T, U>(schema: z.ZodType<T>, fallback: U) => schema.nullish().transform((value) => value ?? fallback);
const columns = z.lazy(() =>
  z.object({
    partitionKey: z.string(),
    rowKey: z.string(),
    etag: z.string(),
    email: z.string(),
    username: z.string().min(1),
    password: orElse(z.string(), ''),
    isActive: orElse(z.boolean(), true),
    generation: orElse(z.union([z.int().min(0), z.bigint().transform(Number)]), 0),
    locale: orElse(z.string(), ''),
    lastResetKeyId: orElse(z.string(), ''),
    passwordChangedAt: orElse(z.date(), undefined),
    createdAt: orElse(z.date(), undefined),
  }),
);

/** A row that can be used as an account. */
export interface AccountRow extends Omit<Account, 'canReset' | 'credentialVersion' | 'revision'> {
  /** Django's encoded format; empty or `!…` means that the account has no usable password. */
  readonly password: string;
  readonly isActive: boolean;
  /** Raised by every redemption, address change, disabling and revocation: ends sessions and keys of before. */
  readonly generation: number;
  readonly etag: string;
}

/** Reads a row that anybody may have edited. A row whose address does not belong to its partition is no account. */
export function readAccountRow(row: Row): AccountRow | { readonly problem: string } {
  const parsed = columns.safeParse(row);
  if (!parsed.success) return { problem: `bad_column_${String(parsed.error.issues[0]?.path[0] ?? '')}` };
  const { partitionKey: addressHash, rowKey: id, ...rest } = parsed.data;
  const { locale, lastResetKeyId, passwordChangedAt, createdAt } = rest;
  if (!isAccountId(id)) return { problem: 'bad_id' };
  if (parseAddress(rest.email) !== rest.email) return { problem: 'bad_address' };
  if (addressHashOf(rest.email) !== addressHash) return { problem: 'address_of_another_partition' };
  const optional = { locale: locale || undefined, lastResetKeyId: lastResetKeyId || undefined };
  return { ...rest, ...optional, addressHash, id, passwordChangedAt, createdAt };
}

/** SHA-256 over id, address, password, generation and active, base64url. Keys bound by every version of the app depend on it. */
function credentialVersionOf({ id, email, password, generation, isActive }: AccountRow): string {
  return createHash('sha256')
    .update(JSON.stringify([id, email, password, generation, isActive]), 'utf8')
    .digest('base64url');
}

/** The account that a row stands for. */
export function accountOf(row: AccountRow): Account {
  const { password, isActive, generation, etag, ...account } = row;
  const canReset = isActive && password !== '' && !password.startsWith('!');
  const revision = JSON.stringify({ generation, etag } satisfies Revision);
  return { ...account, canReset, credentialVersion: credentialVersionOf(row), revision };
}

interface Revision {
  readonly generation: number;
  readonly etag: string;
}

/** @param alertOperators told of a row that kept its holder from getting a mail */
export function createAccountsTable(
  table: TableStore,
  emit: Emit,
  alertOperators?: (addressHash: string, reason: string) => Promise<void>,
): AccountDirectory {
  const read = (row: Row): AccountRow | { readonly problem: string } => {
    const account = readAccountRow(row);
    if ('problem' in account) {
      // Not the id: a site may use addresses as ids.
      const addressHash = row.partitionKey ?? '';
      emit({ event: 'accountRowSkipped', level: 'error', addressHash, reason: account.problem });
    }
    return account;
  };
  const rowsOf = async (addressHash: string): Promise<(AccountRow | { readonly problem: string })[]> => {
    const rows = [];
    for await (const row of table.list(equals('PartitionKey', addressHash))) rows.push(read(row));
    return rows;
  };
  const accountsIn = (rows: Awaited<ReturnType<typeof rowsOf>>): Account[] =>
    rows.flatMap((row) => ('problem' in row ? [] : [accountOf(row)]));
  return {
    findByAddress: async (address) => {
      const addressHash = addressHashOf(address);
      const rows = await rowsOf(addressHash);
      const broken = rows.find((row) => 'problem' in row);
      if (broken !== undefined) await alertOperators?.(addressHash, broken.problem);
      return accountsIn(rows);
    },
    get: async (addressHash, id) => {
      // The whole partition, in parallel with whatever tells the id: an address has one account or a few.
      const [wanted, rows] = await Promise.all([id, rowsOf(addressHash)]);
      return accountsIn(rows).find((account) => account.id === wanted);
    },
    setPassword: async (account, change) => {
      if (account.credentialVersion === change.credentialVersion) {
        const { generation, etag } = JSON.parse(account.revision) as Revision;
        const written = await table.merge(account.addressHash, account.id, columnsOf(generation, change), etag);
        if (written !== 'stale') return { outcome: 'changed' };
      }
      // The row has changed: by this very redemption (its reply was lost), by another one, or in a column of no concern.
      const updated = await updateRow<SetPasswordOutcome>(table, account.addressHash, account.id, (row) => {
        const now = row && read(row);
        if (now === undefined || 'problem' in now) return { result: { outcome: 'superseded' } };
        const isRepeat = now.password === change.password && now.lastResetKeyId === change.resetKeyId;
        if (isRepeat) return { result: { outcome: 'changed' } };
        if (credentialVersionOf(now) !== change.credentialVersion) return { result: { outcome: 'superseded' } };
        return { columns: columnsOf(now.generation, change), result: { outcome: 'changed' } };
      });
      return updated.outcome === 'contended' ? updated : updated.result;
    },
  };
}

const columnsOf = (generation: number, { password, resetKeyId, at }: PasswordChange) => ({
  password,
  generation: generation + 1,
  lastResetKeyId: resetKeyId,
  passwordChangedAt: at,
});
