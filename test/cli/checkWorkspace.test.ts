// The doctor's search for links in the telemetry, against a Log Analytics API on loopback.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { checkWorkspace, createAskWorkspace, keyBeginning } from '../../cli/doctor/checkWorkspace';
import { issueResetKey } from '../../shared/resetKey';
import { secretA, start } from '../support/flow';

interface Asked {
  readonly url: string | undefined;
  readonly authorization: string | undefined;
  readonly query: string;
}

async function withWorkspace(
  status: number,
  answer: unknown,
  use: (endpoint: string, asked: Asked[]) => Promise<void>,
) {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const { query } = JSON.parse(body) as { query: string };
      asked.push({ url: request.url, authorization: request.headers.authorization, query });
      response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(answer));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const ask = (endpoint: string) => createAskWorkspace(endpoint, 'the workspace', () => Promise.resolve('a token'));

it('is content when nothing is found, and asked with the sign-in for links and keys of the last 30 days', async () => {
  await withWorkspace(200, { tables: [{ name: 'PrimaryResult', columns: [], rows: [] }] }, async (endpoint, asked) => {
    await expect(checkWorkspace(ask(endpoint))).resolves.toMatchObject([{ level: 'ok' }]);
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({ url: '/v1/workspaces/the%20workspace/query', authorization: 'Bearer a token' });
    expect(asked[0]?.query).toContain('ago(30d)');
    expect(asked[0]?.query).toContain(keyBeginning);
  });
});

it('names the tables that hold links, with the cure', async () => {
  const rows = [
    ['AppRequests', 3],
    ['AppTraces', 1],
  ];
  await withWorkspace(200, { tables: [{ rows }] }, async (endpoint) => {
    const [finding] = await checkWorkspace(ask(endpoint));
    expect(finding).toMatchObject({
      level: 'fail',
      what: 'Links or reset keys stand in AppRequests (3), AppTraces (1).',
    });
    expect(finding?.cure).toContain('docs/operations.md');
  });
});

it('says the status when the workspace refuses', async () => {
  await withWorkspace(403, { error: { message: 'someuser@somewhere.com may not' } }, async (endpoint) => {
    await expect(checkWorkspace(ask(endpoint))).rejects.toThrow('the workspace answered 403');
  });
});

it('searches for what every reset key begins with', () => {
  const settings = { signingSecrets: [secretA], siteId: '1', resetKeyTtlMinutes: 60 } as const;
  expect(issueResetKey(settings, 'a'.repeat(22), start).key.startsWith(keyBeginning)).toBe(true);
});
