// Reads accounts from what Django's `manage.py dumpdata auth.user` writes: a JSON array (or JSON lines) of {model, pk, fields}.
import { JSONParser } from '@streamparser/json';
import * as z from 'zod';
import { CliError } from '../support/errors';
import { count } from '../support/output';
import type { ImportRow } from '../storage/newAccount';

const serialized = z.object({
  model: z.string(),
  pk: z.union([z.string(), z.number().transform(String)]).nullish(),
  fields: z.record(z.string(), z.unknown()),
});
const text = z.string({ error: 'is missing or not text' });
const optionalText = z.string({ error: 'is not text' }).nullish();
const fieldsSchema = z.object({
  email: text,
  username: text,
  password: optionalText,
  is_active: z.boolean({ error: 'is neither true nor false' }).optional(),
  locale: optionalText,
  date_joined: optionalText,
});

/** django-allauth's addresses of a user, beside the one in the user model. */
const secondaryModel = 'account.emailaddress';
const secondaryFields = z.object({ verified: z.literal(true), primary: z.literal(false) });

/**
 * Streams the objects of one model.
 * @param options `model`: `app.Model`, in any letter case. `usernameField`: where the user name is, `username` if not given; in a
 *   model without it the address is the user name
 * @param note is told what is not imported
 * @throws CliError if the file is not a dumpdata file, or has no object of the model: the models it has are named
 */
export async function* readDumpdata(
  chunks: AsyncIterable<string>,
  { model, usernameField = 'username' }: { readonly model: string; readonly usernameField?: string },
  note: (text: string) => void,
): AsyncGenerator<ImportRow> {
  const wanted = model.toLowerCase();
  const seen = new Map<string, number>();
  let number = 0;
  let secondary = 0;
  try {
    for await (const value of jsonObjects(chunks)) {
      number += 1;
      const parsed = serialized.safeParse(value);
      if (!parsed.success) throw new CliError(notDumpdata(number));
      const name = parsed.data.model.toLowerCase();
      seen.set(name, (seen.get(name) ?? 0) + 1);
      if (name === wanted) yield readObject(number, parsed.data, usernameField);
      if (name === secondaryModel && secondaryFields.safeParse(parsed.data.fields).success) secondary += 1;
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError(notDumpdata(number + 1));
    throw error;
  }
  if (secondary > 0) {
    const addresses = count(secondary, 'verified secondary address', 'verified secondary addresses');
    note(`${addresses} (${secondaryModel}) not imported: a reset that is asked for with one of them sends no mail.`);
  }
  if (seen.has(wanted)) return;
  const others = [...seen].slice(0, 20).map(([name, objects]) => `${name} (${objects})`);
  if (others.length === 0) throw new CliError('The file has no objects.');
  throw new CliError(`The file has no ${model}. It has ${others.join(', ')}; name the user model with --model.`);
}

function readObject(number: number, { pk, fields }: z.infer<typeof serialized>, usernameField: string): ImportRow {
  const where = pk == null ? `object ${number}` : `pk ${pk}`;
  const email = typeof fields['email'] === 'string' ? fields['email'] : undefined;
  const isNameless = usernameField === 'username' && fields['username'] === undefined;
  const parsed = fieldsSchema.safeParse({ ...fields, username: isNameless ? email : fields[usernameField] });
  if (!parsed.success) {
    const nameOf = (column: string): string => (column === 'username' ? usernameField : column);
    const problems = parsed.error.issues.map(({ path, message }) => `${nameOf(String(path[0]))} ${message}`);
    return { where, email, problems };
  }
  if (pk == null) return { where, email, problems: ['has no pk: use dumpdata without --natural-primary'] };
  const { username, password, is_active: isActive, locale, date_joined: joined } = parsed.data;
  const given = { password: password ?? undefined, locale: locale ?? undefined, createdAt: joined ?? undefined };
  return { where, input: { id: pk, email: parsed.data.email, username, isActive, ...given } };
}

const notDumpdata = (number: number): string =>
  `Object ${number} of the file is not what dumpdata writes ({"model", "pk", "fields"}). Is the file complete, and is it JSON?`;

/** No account is as large as this, in characters: a file that goes on longer is not an array of objects. */
const maxObjectChars = 1024 * 1024;

/**
 * The elements of a JSON array, or JSON lines, one at a time, so that a file of any size is read in little memory.
 * @throws SyntaxError if the file is neither, or ends inside an object
 */
async function* jsonObjects(chunks: AsyncIterable<string>): AsyncGenerator {
  const read = { values: [] as unknown[], failed: false };
  let parser: JSONParser | undefined;
  let chars = 0;
  for await (const chunk of chunks) {
    const content = parser === undefined ? chunk.trimStart() : chunk; // a byte order mark is trimmed, too
    if (content === '') continue;
    parser ??= new JSONParser(
      content.startsWith('[') ? { paths: ['$.*'], keepStack: false } : { paths: ['$'], separator: '' },
    );
    parser.onValue = ({ value }) => void read.values.push(value);
    parser.onError = () => (read.failed = true);
    parser.write(content);
    chars = read.values.length > 0 ? 0 : chars + content.length;
    yield* read.values.splice(0);
    if (read.failed || chars > maxObjectChars) throw new SyntaxError('not an array of objects');
  }
  if (parser?.isEnded === false) parser.end();
  yield* read.values.splice(0);
  if (read.failed) throw new SyntaxError('not an array of objects');
}
