// The operator's changes of the Accounts table, for the command lines and the sample accounts. Every write is conditional, and
// whatever may end a person's access raises `generation`, which ends the live reset keys.
import { addressHashOf, normalizeAddress } from '../../shared/address';
import { systemClock, type Clock } from '../../shared/clock';
import { readAccountRow, type AccountRow } from '../../shared/storage/accountsTable';
import {
  equals,
  updateRow,
  type Columns,
  type Decision,
  type Row,
  type TableStore,
} from '../../shared/storage/storage';
import { moveAccount } from './accountMove';
import type { NewAccount } from './newAccount';

/** A row as an operator sees it: the account in it, or what is wrong with it. */
export interface AccountRecord {
  readonly addressHash: string;
  readonly id: string;
  /** As stored; may be anything in a broken row. */
  readonly row: Row;
  readonly read: AccountRow | { readonly problem: string };
}

/** `stale_row`: the row is gone, or is no account any more. `contended`: others kept writing it; repeat the call. */
export type Changed = 'changed' | 'unchanged' | 'stale_row' | 'contended';

export interface ImportRules {
  /** Also change the row that is there. */
  readonly update: boolean;
  /** Whose password stays if the row's was set here (a reset, `accounts set-password`) and the file's differs. */
  readonly passwords: 'keep' | 'import';
}

/** What became of one row of an import. */
export interface Imported {
  /** `existing`: the row there is left as it is. `broken`: it cannot be read as an account. */
  readonly outcome: 'added' | 'existing' | 'updated' | 'unchanged' | 'broken' | 'contended';
  /** The row keeps a password that was set here and differs from the file's. */
  readonly kept: boolean;
}

export type AccountsAdmin = ReturnType<typeof createAccountsAdmin>;

/** Every call throws `StorageUnavailable` if the table does not answer; each is safe to repeat. */
export function createAccountsAdmin(table: TableStore, clock: Clock = systemClock) {
  const rowsOf = async (filter: string): Promise<AccountRecord[]> => {
    const records: AccountRecord[] = [];
    for await (const row of table.list(filter)) records.push(recordOf(row));
    return records.sort((a, b) => (a.id < b.id ? -1 : 1));
  };
  const add = async (account: NewAccount): Promise<'added' | 'exists'> => {
    const { id, email, createdAt = clock(), ...columns } = account;
    const inserted = { ...columns, email, knownEmail: email, createdAt, generation: 0 };
    return (await table.insert(addressHashOf(email), id, inserted)) === 'exists' ? 'exists' : 'added';
  };
  /** @param decide gives the columns to write, or undefined to leave the account as it is */
  const change = async (
    { addressHash, id, row }: AccountRecord,
    decide: (account: AccountRow) => Columns | undefined,
  ): Promise<Changed> => {
    const decideRow = (now: Row | undefined): Decision<Changed> => {
      const account = now && readAccountRow(now);
      if (account === undefined || 'problem' in account) return { result: 'stale_row' };
      const columns = decide(account);
      return { columns, result: columns === undefined ? 'unchanged' : 'changed' };
    };
    const updated = await updateRow(table, addressHash, id, decideRow, row);
    return updated.outcome === 'contended' ? 'contended' : updated.result;
  };
  return {
    /** All rows in the partition of an address, broken ones too, by id. */
    findByAddress: (address: string) => rowsOf(equals('PartitionKey', addressHashOf(address))),
    /** Rows with this address in another partition than its own: somebody edited the address by hand. Scans the whole table. */
    findMisplaced: async (address: string): Promise<AccountRecord[]> => {
      const found = await rowsOf(equals('email', address));
      const lower = normalizeAddress(address);
      if (lower !== address) found.push(...(await rowsOf(equals('email', lower))));
      return found.filter(({ addressHash }) => addressHash !== addressHashOf(address));
    },
    /** All rows with this id. Scans the whole table: seconds per 100,000 rows. */
    findById: (id: string) => rowsOf(equals('RowKey', id)),
    /** Every row, page by page (1,000 each); memory does not grow with the table. */
    list: async function* (): AsyncGenerator<AccountRecord> {
      for await (const row of table.list(everyRow)) yield recordOf(row);
    },
    /** The partition of every id, from the keys alone. */
    listKeys: async (): Promise<Map<string, string>> => {
      const keys = new Map<string, string>();
      for await (const { partitionKey = '', rowKey = '' } of table.list(everyRow, ['PartitionKey', 'RowKey'])) {
        keys.set(rowKey, partitionKey);
      }
      return keys;
    },
    add,
    /** Allows or forbids log-in and reset; `generation + 1` if that changes anything. */
    setActive: (record: AccountRecord, isActive: boolean) =>
      change(record, (now) => (now.isActive === isActive ? undefined : { isActive, generation: now.generation + 1 })),
    /** `generation + 1`: ends every live reset key, and the sessions of a site that compares it. */
    revoke: (record: AccountRecord) => change(record, ({ generation }) => ({ generation: generation + 1 })),
    /** @param password in Django's encoded format */
    setPassword: (record: AccountRecord, password: string) =>
      change(record, (now) => {
        return { password, generation: now.generation + 1, passwordChangedAt: clock(), lastResetKeyId: '' };
      }),
    /** Changes the address, which moves the row to another partition. */
    setEmail: (record: AccountRecord, email: string) => moveAccount(table, record.row, email),
    /** Inserts the account, or leaves alone (or, by the rules, updates) the row with its id at its address. */
    importAccount: async (account: NewAccount, rules: ImportRules): Promise<Imported> => {
      let kept = false;
      if ((await add(account)) === 'added') return { outcome: 'added', kept };
      if (!rules.update) return { outcome: 'existing', kept };
      const row = await table.get(addressHashOf(account.email), account.id);
      if (row === undefined) return { outcome: 'existing', kept }; // removed since; the next import adds it
      const outcome = await change(recordOf(row), (now) => {
        const isSetHere = now.lastResetKeyId !== undefined || now.passwordChangedAt !== undefined;
        kept = rules.passwords === 'keep' && isSetHere && now.password !== account.password;
        return importChanges(now, kept ? { ...account, password: now.password } : account);
      });
      return { outcome: importWords[outcome], kept };
    },
  };
}

const importWords = {
  changed: 'updated',
  unchanged: 'unchanged',
  stale_row: 'broken',
  contended: 'contended',
} as const;
const everyRow = "PartitionKey ge ''";

const recordOf = (row: Row): AccountRecord => ({
  addressHash: row.partitionKey ?? '',
  id: row.rowKey ?? '',
  row,
  read: readAccountRow(row),
});

/** What an import writes into a row that is there; a change of who may do what ends the keys of before. */
function importChanges(now: AccountRow, account: NewAccount): Columns | undefined {
  const { email, username, password, isActive, locale = now.locale, createdAt } = account;
  const isOtherAccess = now.email !== email || now.password !== password || now.isActive !== isActive;
  const isOlder = createdAt !== undefined && now.createdAt === undefined;
  if (!isOtherAccess && !isOlder && now.username === username && now.locale === locale) return undefined;
  const generation = isOtherAccess ? now.generation + 1 : undefined;
  const columns = { email, knownEmail: email, username, password, isActive, locale, generation };
  return isOlder ? { ...columns, createdAt } : columns;
}
