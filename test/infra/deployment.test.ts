// azure.yaml, the workflow and .funcignore: what of them can be checked without a cloud. There is no YAML parser among our dependencies, so
// they are read as text.
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { packedFiles } from '../../dev/package';
import { readBicep, root } from './bicep';

const read = (name: string): string => readFileSync(path.join(root, name), 'utf8');
const azure = read('azure.yaml');
const workflow = read('.github/workflows/ci.yml');
const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };

it.each([
  ['azure.yaml', azure],
  ['the workflow', workflow],
])('%s is indented by spaces, in steps of two', (_name, text) => {
  for (const line of text.split('\n')) {
    expect(line).not.toMatch(/\t|\s$/);
    if (!/^\s*(?:#|while|jq|\||curl)/.test(line)) expect((/^ */.exec(line)?.[0].length ?? 0) % 2).toBe(0);
  }
});

it.each([
  ['azure.yaml', azure],
  ['the workflow', workflow],
])('%s runs only npm scripts and files that exist', (_name, text) => {
  for (const [, script = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(Object.keys(scripts)).toContain(script);
  for (const [, file = ''] of text.matchAll(/(?:node|--file) (infra\/[\w./]+)/g)) {
    expect(existsSync(path.join(root, file))).toBe(true);
  }
});

it('azd finds the app by the tag of its service', () => {
  const service = /^services:\n {2}(\w+):/m.exec(azure)?.[1];
  expect(readBicep('modules/functionApp.bicep').text).toContain(`'azd-service-name': '${service ?? ''}'`);
  expect(azure).toContain(`azd: deploy ${service ?? ''} --from-package dist/app.zip`);
});

it('nothing is built in Azure', () => {
  expect(azure).toContain('remoteBuild: false');
});

it('the signing secret is made after the vault and before the app', () => {
  expect(azure).toMatch(/postprovision:[\s\S]*ensureSecrets\.mjs[\s\S]*predeploy:/);
  expect(azure).not.toContain('preprovision');
});

it('the hook gets what it needs from the outputs of main.bicep', () => {
  const hook = read('infra/hooks/ensureSecrets.mjs');
  const wanted = [...hook.matchAll(/'(AZURE_\w+)'/g)].map(([, name = '']) => name);
  const outputs = readBicep('main.bicep').declarations.filter(({ keyword }) => keyword === 'output');
  expect(wanted.length).toBeGreaterThan(2);
  expect(outputs.map(({ name }) => name)).toEqual(expect.arrayContaining(wanted));
});

it('.funcignore, for `func azure functionapp publish`, lets the same files through as the package', () => {
  const rules = read('.funcignore')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  const ignored = (file: string): boolean => {
    // As in .gitignore: the last rule that matches counts, for every folder on the way.
    const parts = file.split('/').map((_, index, all) => all.slice(0, index + 1).join('/'));
    return parts.some((part) => {
      let out = false;
      for (const rule of rules) {
        const pattern = rule.replace(/^!/, '').replace(/\/$/, '');
        const matches =
          pattern === '*'
            ? !part.includes('/') || part.startsWith('dist/')
            : pattern.endsWith('/*')
              ? path.posix.dirname(part) === pattern.slice(0, -2)
              : part === pattern;
        if (matches) out = !rule.startsWith('!');
      }
      return out;
    });
  };
  for (const file of packedFiles().keys()) expect({ file, ignored: ignored(file) }).toEqual({ file, ignored: false });
  for (const file of [
    'local.settings.json',
    'functions/main.ts',
    'node_modules/jest/index.js',
    'dist/main.js.map',
    '.env',
  ]) {
    expect({ file, ignored: ignored(file) }).toEqual({ file, ignored: true });
  }
});

describe('the workflow', () => {
  it('tests on every Node version that package.json allows and Azure offers', () => {
    expect(workflow).toContain('node: [20, 22, 24]');
    expect(workflow).toContain('run: .ci/run');
  });

  it('deploys by hand only, with a federated credential and no secret', () => {
    expect(workflow).toContain("if: github.event_name == 'workflow_dispatch'");
    expect(workflow).toContain('id-token: write');
    expect(workflow).not.toMatch(/secrets\.|client-secret|PUBLISH_PROFILE/i);
    const [beforeDeploy = ''] = workflow.split('\n  deploy:');
    expect(beforeDeploy).not.toContain('id-token');
  });
});
