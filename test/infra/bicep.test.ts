// What a Bicep compiler and a reviewer would look at, as far as that goes without one.
import { existsSync } from 'node:fs';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { outgoingMailQueueName, poisonQueueName } from '../../shared/storage/outgoingMailStorageQueue';
import { bicepFiles, blockOf, codeOf, keysOf, readBicep, referencesIn, root, unbalancedBracket } from './bicep';

const files = bicepFiles();
const named = files.map((file) => [file.name, file] as const);
const all = files.map(({ text }) => text).join('\n');

/** Functions, types and words of the language that the files use; anything else must be declared. */
const language = new Set(
  [
    'string int bool object array true false null if for in existing',
    'empty contains union replace split toLower uniqueString guid subscription resourceGroup subscriptionResourceId',
    'loadTextContent metadata description allowed minLength maxLength minValue maxValue targetScope',
  ].flatMap((words) => words.split(' ')),
);
/** Azure's built-in roles (learn.microsoft.com: "Azure built-in roles"). */
const roles = {
  'Storage Blob Data Owner': 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
  'Storage Queue Data Contributor': '974c5e8b-45b9-4653-ba55-5f855dd0fb88',
  'Storage Table Data Contributor': '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3',
  'Key Vault Secrets User': '4633458b-17de-408a-b874-0445c86b69e6',
  'Key Vault Secrets Officer': 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
  'Monitoring Metrics Publisher': '3913510d-42f4-4e42-8a64-420c390055eb',
  Reader: 'acdd72a7-3385-48ef-bd42-f606fba81ae7',
};
/** Versions that the public samples use for these types; a new one is a thing to look up, not to guess. */
const apiVersions: Record<string, string> = {
  'Microsoft.Resources/resourceGroups': '2024-03-01',
  'Microsoft.ManagedIdentity/userAssignedIdentities': '2023-01-31',
  'Microsoft.Storage/storageAccounts': '2023-05-01',
  'Microsoft.Storage/storageAccounts/blobServices': '2023-05-01',
  'Microsoft.Storage/storageAccounts/blobServices/containers': '2023-05-01',
  'Microsoft.Storage/storageAccounts/tableServices': '2023-05-01',
  'Microsoft.Storage/storageAccounts/tableServices/tables': '2023-05-01',
  'Microsoft.Storage/storageAccounts/queueServices': '2023-05-01',
  'Microsoft.Storage/storageAccounts/queueServices/queues': '2023-05-01',
  'Microsoft.Authorization/locks': '2020-05-01',
  'Microsoft.Authorization/roleAssignments': '2022-04-01',
  'Microsoft.KeyVault/vaults': '2023-07-01',
  'Microsoft.Insights/diagnosticSettings': '2021-05-01-preview',
  'Microsoft.Insights/components': '2020-02-02',
  'Microsoft.Insights/workbooks': '2022-04-01',
  'Microsoft.Insights/actionGroups': '2023-01-01',
  'Microsoft.Insights/scheduledQueryRules': '2022-06-15',
  'Microsoft.Insights/webtests': '2022-06-15',
  'Microsoft.Insights/metricAlerts': '2018-03-01',
  'Microsoft.OperationalInsights/workspaces': '2023-09-01',
  'Microsoft.Web/serverfarms': '2024-04-01',
  'Microsoft.Web/sites': '2024-04-01',
  'Microsoft.Web/sites/config': '2024-04-01',
  'Microsoft.Web/sites/hostNameBindings': '2024-04-01',
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': '2024-04-01',
  'Microsoft.Web/certificates': '2024-04-01',
};

describe.each(named)('%s', (name, { text, declarations }) => {
  it('has balanced brackets and strings that end', () => {
    expect(unbalancedBracket(codeOf(text))).toBeUndefined();
  });

  it('says in its first line what it is', () => {
    expect(text).toMatch(/^\/\/ .{40,}/);
  });

  it('declares each name once', () => {
    const names = declarations.filter(({ keyword }) => keyword !== 'output').map((declaration) => declaration.name);
    expect(names).toEqual([...new Set(names)]);
  });

  it('refers to nothing that is not declared', () => {
    const declared = new Set(declarations.map((declaration) => declaration.name));
    for (const { keyword, name: declaration, code } of declarations) {
      if (keyword === 'type') continue;
      const loops = [...code.matchAll(/\bfor (?:\((\w+), (\w+)\)|(\w+)) in\b/g)].flatMap((match) => match.slice(1));
      const unknown = [...referencesIn(code)].filter(
        (reference) => !declared.has(reference) && !language.has(reference) && !loops.includes(reference),
      );
      expect({ declaration, unknown }).toEqual({ declaration, unknown: [] });
    }
  });

  it('uses every parameter and every variable', () => {
    for (const { keyword, name: declared } of declarations) {
      if (keyword !== 'param' && keyword !== 'var') continue;
      const users = declarations.filter((other) => other.name !== declared && referencesIn(other.code).has(declared));
      expect({ declared, used: users.length > 0 }).toEqual({ declared, used: true });
    }
  });

  it('uses resource types in a version that is known', () => {
    for (const { keyword, text: own } of declarations) {
      if (keyword !== 'resource') continue;
      const [, type = '', version] = /^ '([^@']+)@([^']+)'/.exec(own) ?? [];
      expect(`${type}@${version ?? ''}`).toBe(`${type}@${apiVersions[type] ?? 'a version in this test'}`);
    }
  });

  it('gives every module exactly the parameters it has, and reads only outputs that it has', () => {
    for (const module of declarations.filter(({ keyword }) => keyword === 'module')) {
      const file = /^ '([^']+)'/.exec(module.text)?.[1] ?? '';
      const target = path.posix.join(path.posix.dirname(name), file);
      expect(existsSync(path.join(root, 'infra', target))).toBe(true);
      const { declarations: theirs } = readBicep(target);
      const optional = theirs.filter(({ keyword, code }) => keyword === 'param' && code.includes('='));
      const required = theirs.filter(({ keyword, code }) => keyword === 'param' && !code.includes('='));
      const given = keysOf(blockOf(module.text, 'params'));
      expect(given.filter((key) => !optional.some((parameter) => parameter.name === key)).sort()).toEqual(
        required.map((parameter) => parameter.name).sort(),
      );
      const outputs = theirs.filter(({ keyword }) => keyword === 'output').map((output) => output.name);
      for (const [, read] of text.matchAll(new RegExp(`\\b${module.name}\\.outputs\\.(\\w+)`, 'g'))) {
        expect(outputs).toContain(read);
      }
    }
  });

  it('loads only files that are there', () => {
    for (const [, file = ''] of text.matchAll(/loadTextContent\('([^']+)'\)/g)) {
      expect(existsSync(path.join(root, 'infra', path.dirname(name), file))).toBe(true);
    }
  });
});

