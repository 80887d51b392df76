// Writes what the documents repeat from the code: the README's table of settings and docs/events.md.
// `npm run docs` writes; `npm run check:docs` only compares, and fails if a document is out of date.
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import * as z from 'zod';
import { settingsSchema } from '../shared/settings/settingsSchema';

const root = path.join(__dirname, '..');

interface Comment {
  readonly text: string;
  readonly defaultTag?: string | undefined;
}

/** The JSDoc comment right before a node, in one line. @throws Error if there is none: everything that is documented needs one */
function commentOf(node: ts.Node, name: string): Comment {
  const doc = ts.getJSDocCommentsAndTags(node).find(ts.isJSDoc);
  const oneLine = (comment: ts.JSDoc['comment']): string =>
    (ts.getTextOfJSDocComment(comment) ?? '').replace(/\s+/g, ' ');
  if (doc === undefined || oneLine(doc.comment) === '') throw new Error(`${name} has no comment`);
  const tag = doc.tags?.find(({ tagName }) => tagName.text === 'default');
  return { text: oneLine(doc.comment), defaultTag: tag && oneLine(tag.comment) };
}

function parse(file: string): ts.SourceFile {
  const text = readFileSync(path.join(root, file), 'utf8');
  return ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
}

function find<T extends ts.Node>(node: ts.Node, wanted: (child: ts.Node) => child is T): T | undefined {
  return wanted(node) ? node : ts.forEachChild(node, (child) => find(child, wanted));
}

const row = (...cells: readonly string[]): string =>
  `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** The table of all settings: name, default, comment. */
function settingsTable(): string {
  const schema = z.toJSONSchema(settingsSchema, { io: 'input', unrepresentable: 'any' });
  const declared = find(
    parse('shared/settings/settingsSchema.ts'),
    (node): node is ts.VariableDeclaration =>
      ts.isVariableDeclaration(node) && node.name.getText() === 'settingsSchema',
  );
  const shape = declared && find(declared, ts.isObjectLiteralExpression);
  const rows = (shape?.properties ?? []).map((property) => {
    const name = property.name?.getText() ?? '';
    const { text, defaultTag } = commentOf(property, name);
    const own = schema.properties?.[name];
    const value = typeof own === 'object' && typeof own.default === 'string' ? own.default : '';
    const required = schema.required?.includes(name) === true ? 'required' : '';
    return row(`\`${name}\``, defaultTag ?? (value === '' ? required : `\`${value}\``), text);
  });
  return [row('setting', 'default', 'meaning'), '|---|---|---|', ...rows].join('\n');
}

export interface DocumentedEvent {
  readonly name: string;
  readonly levels: readonly string[];
  readonly fields: readonly string[];
  readonly text: string;
}

/** The members of the union `AppEvent`, by the compiler's types. */
export function appEvents(): DocumentedEvent[] {
  const file = path.join(root, 'shared/events.ts');
  const program = ts.createProgram([file], { strict: true, target: ts.ScriptTarget.ES2022, types: [] });
  const checker = program.getTypeChecker();
  const source = program.getSourceFile(file);
  const union = source?.statements.find(
    (node): node is ts.TypeAliasDeclaration => ts.isTypeAliasDeclaration(node) && node.name.text === 'AppEvent',
  );
  if (union === undefined || !ts.isUnionTypeNode(union.type)) throw new Error('AppEvent is no union');
  const values = (type: ts.Type): string[] =>
    (type.isUnion() ? type.types : [type]).flatMap((member) => (member.isStringLiteral() ? [member.value] : []));
  return union.type.types.map((member) => {
    const properties = new Map(
      checker
        .getTypeAtLocation(member)
        .getProperties()
        .map((property) => [property.name, checker.getTypeOfSymbol(property)]),
    );
    const valuesOf = (name: string): string[] => values(properties.get(name) ?? checker.getUndefinedType());
    const [name = ''] = valuesOf('event');
    return {
      name,
      levels: properties.has('level') ? valuesOf('level') : ['info'],
      fields: [...properties.keys()].filter((field) => field !== 'event' && field !== 'level'),
      text: textBefore(member, name),
    };
  });
}

/** The comment before the `|` of a union's member. TypeScript attaches no JSDoc to such a node. */
function textBefore(member: ts.TypeNode, name: string): string {
  const before = member.getSourceFile().text.slice(0, member.pos);
  const comment = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*\|\s*$/.exec(before)?.[1];
  if (comment === undefined) throw new Error(`the event ${name} has no comment`);
  return comment
    .replace(/^\s*\* ?/gm, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

function eventsPage(): string {
  const rows = appEvents().map(({ name, levels, fields, text }) =>
    row(`\`${name}\``, levels.join(', '), fields.map((field) => `\`${field}\``).join(', '), text),
  );
  return `# Events

The app logs one JSON object per line: \`event\`, \`level\` (\`info\` if it is left out) and the fields below. In Application Insights it is the
\`Message\` of a row in \`AppTraces\`: \`parse_json(Message)\`. No event holds a reset key, a link, a password, an API key, a full address or a
request URL; strings are cut at 200 characters. \`mailId\` is the one id from request to mail: in the request, the queue message, the
Deliveries row and the webhook. The queries in \`docs/kql/\` are also in the workbook "Password reset".

This page is generated from \`shared/events.ts\` by \`npm run docs\`.

${row('event', 'level', 'fields', 'when')}
|---|---|---|---|
${rows.join('\n')}
`;
}

const markers = /(<!-- settings: [^\n]* -->\n)[\s\S]*(\n<!-- \/settings -->)/;

function main(check: boolean): void {
  const readme = readFileSync(path.join(root, 'README.md'), 'utf8');
  if (!markers.test(readme)) throw new Error('README.md has no markers for the table of settings');
  const wanted = {
    'README.md': readme.replace(markers, (_all, start: string, end: string) => `${start}\n${settingsTable()}\n${end}`),
    'docs/events.md': eventsPage(),
  };
  for (const [name, text] of Object.entries(wanted)) {
    const file = path.join(root, name);
    if (readFileSync(file, 'utf8') === text) continue;
    if (check) {
      process.stderr.write(`${name} is out of date: run \`npm run docs\`\n`);
      process.exitCode = 1;
    } else {
      writeFileSync(file, text);
    }
  }
}

if (require.main === module) main(process.argv.includes('--check'));
