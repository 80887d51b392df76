// The operator's changes of the Accounts table, for the CLIs and the sample accounts: every write is conditional, and whatever
// may end somebody's access raises `generation`, which kills the live reset keys. The flow itself uses accountsTable.ts.
import { odata } from '@azure/data-tables';
import type { Account } from '../accounts';
import { addressHashOf } from '../address';
import { StorageUnavailable } from '../errors';
import { accountOf, type AccountRow } from './accountsTable';
import { importDifferences, type Imported } from './accountImport';
import { moveAccount, type Moved } from './accountMove';
import type { NewAccount } from './newAccount';
import type { Columns, Row, TableStore } from './tableStore';

/** A row as an operator sees it: the account in it, or what is wrong with it. */
export interface AccountRecord {
  readonly sub: string;
  readonly id: string;
  /** As stored; may be anything in a broken row. */
  readonly row: Row;
  readonly read: AccountRow;
}

/** `stale_row`: the row is gone, or is no account any more. */
export type Changed = 'changed' | 'unchanged' | 'stale_row';

/** The contract. Every call throws `StorageUnavailable` when the table does not answer; repeat it then, each is safe to repeat. */
export interface AccountsAdmin {
  /** All rows in the partition of an address, broken ones too, by id. */
  findByAddress(address: string, signal: AbortSignal): Promise<AccountRecord[]>;
  /** All rows with this id, by a scan of the whole table: seconds per 100,000 rows. */
  findById(id: string, signal: AbortSignal): Promise<AccountRecord[]>;
  /** Every row, page by page (1,000 each); memory does not grow with the table. */
  list(signal: AbortSignal): AsyncIterable<AccountRecord>;
  /** The keys alone of every row, page by page. */
  listKeys(signal: AbortSignal): AsyncIterable<{ readonly sub: string; readonly id: string }>;
  add(account: NewAccount, signal: AbortSignal): Promise<'added' | 'exists'>;
  /** Allows or forbids log-in and reset; `generation + 1` when that changes anything. */
  setActive(record: AccountRecord, isActive: boolean, signal: AbortSignal): Promise<Changed>;
  /** `generation + 1`: every live reset key of the account is dead, and so are the sessions of a site that compares it. */
  revoke(record: AccountRecord, signal: AbortSignal): Promise<Changed>;
  /** Changes the address, which moves the row to another partition: see accountMove.ts. */
  setEmail(record: AccountRecord, email: string, signal: AbortSignal): Promise<Moved>;
  /** Inserts the account, or leaves alone (or, on demand, updates) the row with its id at its address. */
  importAccount(account: NewAccount, options: { readonly update: boolean }, signal: AbortSignal): Promise<Imported>;
}

const maxTries = 4;

export function createAccountsAdmin(table: TableStore): AccountsAdmin {
  const rowsOf = async (filter: string, signal: AbortSignal): Promise<AccountRecord[]> => {
    const records: AccountRecord[] = [];
    for await (const row of table.list(filter, signal)) records.push(recordOf(row));
    return records.sort((a, b) => (a.id < b.id ? -1 : 1));
  };
  const add = async (account: NewAccount, signal: AbortSignal) => {
    const written = await table.insert(addressHashOf(account.email), account.id, columnsOf(account), signal);
    return written === 'exists' ? 'exists' : 'added';
  };
  /** Reads, decides, writes by ETag, and looks again when somebody else was faster. */
  const change = async (
    { sub, id, read }: AccountRecord,
    decide: (account: Account) => Columns | undefined,
    signal: AbortSignal,
  ): Promise<Changed> => {
    let now: AccountRow | undefined = read;
    for (let tries = 0; tries < maxTries; tries++) {
      if (now === undefined || !('account' in now)) return 'stale_row';
      const columns = decide(now.account);
      if (columns === undefined) return 'unchanged';
      if ((await table.merge(sub, id, columns, now.account.etag, signal)) !== 'stale') return 'changed';
      const row = await table.get(sub, id, signal);
      now = row && accountOf(row);
    }
    throw new StorageUnavailable('tables', 'contended');
  };
  return {
    findByAddress: (address, signal) => rowsOf(odata`PartitionKey eq ${addressHashOf(address)}`, signal),
    findById: (id, signal) => rowsOf(odata`RowKey eq ${id}`, signal),
    list: async function* (signal) {
      for await (const row of table.list("PartitionKey ge ''", signal)) yield recordOf(row);
    },
    listKeys: async function* (signal) {
      for await (const { partitionKey = '', rowKey = '' } of table.list("PartitionKey ge ''", signal, keyColumns)) {
        yield { sub: partitionKey, id: rowKey };
      }
    },
    add,
    setActive: (record, isActive, signal) =>
      change(
        record,
        (now) => (now.isActive === isActive ? undefined : { isActive, generation: now.generation + 1 }),
        signal,
      ),
    revoke: (record, signal) => change(record, ({ generation }) => ({ generation: generation + 1 }), signal),
    setEmail: (record, email, signal) => moveAccount(table, record.row, email, signal),
    importAccount: async (account, { update }, signal) => {
      if ((await add(account, signal)) === 'added') return 'added';
      if (!update) return 'existing';
      const row = await table.get(addressHashOf(account.email), account.id, signal);
      if (row === undefined) return 'existing'; // removed since; the next import adds it
      const written = { except: '' };
      const decide = (now: Account): Columns | undefined => {
        const keeps = now.lastResetKeyId !== undefined && now.password !== account.password;
        written.except = keeps ? 'password' : '';
        return importDifferences(now, keeps ? { ...account, password: now.password } : account);
      };
      const changed = await change(recordOf(row), decide, signal);
      if (changed === 'stale_row') return 'broken';
      if (changed === 'unchanged') return 'unchanged';
      return written.except === 'password' ? 'updated_except_password' : 'updated';
    },
  };
}

const keyColumns = ['PartitionKey', 'RowKey'] as const;

const recordOf = (row: Row): AccountRecord => ({
  sub: row.partitionKey ?? '',
  id: row.rowKey ?? '',
  row,
  read: accountOf(row),
});

const columnsOf = ({ email, username, password, isActive, locale }: NewAccount): Columns => ({
  email,
  username,
  password,
  isActive,
  generation: 0,
  locale,
});
