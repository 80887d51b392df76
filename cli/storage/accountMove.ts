// Changes an account's address. The partition is the hash of the address, so the row moves: the new row is inserted, what changed in
// the old one since then is merged into it, and the old one is removed by its ETag. A crash in between leaves both rows; the same
// call again finishes the move.
import { createHash } from 'node:crypto';
import { addressHashOf } from '../../shared/address';
import {
  equals,
  updateRow,
  type Columns,
  type Decision,
  type Row,
  type TableStore,
} from '../../shared/storage/storage';

export type Moved =
  | 'changed'
  /** The account has exactly this address already. */
  | 'unchanged'
  /** At the new address there is another row with this id: nothing was changed. */
  | 'target_exists'
  /** The row has a column of a type that would not survive the move (Int64 beyond 2³¹, Binary). */
  | 'uncopyable_column'
  | 'stale_row'
  /** Others kept writing the same rows; repeat the call. */
  | 'contended';

const maxRounds = 5;
const ownColumns = ['partitionKey', 'rowKey', 'etag', 'timestamp', 'email', 'knownEmail', 'generation'];
const moveColumns = ['movedFrom', 'movedBase'];
/** What a redemption writes at once: taken from one row or the other, never mixed. */
const passwordColumns = ['password', 'lastResetKeyId', 'passwordChangedAt'];

/**
 * @param row as read; its address may have been edited in the portal, and the move mends it then
 * @param email a plain address
 * @throws StorageUnavailable: repeat the call
 */
export async function moveAccount(table: TableStore, row: Row, email: string): Promise<Moved> {
  const from = row.partitionKey ?? '';
  const id = row.rowKey ?? '';
  const to = addressHashOf(email);
  if (to === from) return changeInPlace(table, row, email);

  let old: Row | undefined = row;
  for (let round = 0; round < maxRounds; round++) {
    // Not there: this move or another operator's has removed it.
    if (old === undefined) return settle(table, from, id, to);
    const columns = copyOf(old);
    if (columns === undefined) return 'uncopyable_column';
    const copied = await copy(table, old, { to, email, columns });
    if (copied !== 'copied') return copied;
    if ((await table.remove(from, id, old.etag)) === 'removed') return 'changed';
    old = await table.get(from, id);
  }
  return 'contended';
}

async function changeInPlace(table: TableStore, row: Row, email: string): Promise<Moved> {
  const { partitionKey = '', rowKey = '' } = row;
  const decide = (now: Row | undefined): Decision<Moved> => {
    if (now === undefined) return { result: 'stale_row' };
    if (now['email'] === email) return { result: 'unchanged' };
    return { columns: { email, knownEmail: email, generation: generationOf(now) + 1 }, result: 'changed' };
  };
  const updated = await updateRow(table, partitionKey, rowKey, decide, row);
  return updated.outcome === 'contended' ? 'contended' : updated.result;
}

/** Inserts the new row, or merges into the one that an earlier try has left there. */
async function copy(
  table: TableStore,
  old: Row,
  { to, email, columns }: { readonly to: string; readonly email: string; readonly columns: Columns },
): Promise<'copied' | 'target_exists' | 'contended'> {
  const from = old.partitionKey ?? '';
  const decide = (there: Row | undefined): Decision<'copied' | 'target_exists'> => {
    if (there === undefined) {
      const generation = generationOf(old) + 1;
      const fingerprints = Object.entries(columns).map(([name, value]) => [name, fingerprint(value)]);
      const movedBase = JSON.stringify(Object.fromEntries(fingerprints));
      const inserted = { ...columns, email, knownEmail: email, generation, movedFrom: from, movedBase };
      return { columns: inserted, result: 'copied' };
    }
    if (there['movedFrom'] !== from) return { result: 'target_exists' };
    const changes = changesSince(columns, there);
    if (changes === undefined) return { result: 'copied' };
    const generation = Math.max(generationOf(old), generationOf(there)) + 1;
    return { columns: { ...changes, generation }, result: 'copied' };
  };
  const updated = await updateRow(table, to, old.rowKey ?? '', decide, 'absent');
  return updated.outcome === 'contended' ? 'contended' : updated.result;
}

