// `accounts disable | enable | revoke | set-email`: changes of accounts that are there.
import type { AccountRecord, AccountsAdmin, Changed } from '../../shared/storage/accountsAdmin';
import type { Moved } from '../../shared/storage/accountMove';
import { CliError } from '../support/errors';
import type { Io } from '../support/io';
import { printable, printJson } from '../support/output';
import { requireAddress, selectAccounts, usernameOf, type SelectOptions } from './selection';

export type { SelectOptions } from './selection';
export type Change = 'disable' | 'enable' | 'revoke';

const done: Readonly<Record<Change, string>> = {
  disable: 'disabled: it can neither log in nor reset its password, and its live reset keys are dead',
  enable: 'enabled',
  revoke: 'revoked: every reset key and session of before is dead; the next reset mail works',
};

/** Changes the accounts that are meant; each one by itself, so that a failure in between is mended by saying it again. */
export async function changeAccounts(
  io: Io,
  admin: AccountsAdmin,
  kind: Change,
  address: string,
  options: SelectOptions,
): Promise<void> {
  const results: { id: string; username: string; outcome: Changed }[] = [];
  for (const record of await selectAccounts(admin, address, options, io.signal)) {
    const outcome =
      kind === 'revoke'
        ? await admin.revoke(record, io.signal)
        : await admin.setActive(record, kind === 'enable', io.signal);
    results.push({ id: record.id, username: usernameOf(record), outcome });
  }
  if (options.json === true) printJson(io, results);
  for (const { id, username, outcome } of results) {
    if (outcome === 'stale_row') throw new CliError(brokenRow(id));
    if (options.json === true) continue;
    io.out(
      `${printable(username)}: ${outcome === 'changed' ? done[kind] : `already ${kind}d, nothing was changed`}.\n`,
    );
  }
}

const brokenRow = (id: string): string =>
  `The row ${printable(id)} is gone, or is no account that the app can read: ` +
  '`accounts list --broken` says why; mend it in the Storage browser, or with `accounts set-email` if its address is the matter.';

/** Changes an account's address. Safe to say again after a failure. */
export async function setEmail(
  io: Io,
  admin: AccountsAdmin,
  address: string,
  newAddress: string,
  { all, ...options }: SelectOptions,
): Promise<void> {
  if (all === true) throw new CliError('set-email changes one account at a time: say --id or --username.', 2);
  const email = requireAddress(newAddress);
  const [record] = await selectAccounts(admin, address, options, io.signal);
  if (record === undefined) return;
  const outcome = await admin.setEmail(record, email, io.signal);
  if (outcome !== 'changed' && outcome !== 'unchanged') throw new CliError(refusals[outcome](record));
  if (options.json === true) return printJson(io, { id: record.id, username: usernameOf(record), outcome });
  const name = printable(usernameOf(record));
  io.out(
    outcome === 'changed'
      ? `${name} has the new address now; reset keys that were mailed to the old one are dead.\n`
      : `${name} has exactly this address already, nothing was changed.\n`,
  );
}

const refusals: Readonly<Record<Exclude<Moved, 'changed' | 'unchanged'>, (record: AccountRecord) => string>> = {
  target_exists: ({ id }) =>
    `At the new address there is another row with the id ${printable(id)}; nothing was changed. ` +
    'Look at both with `accounts show`, and remove the wrong one in the Storage browser.',
  bad_address: () => 'The new address is not a plain e-mail address; nothing was changed.',
  uncopyable_column: () =>
    'The row has a column of a type that this tool cannot copy (Int64 beyond 2^31, Binary); nothing was changed. ' +
    'Move it with Storage Explorer, or remove that column.',
  stale_row: ({ id }) => brokenRow(id),
};
