// What an import may do to an account that is there. Used by accountsAdmin.ts.
import type { Account } from '../accounts';
import type { NewAccount } from './newAccount';
import type { Columns } from './tableStore';

/** What became of one row of an import. */
export type Imported =
  /** Inserted. */
  | 'added'
  /** Was there already and is left as it is. */
  | 'existing'
  /** Was there, differed, and `update` was asked for. */
  | 'updated'
  /** Like `updated`, but the password stays: it was set by a reset here, so the file's is older. */
  | 'updated_except_password'
  /** `update` was asked for and nothing differs. */
  | 'unchanged'
  /** The row there cannot be read as an account: mend it first. */
  | 'broken';

/** The columns of an import that differ; a change of who may do what ends the keys of before. */
export function importDifferences(
  now: Account,
  { email, username, password, isActive, locale }: NewAccount,
): Columns | undefined {
  const credentials = now.email !== email || now.password !== password || now.isActive !== isActive;
  const differs = credentials || now.username !== username || (locale !== undefined && now.locale !== locale);
  if (!differs) return undefined;
  return {
    ...{ email, username, password, isActive, locale },
    ...(credentials && { generation: now.generation + 1 }),
  };
}
