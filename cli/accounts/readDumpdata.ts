// Reads accounts from what Django's `manage.py dumpdata auth.user` writes: a JSON array (or JSON lines) of {model, pk, fields}.
import { z } from 'zod';
import { CliError } from '../support/errors';
import type { ImportRow } from './importRow';
import { topLevelObjects } from './topLevelObjects';

const serialized = z.object({
  model: z.string(),
  pk: z.union([z.string(), z.number().transform(String)]).nullish(),
  fields: z.record(z.string(), z.unknown()),
});
const text = z.string({ error: 'is missing or no text' });
const fieldsSchema = z.object({
  email: text,
  username: text,
  password: z.string({ error: 'is no text' }).optional(),
  is_active: z.boolean({ error: 'is neither true nor false' }).optional(),
  locale: z.string({ error: 'is no text' }).nullish(),
});

/**
 * Streams the objects of one model.
 * @param model `app.Model`, in any letter case: Django itself writes it in lower case
 * @throws CliError when the file is no dumpdata file, or holds no object of the model: the models it holds are named
 */
export async function* readDumpdata(chunks: AsyncIterable<string>, model: string): AsyncGenerator<ImportRow> {
  const wanted = model.toLowerCase();
  const seen = new Map<string, number>();
  let number = 0;
  try {
    for await (const object of topLevelObjects(chunks)) {
      number += 1;
      const parsed = serialized.safeParse(JSON.parse(object));
      if (!parsed.success) throw new CliError(notDumpdata(number));
      const name = parsed.data.model.toLowerCase();
      seen.set(name, (seen.get(name) ?? 0) + 1);
      if (name === wanted) yield readObject(number, parsed.data);
    }
  } catch (error) {
    if (error instanceof SyntaxError) throw new CliError(notDumpdata(number + 1));
    throw error;
  }
  if (seen.has(wanted)) return;
  const others = [...seen].slice(0, 20).map(([name, objects]) => `${name} (${objects})`);
  throw new CliError(
    others.length === 0
      ? 'The file holds no objects at all.'
      : `The file holds no ${model}. It holds ${others.join(', ')}; name the user model with --model.`,
  );
}

function readObject(number: number, { pk, fields }: z.infer<typeof serialized>): ImportRow {
  const where = pk == null ? `object ${number}` : `pk ${pk}`;
  const parsed = fieldsSchema.safeParse(fields);
  const email = typeof fields['email'] === 'string' ? { email: fields['email'] } : {};
  if (!parsed.success) {
    return {
      where,
      ...email,
      problems: parsed.error.issues.map(({ path, message }) => `${String(path[0])} ${message}`),
    };
  }
  if (pk == null) return { where, ...email, problems: ['has no pk: use dumpdata without --natural-primary'] };
  const { username, password, is_active: isActive, locale } = parsed.data;
  return {
    where,
    input: { id: pk, email: parsed.data.email, username, password, isActive, locale: locale ?? undefined },
  };
}

const notDumpdata = (number: number): string =>
  `Object ${number} of the file is not what dumpdata writes ({"model", "pk", "fields"}). Is it complete, and is it JSON?`;
