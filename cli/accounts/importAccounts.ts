// Writes the rows of an import file into the table: each checked, bounded inserts in parallel, safe to repeat. Knows no file format.
import { setTimeout as wait } from 'node:timers/promises';
import { addressHashOf } from '../../shared/address';
import { StorageUnavailable } from '../../shared/errors';
import type { Imported } from '../../shared/storage/accountImport';
import type { AccountsAdmin } from '../../shared/storage/accountsAdmin';
import { checkNewAccount, type NewAccount } from '../../shared/storage/newAccount';
import type { ImportRow } from './importRow';
import type { ImportReport } from './importReport';

export interface ImportRules {
  readonly update: boolean;
  readonly dryRun: boolean;
  /** So many inserts at a time, 1–64. */
  readonly parallel: number;
}

/** Waits before another try when the table is overloaded or away for a moment, in ms; then the import stops. */
const retryDelaysMs = [1000, 2000, 4000, 8000, 16_000];
const passing = new Set([
  ...['timeout', 'connection', 'ECONNREFUSED', 'ECONNRESET', 'EAI_AGAIN'],
  ...['contended', 'ServerBusy', 'OperationTimedOut', 'InternalError', '500', '503'],
]);

/**
 * Imports all rows.
 * @param knownIds of the accounts that are in the table: their partitions by id; rows of the file are added to it. An id is one
 *   account, so a row whose id is known under another address is refused: importing an old dump must not bring an old address back
 * @throws StorageUnavailable when the table stays away; what is in by then stays, and the same import again goes on
 */
export async function importAccounts(
  admin: Pick<AccountsAdmin, 'importAccount'>,
  rows: AsyncIterable<ImportRow>,
  knownIds: Map<string, string>,
  rules: ImportRules,
  report: ImportReport,
  signal: AbortSignal,
): Promise<void> {
  const iterator = rows[Symbol.asyncIterator]();
  const stop = new AbortController(); // the first failure ends all workers
  const worker = async (): Promise<void> => {
    while (!stop.signal.aborted) {
      const next = await iterator.next();
      if (next.done === true) return;
      const account = accept(next.value, knownIds, report);
      if (account === undefined) continue;
      const outcome = rules.dryRun ? 'checked' : await importOne(admin, account, rules, signal);
      if (outcome === 'broken') report.refuse(next.value.where, ['its row in the table is broken'], account.email);
      else report.count(outcome, account);
    }
  };
  const failures: unknown[] = [];
  const workers = Array.from({ length: rules.parallel }, () =>
    worker().catch((error: unknown) => {
      failures.push(error);
      stop.abort();
    }),
  );
  await Promise.all(workers);
  if (failures.length > 0) throw failures[0];
}

/** The checked account of a row, or undefined after its refusal was noted. */
function accept(row: ImportRow, knownIds: Map<string, string>, report: ImportReport): NewAccount | undefined {
  if ('problems' in row) return report.refuse(row.where, row.problems, row.email);
  const checked = checkNewAccount(row.input);
  if ('problems' in checked) return report.refuse(row.where, checked.problems, row.input.email);
  const { id, email } = checked.account;
  const sub = addressHashOf(email);
  const known = knownIds.get(id);
  if (known !== undefined && known !== sub) {
    return report.refuse(
      row.where,
      ['its id belongs to an account with another address: see `accounts set-email`'],
      email,
    );
  }
  knownIds.set(id, sub);
  return checked.account;
}

async function importOne(
  admin: Pick<AccountsAdmin, 'importAccount'>,
  account: NewAccount,
  { update }: ImportRules,
  signal: AbortSignal,
): Promise<Imported> {
  for (const delayMs of retryDelaysMs) {
    try {
      return await admin.importAccount(account, { update }, signal);
    } catch (error) {
      if (!(error instanceof StorageUnavailable && passing.has(error.code)) || signal.aborted) throw error;
      await wait(delayMs, undefined, { signal });
    }
  }
  return admin.importAccount(account, { update }, signal);
}
