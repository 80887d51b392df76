// What the readers of import files have in common: one row of a file, readable or not, and where it stands.
import type { AccountInput } from '../../shared/storage/newAccount';

/** A row as the file has it. `where` is `line 12` or `pk 7`: it names the row without quoting it. */
export type ImportRow =
  | { readonly where: string; readonly input: AccountInput }
  /** `email` only if it could be read, to help finding the row; it is masked before anybody sees it. */
  | { readonly where: string; readonly problems: readonly string[]; readonly email?: string };

const booleans: ReadonlyMap<string, boolean> = new Map([
  ...['true', 't', 'yes', 'y', '1'].map((word) => [word, true] as const),
  ...['false', 'f', 'no', 'n', '0'].map((word) => [word, false] as const),
]);

/** `true`, `1`, `yes`, `t` and so on; undefined when it is none of them. */
export const parseBoolean = (text: string): boolean | undefined => booleans.get(text.trim().toLowerCase());
