// Splits a JSON array of objects, or JSON lines, into the texts of the objects, so that a file of any size is read in little memory.
// It only looks for where an object begins and ends; JSON.parse judges the text itself.

/** No account is as large as this, in characters: a file that goes on longer is no array of objects. */
const maxObjectChars = 1024 * 1024;

/**
 * @param chunks the decoded text of the file
 * @throws SyntaxError when something else than objects stands at the top, or the file ends inside one
 */
export async function* topLevelObjects(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let object = '';
  let depth = 0;
  let inString = false;
  let escaped = false;
  for await (const chunk of chunks) {
    let from = 0;
    for (let index = 0; index < chunk.length; index++) {
      const char = chunk.charAt(index);
      if (inString) {
        if (escaped) escaped = false;
        else if (char === '\\') escaped = true;
        else if (char === '"') inString = false;
      } else if (depth > 0 && char === '"') {
        inString = true;
      } else if (char === '{') {
        if (depth === 0) from = index;
        depth += 1;
      } else if (char === '}' && depth > 0) {
        depth -= 1;
        if (depth > 0) continue;
        yield object + chunk.slice(from, index + 1);
        object = '';
      } else if (depth === 0 && !/[\s,[\]\ufeff]/.test(char)) {
        throw new SyntaxError('not an array of objects');
      }
    }
    if (depth > 0) object += chunk.slice(from);
    if (object.length > maxObjectChars) throw new SyntaxError('an object of more than a million characters');
  }
  if (depth > 0) throw new SyntaxError('the file ends inside an object');
}
