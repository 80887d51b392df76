// Has a link ever reached the Log Analytics workspace? Asked only with `--workspace ID`: it needs a sign-in with "Log Analytics Reader".
import { z } from 'zod';
import { fail, ok, questionMs, type Finding } from './finding';

/** Runs a KQL query. @returns the rows of its first table */
export type AskWorkspace = (query: string) => Promise<readonly (readonly unknown[])[]>;

const check = 'workspace';
const tables = 'AppTraces, AppRequests, AppDependencies, AppExceptions, AppEvents, FunctionAppLogs, AzureDiagnostics';
/** How every reset key begins, whatever the site's link looks like: its header up to the `kid`. */
export const keyBeginning = Buffer.from('{"alg":"HS256","typ":"reset+jwt",').toString('base64url');

const query = `union isfuzzy=true ${tables}
| where TimeGenerated > ago(30d)
| extend Row = tostring(pack_all())
| where Row contains "/password/reset/key/ey" or Row contains "${keyBeginning}"
| summarize Rows = count() by Type`;

/** Searches the last 30 days for links and reset keys. */
export async function checkWorkspace(ask: AskWorkspace): Promise<Finding[]> {
  const rows = z.array(z.tuple([z.string(), z.number()])).parse(await ask(query));
  if (rows.length === 0) return [ok(check, 'No link and no reset key in the telemetry of the last 30 days.')];
  const found = rows.map(([table, count]) => `${table} (${count})`).join(', ');
  return [
    fail(
      check,
      `Links or reset keys stand in ${found}.`,
      'Find out what writes URLs (docs/operations.md, "A link in the log"), switch it off, and purge those rows.',
    ),
  ];
}

const answerSchema = z.object({ tables: z.array(z.object({ rows: z.array(z.array(z.unknown())) })).min(1) });

/**
 * Asks a workspace through the Log Analytics API.
 * @param endpoint `https://api.loganalytics.azure.com`
 * @param token gives a bearer token for it
 * @throws Error with the status alone, when it does not answer 200
 */
export function createAskWorkspace(endpoint: string, workspaceId: string, token: () => Promise<string>): AskWorkspace {
  return async (text) => {
    const response = await fetch(new URL(`/v1/workspaces/${encodeURIComponent(workspaceId)}/query`, endpoint), {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', Authorization: `Bearer ${await token()}` },
      body: JSON.stringify({ query: text }),
      signal: AbortSignal.timeout(3 * questionMs),
    });
    if (!response.ok) throw new Error(`the workspace answered ${response.status}`);
    return answerSchema.parse(await response.json()).tables[0]?.rows ?? [];
  };
}

/** The Azure CLI's or a managed identity's sign-in. */
export async function workspaceToken(): Promise<string> {
  const { DefaultAzureCredential } = await import('@azure/identity');
  const { token } = await new DefaultAzureCredential().getToken('https://api.loganalytics.io/.default');
  return token;
}
