// What an account must look like before an operator may write it to the Accounts table: one schema for `accounts add` and
// `accounts import`. Never repeats a value in a problem: a password or an address may be in the wrong column.
import * as z from 'zod';
import { parseAddress } from '../../shared/address';
import { isAccountId } from '../../shared/mailRequest';
import { isLocale } from '../../shared/site';

/** A row as the file has it. `where` is `line 12` or `pk 7`: it names the row without quoting it. */
export type ImportRow =
  | { readonly where: string; readonly input: AccountInput }
  /** `email` only if it could be read, to help finding the row; it is masked before it is shown. */
  | { readonly where: string; readonly problems: readonly string[]; readonly email?: string | undefined };

/** Django's `UNUSABLE_PASSWORD_PREFIX`: whoever has it cannot log in with a password, and gets no reset mail. */
export const unusablePassword = '!';

const maxUsernameChars = 150;
const maxPasswordChars = 512;
// Azure Tables: "Characters Disallowed in Key Fields".
const forbiddenInKeys = /[/\\#?\p{Cc}]/u;
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}]/u;
// `algorithm$…$digest` (13 characters of digest are those of `crypt`), `!…`, or the bare MD5 of a very old Django.
// A password in the clear is none of them.
const djangoPassword = /^(?:!\S*|[a-z][a-z0-9_-]{1,31}\$\S*\$\S{13,}|[0-9a-f]{32})$/;

const codePoints = (text: string): number => Array.from(text).length;

const schema = z.object({
  /** The site's own id: what Azure allows in a row key. */
  id: z
    .string()
    .min(1, 'is empty')
    .refine((id) => id === '' || isAccountId(id), 'is longer than 256 characters, or than 600 bytes')
    .refine((id) => id.isWellFormed() && !forbiddenInKeys.test(id), 'holds / \\ # ? or a control character')
    .refine((id) => id.trim() === id, 'begins or ends with a blank'),
  /** As it is stored and mailed to, byte for byte; blanks around it are gone. */
  email: z.string().transform((text, context): string => {
    const address = parseAddress(text);
    if (address !== undefined) return address;
    context.addIssue({ code: 'custom', message: text.trim() === '' ? 'is empty' : 'is not a plain e-mail address' });
    return z.NEVER;
  }),
  username: z
    .string()
    .min(1, 'is empty')
    .refine((name) => codePoints(name) <= maxUsernameChars, `is longer than ${maxUsernameChars} characters`)
    .refine((name) => name.isWellFormed() && !unprintable.test(name), 'holds a control character'),
  /** Django's encoded format, or `!` for none. */
  password: z
    .string()
    .max(maxPasswordChars, `is longer than ${maxPasswordChars} characters`)
    .transform((text) => (text === '' ? unusablePassword : text))
    .refine((text) => djangoPassword.test(text), "is not in Django's format (algorithm$…$digest, or ! for none)")
    .default(unusablePassword),
  isActive: z.boolean().default(true),
  locale: z
    .string()
    .transform((text) => (text === '' ? undefined : text.replaceAll('_', '-')))
    .refine((tag) => tag === undefined || (tag.length <= 35 && isLocale(tag)), 'is not a language tag')
    .optional(),
  /** ISO 8601. */
  createdAt: z
    .string()
    .transform((text, context): Date | undefined => {
      if (text === '') return undefined;
      const date = new Date(/[T ].*(?:Z|[+-]\d\d:?\d\d)$/.test(text) ? text : `${text}Z`); // without a zone: UTC
      if (instant.test(text) && !Number.isNaN(date.getTime())) return date;
      context.addIssue({ code: 'custom', message: 'is not an ISO 8601 time' });
      return z.NEVER;
    })
    .optional(),
});
/** What an operator's file or command line gives. */
export type AccountInput = z.input<typeof schema>;
/** A checked account, ready to be written. */
export type NewAccount = z.output<typeof schema>;

/** Django's serializer writes `Z` or an offset if USE_TZ is on, and neither if it is off. */
const instant = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:Z|[+-]\d\d:?\d\d)?$/;

/** The column names as an operator's CSV file has them. */
const columnNames: Readonly<Record<string, string>> = { isActive: 'is_active', createdAt: 'created_at' };

/** Checks an account. @returns it, or every problem as `column what is wrong`, without the value */
export function checkNewAccount(input: AccountInput): { account: NewAccount } | { problems: string[] } {
  const checked = schema.safeParse(input);
  if (checked.success) return { account: checked.data };
  const problems = checked.error.issues.map(({ path, message }) => {
    const name = String(path[0] ?? '');
    return `${columnNames[name] ?? name} ${message}`;
  });
  return { problems };
}
