// Reads the events out of the sources: every object literal with an `event: '…'`, with the fields that stand beside it.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';

export const root = path.join(__dirname, '../..');

/** What the code says of one event. */
export interface EmittedEvent {
  readonly fields: Set<string>;
  readonly levels: Set<string>;
  /** A level is worked out elsewhere, so `levels` may lack some. */
  moreLevels: boolean;
}

const errorFields = ['errorName', 'errorCode', 'errorAt'];
/** What a spread stands for that cannot be read off its place. */
const knownSpreads: Record<string, readonly string[]> = {
  'errorFields(error)': errorFields,
  problems: ['problems', ...errorFields], // site.ts
  deleted: ['ResetKeys', 'Limits', 'Deliveries'], // purgeExpired.ts
};

/** All events of shared/ and functions/, by name. @throws Error for a spread or a level that nobody has explained here */
export function emittedEvents(): Map<string, EmittedEvent> {
  const events = new Map<string, EmittedEvent>();
  for (const file of ['shared', 'functions'].flatMap(sourcesIn)) readFile(file, events);
  return events;
}

function sourcesIn(folder: string): string[] {
  return readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => path.join(root, folder, name));
}

function readFile(file: string, events: Map<string, EmittedEvent>): void {
  const source = ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true);
  /** `const audit = { event: … }`: a later `{ ...audit, count }` is the same event. */
  const named = new Map<string, string>();
  const visit = (node: ts.Node): void => {
    if (ts.isObjectLiteralExpression(node)) {
      const name = eventNameOf(node) ?? spreadEvent(node, named);
      if (name !== undefined) {
        const variable = declaredName(node);
        if (variable !== undefined) named.set(variable, name);
        addFields(node, name, events, named);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
}

function propertyOf(node: ts.ObjectLiteralExpression, name: string): ts.Expression | undefined {
  const found = node.properties.find((property) => property.name?.getText() === name);
  if (found === undefined) return undefined;
  return ts.isPropertyAssignment(found)
    ? found.initializer
    : ts.isShorthandPropertyAssignment(found)
      ? found.name
      : undefined;
}

function eventNameOf(node: ts.ObjectLiteralExpression): string | undefined {
  const value = propertyOf(node, 'event');
  return value !== undefined && ts.isStringLiteral(value) ? value.text : undefined;
}

function spreadEvent(node: ts.ObjectLiteralExpression, named: Map<string, string>): string | undefined {
  const spread = node.properties.find(ts.isSpreadAssignment);
  return spread === undefined ? undefined : named.get(spread.expression.getText());
}

function declaredName(node: ts.ObjectLiteralExpression): string | undefined {
  const parent = ts.isAsExpression(node.parent) ? node.parent.parent : node.parent;
  return ts.isVariableDeclaration(parent) ? parent.name.getText() : undefined;
}

function addFields(
  node: ts.ObjectLiteralExpression,
  name: string,
  events: Map<string, EmittedEvent>,
  named: Map<string, string>,
): void {
  const event = events.get(name) ?? { fields: new Set(), levels: new Set(), moreLevels: false };
  events.set(name, event);
  for (const property of node.properties) {
    if (ts.isSpreadAssignment(property)) {
      const text = property.expression.getText();
      if (named.get(text) === name) continue;
      const fields = knownSpreads[text];
      if (fields === undefined)
        throw new Error(`what is ...${text} in the event ${name}? Tell test/docs/emittedEvents.ts`);
      for (const field of fields) event.fields.add(field);
    } else {
      event.fields.add(property.name.getText());
    }
  }
  const level = propertyOf(node, 'level')?.getText();
  if (level === 'level') event.moreLevels = true;
  for (const [, literal = ''] of (level ?? '').matchAll(/'(\w+)'/g)) event.levels.add(literal);
  if (level === undefined && spreadEvent(node, named) === undefined) event.levels.add('info');
}
