// What an import did, in numbers, and which rows it refused and why. Never holds a password; addresses are masked by default.
import type { Imported } from '../../shared/storage/accountImport';
import type { NewAccount } from '../../shared/storage/newAccount';
import type { Io } from '../support/io';
import { count, maskAddress, printable, printJson } from '../support/output';

type Counted = Exclude<Imported, 'broken'> | 'checked';

interface RefusedRow {
  readonly where: string;
  readonly problems: readonly string[];
  readonly email?: string;
}

export interface ImportReport {
  readonly counts: Readonly<Record<Counted | 'refused' | 'withoutPassword', number>>;
  readonly done: () => number;
  count(outcome: Counted, account: NewAccount): void;
  refuse(where: string, problems: readonly string[], email?: string): undefined;
  print(io: Io, json: boolean): void;
}

/** So many refused rows are listed; mend these and import again. */
const maxListed = 1000;

const words: Readonly<Record<Counted, string>> = {
  added: 'added',
  existing: 'there already, left as they are',
  updated: 'updated',
  updated_except_password: 'updated but for the password, which a reset here has set since',
  unchanged: 'there already and the same',
  checked: 'would be imported (dry run)',
};

export function createImportReport(showAddresses: boolean): ImportReport {
  const counts = {
    ...{ added: 0, existing: 0, updated: 0, updated_except_password: 0, unchanged: 0, checked: 0 },
    ...{ refused: 0, withoutPassword: 0 },
  };
  const refused: RefusedRow[] = [];
  const print = (io: Io): void => {
    for (const [name, what] of Object.entries(words) as [Counted, string][]) {
      if (counts[name] > 0) io.out(`${count(counts[name], 'account')} ${what}.\n`);
    }
    if (counts.withoutPassword > 0) {
      io.out(
        `${count(counts.withoutPassword, 'of them has', 'of them have')} no usable password: they get no reset mail.\n`,
      );
    }
    if (counts.refused === 0) return io.out('No row was refused.\n');
    io.out(`${count(counts.refused, 'row')} refused:\n`);
    for (const { where, problems, email } of refused) {
      io.out(printable(`  ${where}${email === undefined ? '' : ` (${email})`}: ${problems.join('; ')}`) + '\n');
    }
    if (counts.refused > refused.length) io.out(`  and ${count(counts.refused - refused.length, 'more row')}\n`);
  };
  return {
    counts,
    done: () => Object.values(counts).reduce((sum, number) => sum + number, 0) - counts.withoutPassword,
    count: (outcome, { password }) => {
      counts[outcome] += 1;
      if (password.startsWith('!')) counts.withoutPassword += 1;
    },
    refuse: (where, problems, email = '') => {
      counts.refused += 1;
      if (refused.length >= maxListed) return;
      const shown =
        email.trim() === '' ? {} : { email: showAddresses ? email.slice(0, 254) : maskAddress(email.slice(0, 254)) };
      refused.push({ where, problems, ...shown });
    },
    print: (io, json) => {
      if (json) printJson(io, { ...counts, refusedRows: refused });
      else print(io);
    },
  };
}
