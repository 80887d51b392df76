// Every query in docs/kql, by Microsoft's parser, with the tables of a workspace. The workbook and the alerts load these files.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { appEvents } from '../../docs/generate';

import '@kusto/language-service-next/bridge.min.js';
import '@kusto/language-service-next/Kusto.Language.Bridge.min.js';

/** The part of the parser that is used; it registers itself as a global, and its own types are incomplete. */
interface Parser {
  readonly GlobalState: { readonly Default: { WithDatabase(database: object): object } };
  readonly KustoCode: { ParseAndAnalyze(text: string, globals: object): { GetDiagnostics(): Diagnostics } };
  readonly Symbols: {
    readonly TableSymbol: { From(columns: string): { WithName(name: string): object } };
    readonly DatabaseSymbol: { readonly ctor: new (name: string, tables: readonly object[]) => object };
  };
}
interface Diagnostics {
  readonly Count: number;
  getItem(index: number): { readonly Code: string; readonly Message: string; readonly Start: number };
}
declare const Kusto: { readonly Language: Parser };
const { GlobalState, KustoCode, Symbols } = Kusto.Language;

const always = 'TimeGenerated: datetime, Type: string';
const tables = {
  AppTraces: 'Message: string, SeverityLevel: int, OperationId: string',
  AppRequests: 'Name: string, Url: string, ResultCode: string, DurationMs: real, Success: bool',
  AppExceptions: 'OuterMessage: string, InnermostMessage: string, ExceptionType: string',
  AppDependencies: 'Name: string, Data: string, Target: string, ResultCode: string',
  AppServiceHTTPLogs: 'CsUriStem: string, CsMethod: string, ScStatus: int',
};
const workspace = GlobalState.Default.WithDatabase(
  new Symbols.DatabaseSymbol.ctor(
    'workspace',
    Object.entries(tables).map(([name, columns]) => Symbols.TableSymbol.From(`(${always}, ${columns})`).WithName(name)),
  ),
);

function problemsOf(query: string): string[] {
  const found = KustoCode.ParseAndAnalyze(query, workspace).GetDiagnostics();
  return Array.from({ length: found.Count }, (_, index) => {
    const { Code, Message, Start } = found.getItem(index);
    return `${Code} at ${query.slice(0, Start).split('\n').length}: ${Message}`;
  });
}

const folder = path.join(__dirname, '../../docs/kql');
const queries = readdirSync(folder).map((file) => [file, readFileSync(path.join(folder, file), 'utf8')] as const);
const events = appEvents();

it.each(queries)('%s parses, and names only tables and columns that exist', (_file, query) => {
  expect(problemsOf(query)).toEqual([]);
});

it.each(queries)('%s uses only events and fields that the app emits', (_file, query) => {
  const code = query.replace(/\/\/.*$/gm, '');
  const fields = [...code.matchAll(/\be(?:\.(\w+)|\["(\w+)"\])/g)].map(([, dotted, quoted]) => dotted ?? quoted ?? '');
  const known = new Set(['event', 'level', ...events.flatMap((event) => event.fields)]);
  expect(fields.filter((field) => !known.has(field))).toEqual([]);
  const compared = [...code.matchAll(/\bevent\)? (?:[!=]=|!?in) (\([^)]*\)|"\w+")/g)].flatMap(([, list = '']) =>
    [...list.matchAll(/"(\w+)"/g)].map(([, name = '']) => name),
  );
  expect(fields).toContain('event');
  expect(compared.filter((name) => !events.some((event) => event.name === name))).toEqual([]);
});

it('the parser refuses a reserved word as a column, and an unknown column', () => {
  expect(problemsOf('AppTraces | extend kind = Message')).toEqual([expect.stringMatching(/^KS228/)]);
  expect(problemsOf('AppTraces | where Text == ""')).toEqual([expect.stringMatching(/^KS142/)]);
});