describe('the infrastructure', () => {
  it('has every module in use', () => {
    const used = files.flatMap(({ declarations }) =>
      declarations
        .filter(({ keyword }) => keyword === 'module')
        .map(({ text }) => path.basename(/'([^']+)'/.exec(text)?.[1] ?? '')),
    );
    expect(used.sort()).toEqual(
      files
        .map(({ name }) => path.basename(name))
        .filter((name) => name !== 'main.bicep')
        .sort(),
    );
  });

  it('knows the built-in roles by their ids, and no other GUID', () => {
    const { text } = readBicep('modules/roles.bicep');
    for (const [role, id] of Object.entries(roles)) expect(text).toMatch(new RegExp(`'?${role}'?: '${id}'`));
    const guids = all.match(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/gi);
    expect(guids?.sort()).toEqual(Object.values(roles).sort());
  });

  it('uses only roles that it defines', () => {
    const { text } = readBicep('modules/roles.bicep');
    const defined = Object.keys(roles);
    const used = [...text.matchAll(/roleIds(?:\['([^']+)'\]|\.(\w+))/g)].map(([, quoted, dotted]) => quoted ?? dotted);
    expect(used.length).toBeGreaterThan(4);
    for (const role of used) expect(defined).toContain(role);
    for (const role of blockless(text, 'appStorageRoles')) expect(defined).toContain(role);
  });

  it('holds no key: not of storage, not of anything', () => {
    expect(all).toContain('allowSharedKeyAccess: false');
    expect(all).not.toMatch(/listKeys|listAccountSas|AccountKey=|primaryKey|@secure/);
    expect(all).not.toMatch(/Microsoft\.KeyVault\/vaults\/secrets/);
  });

  it('makes the tables and queues that the code uses', () => {
    const { text } = readBicep('modules/storage.bicep');
    const services = readFileSync(path.join(root, 'shared/services.ts'), 'utf8');
    const names = /const tableNames = \[([^\]]+)\]/.exec(services)?.[1] ?? '';
    const tables = [...names.matchAll(/'(\w+)'/g)].map(([, table = '']) => table);
    expect(tables.length).toBeGreaterThan(3);
    expect(blockless(text, 'tableNames').sort()).toEqual(tables.sort());
    expect(blockless(text, 'queueNames')).toEqual([outgoingMailQueueName, poisonQueueName]);
  });

  it('speaks HTTPS only, with TLS 1.2 or better', () => {
    expect(all).toContain('httpsOnly: true');
    expect(all).toContain("minTlsVersion: '1.2'");
    expect(all).toContain("minimumTlsVersion: 'TLS1_2'");
    expect(all).toContain('supportsHttpsTrafficOnly: true');
  });

  it('keeps no HTTP access log, whose paths would hold reset keys', () => {
    const code = files.map(({ text }) => text.replace(/\/\/.*$/gm, '')).join('\n');
    expect(code).not.toMatch(/AppServiceHTTPLogs|FunctionAppLogs|allLogs|categoryGroup|httpLogging/i);
    const scopes = [...code.matchAll(/diagnosticSettings@[^{]+\{\s*scope: (\w+)/g)].map(([, scope]) => scope);
    expect(scopes).toEqual(['vault']);
  });

  it('watches our own events, and the health from outside', () => {
    const { text } = readBicep('modules/alerts.bicep');
    for (const query of ['PoisonMail', 'DeliveryAlert', 'Misconfigured', 'NothingSent', 'BadSettings', 'LinkInLog'])
      expect(text).toContain(`docs/kql/alert${query}.kql`);
    expect(readBicep('main.bicep').text).toContain('/api/health');
    expect(text).toContain("Kind: 'standard'");
  });

  it('has a section of the runbook for every alert', () => {
    const operations = readFileSync(path.join(root, 'docs/operations.md'), 'utf8');
    const sections = [...all.matchAll(/docs\/operations\.md, "([^"]+)"/g)].map(([, section = '']) => section);
    expect(sections.length).toBeGreaterThan(6);
    for (const section of sections) expect(operations).toMatch(new RegExp(`^##+ ${section}$`, 'm'));
  });
});

/** The strings of `var name = ['a', 'b']`, over one line or more. */
function blockless(text: string, name: string): string[] {
  const list = new RegExp(`var ${name} = \\[([^\\]]*)\\]`).exec(text)?.[1] ?? '';
  return [...list.matchAll(/'([^']+)'/g)].map(([, item = '']) => item);
}
