// Reads Bicep files well enough to check what a compiler would find first: brackets, names, references, modules. No compiler is
// available where the tests run; docs/decisions/0006-infra-unchecked.md lists what this cannot see.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

export const root = path.join(__dirname, '../..');

/** One declaration: `param name type`, `resource name 'type@version' = …`, … */
export interface Declaration {
  readonly keyword: 'param' | 'var' | 'resource' | 'module' | 'output' | 'type';
  readonly name: string;
  /** Everything from the name to the next declaration, strings kept. */
  readonly text: string;
  /** The same without strings and comments, but with what strings interpolate. */
  readonly code: string;
}

export interface BicepFile {
  /** Relative to infra/. */
  readonly name: string;
  readonly text: string;
  readonly declarations: readonly Declaration[];
}

/** All files of infra/. */
export function bicepFiles(): BicepFile[] {
  return readdirSync(path.join(root, 'infra'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.bicep'))
    .map((name) => readBicep(name.replaceAll('\\', '/')));
}

export function readBicep(name: string): BicepFile {
  const text = readFileSync(path.join(root, 'infra', name), 'utf8');
  return { name, text, declarations: declarationsOf(text) };
}

function declarationsOf(text: string): Declaration[] {
  const starts = [...text.matchAll(/^(param|var|resource|module|output|type) (\w+)/gm)];
  return starts.map((start, index) => {
    const own = text.slice(start.index + start[0].length, starts[index + 1]?.index);
    return { keyword: start[1] as Declaration['keyword'], name: start[2] ?? '', text: own, code: codeOf(own) };
  });
}

/**
 * The code without comments and strings; what a string interpolates stays, in parentheses.
 * @throws Error for a string or an interpolation that does not end
 */
export function codeOf(text: string): string {
  let code = '';
  for (let at = 0; at < text.length; at++) {
    if (text.startsWith('//', at)) {
      at = lineEnd(text, at) - 1;
    } else if (text.startsWith('/*', at)) {
      const end = text.indexOf('*/', at);
      if (end < 0) throw new Error('a comment does not end');
      at = end + 1;
    } else if (text[at] === "'") {
      const string = readString(text, at);
      code += string.code;
      at = string.end;
    } else {
      code += text[at] ?? '';
    }
  }
  return code;
}

const lineEnd = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
};

/** From the opening quote; `end` is where the closing one is. */
function readString(text: string, from: number): { code: string; end: number } {
  let code = '""';
  for (let at = from + 1; at < text.length; at++) {
    if (text[at] === '\\') at++;
    else if (text[at] === "'") return { code, end: at };
    else if (text[at] === '\n') break;
    else if (text.startsWith('${', at)) {
      const end = interpolationEnd(text, at + 2);
      code += ` (${codeOf(text.slice(at + 2, end))}) `;
      at = end;
    }
  }
  throw new Error(`a string does not end: ${text.slice(from, from + 60)}`);
}

function interpolationEnd(text: string, from: number): number {
  for (let at = from, depth = 0; at < text.length; at++) {
    if (text[at] === "'") at = readString(text, at).end;
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && depth-- === 0) return at;
  }
  throw new Error('an interpolation does not end');
}

/** The first bracket that has no partner, as `( on line 3`; undefined when all have one. */
export function unbalancedBracket(code: string): string | undefined {
  const partners: Record<string, string> = { ')': '(', ']': '[', '}': '{' };
  const open: { bracket: string; line: number }[] = [];
  let line = 1;
  for (const char of code) {
    if (char === '\n') line++;
    else if ('([{'.includes(char)) open.push({ bracket: char, line });
    else if (partners[char] !== undefined && open.pop()?.bracket !== partners[char]) return `${char} on line ${line}`;
  }
  const left = open.pop();
  return left === undefined ? undefined : `${left.bracket} on line ${left.line}`;
}

/** Names that a piece of code refers to: identifiers that are no property, no object key and no word of the language. */
export function referencesIn(code: string): Set<string> {
  const names = new Set<string>();
  for (const { 0: name, index } of code.matchAll(/[A-Za-z_]\w*/g)) {
    const [before, after] = [code.slice(0, index).trimEnd(), code.slice(index + name.length)];
    const isProperty = /(?:\.|\.\?)$/.test(before);
    // `key:` at the start of a line or after `{` or `,`; a ternary's `a : b` has a space, which the formatter keeps.
    const isKey = /^:/.test(after) && /(?:^|[{,\n])\s*$/.test(code.slice(0, index));
    if (!isProperty && !isKey && !/\d$/.test(before)) names.add(name);
  }
  return names;
}

/** The body of the first `name: { … }` in a piece of Bicep. */
export function blockOf(text: string, name: string): string {
  const start = new RegExp(`\\b${name}(?::| =| \\w+ =)? \\{`).exec(text);
  if (start === null) throw new Error(`there is no ${name}: {`);
  const from = start.index + start[0].length;
  for (let at = from, depth = 0; at < text.length; at++) {
    if (text[at] === "'") at = readString(text, at).end;
    else if (text.startsWith('//', at)) at = lineEnd(text, at);
    else if (text[at] === '{') depth++;
    else if (text[at] === '}' && depth-- === 0) return text.slice(from, at);
  }
  throw new Error(`${name} does not end`);
}

/** The keys that stand directly in a block. */
export function keysOf(block: string): string[] {
  const keys: string[] = [];
  let depth = 0;
  for (const line of codeOf(block).split('\n')) {
    const key = /^\s*(\w+)\??:/.exec(line)?.[1];
    if (depth === 0 && key !== undefined) keys.push(key);
    for (const char of line) depth += '([{'.includes(char) ? 1 : ')]}'.includes(char) ? -1 : 0;
  }
  return keys;
}