/**
 * Merges two rows that were the same when the new one was inserted (`movedBase`): what changed in the old row only is taken from it.
 * Where both changed, the later password wins, a disabled account stays disabled, and other columns stay as they are in the new row.
 * @returns what to write into the new row, or undefined
 */
function changesSince(old: Columns, there: Row): Columns | undefined {
  const base = baseOf(there);
  const changed = (row: Readonly<Record<string, unknown>>, name: string): boolean =>
    row[name] !== undefined && fingerprint(row[name]) !== base[name];
  const changes: Columns = {};
  const others = Object.keys(old).filter((name) => !passwordColumns.includes(name));
  for (const name of others) {
    const isDisabled = name === 'isActive' && old[name] === false;
    if (changed(old, name) && (isDisabled || !changed(there, name))) changes[name] = old[name];
  }
  const [inOld, inNew] = [old, there].map((row) => passwordColumns.some((name) => changed(row, name)));
  if (inOld && (!inNew || timeOf(old) > timeOf(there))) {
    for (const name of passwordColumns) changes[name] = old[name];
  }
  const differs = Object.entries(changes).some(([name, value]) => fingerprint(value) !== fingerprint(there[name]));
  return differs ? changes : undefined;
}

const timeOf = ({ passwordChangedAt: at }: Readonly<Record<string, unknown>>): number =>
  at instanceof Date ? at.getTime() : 0;

/** Short hashes: the base must not keep an old password hash in a second place. */
const fingerprint = (value: unknown): string =>
  createHash('sha256')
    .update(JSON.stringify(value ?? null))
    .digest('base64url')
    .slice(0, 12);

/** Rows of a move by an earlier version have none: everything counts as changed in both. */
function baseOf({ movedBase }: Row): Readonly<Record<string, unknown>> {
  try {
    const base: unknown = JSON.parse(typeof movedBase === 'string' ? movedBase : '{}');
    return typeof base === 'object' && base !== null ? { ...base } : {};
  } catch {
    return {};
  }
}

/**
 * The old row is gone: either the reply to its removal was lost, or another operator moved the account elsewhere at the same time.
 * Of the rows that came from there the first by key stays, whoever looks; what changed in the others is merged into it.
 */
async function settle(table: TableStore, from: string, id: string, to: string): Promise<Moved> {
  const rows: Row[] = [];
  for await (const row of table.list(`${equals('RowKey', id)} and ${equals('movedFrom', from)}`)) rows.push(row);
  const [first, ...others] = rows.sort((a, b) => ((a.partitionKey ?? '') < (b.partitionKey ?? '') ? -1 : 1));
  if (first === undefined) return 'stale_row';
  const { partitionKey: kept = '', email } = first;
  for (const other of others) {
    const columns = copyOf(other) ?? {};
    const copied = await copy(table, { ...other, partitionKey: from }, { to: kept, email: String(email), columns });
    if (copied !== 'copied') return 'contended';
    if ((await table.remove(other.partitionKey ?? '', id, other.etag)) === 'stale') return 'contended';
  }
  return kept === to ? 'changed' : 'stale_row';
}

/** Every column but those that the move sets, also what a site added; undefined if one cannot be copied faithfully. */
function copyOf(row: Row): Columns | undefined {
  const columns: Columns = {};
  for (const [name, value] of Object.entries(row)) {
    if (ownColumns.includes(name) || moveColumns.includes(name) || name.startsWith('odata') || value == null) continue;
    const plain = typeof value === 'bigint' && value === BigInt.asIntN(32, value) ? Number(value) : value;
    if (!isColumn(plain)) return undefined;
    columns[name] = plain;
  }
  return columns;
}

const isColumn = (value: unknown): value is string | number | boolean | Date =>
  ['string', 'number', 'boolean'].includes(typeof value) || value instanceof Date;

function generationOf(row: Row): number {
  const generation = Number(row['generation'] ?? 0);
  return Number.isSafeInteger(generation) ? generation : 0;
}
