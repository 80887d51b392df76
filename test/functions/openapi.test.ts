// The OpenAPI document is valid, and describes what is registered. That every answer is as it says is checked by test/support, wherever
// a test calls the app.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { app as azureApp } from '@azure/functions';
import { openapiDocument } from '../../functions/apiCalls';
import { exampleSettings } from '../support/app';

const openapi = openapiDocument();

it('the document describes every HTTP function that is registered, and no other', async () => {
  const routes: string[] = [];
  jest.spyOn(azureApp, 'http').mockImplementation((_name, { route = '', methods = [] }) => {
    for (const method of methods) {
      if (method === 'GET' || (method === 'POST' && !/reset\/done$/.test(route)))
        routes.push(`${method.toLowerCase()} /${route}`);
    }
  });
  jest.spyOn(azureApp, 'storageQueue').mockReturnValue();
  jest.spyOn(azureApp, 'timer').mockReturnValue();
  jest.spyOn(azureApp.hook, 'appTerminate').mockImplementation();
  Object.assign(process.env, exampleSettings, { LINKS_ENDPOINT: 'on' });
  await import('../../functions/main');
  const documented = Object.entries(openapi.paths).flatMap(([path, item]) =>
    Object.keys(item).map((method) => `${method} ${path.replace(/\/$/, '').replace('{key}', '{*rest}')}`),
  );
  // One function serves the page behind the link and the one after it; unknown paths have a page, but no documentation.
  expect(documented.filter((route) => route !== 'get /accounts/password/reset/key/done').sort()).toEqual(
    routes.filter((route) => !route.endsWith('/reset/{*rest}')).sort(),
  );
});

it('the document is valid OpenAPI 3.1', () => {
  const directory = mkdtempSync(path.join(tmpdir(), 'openapi-'));
  const file = path.join(directory, 'openapi.json');
  writeFileSync(file, JSON.stringify(openapi));
  const validator = path.join(
    __dirname,
    '../../node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js',
  );
  const { stdout } = spawnSync(process.execPath, [validator, file], { encoding: 'utf8' });
  rmSync(directory, { recursive: true });
  expect(JSON.parse(stdout)).toEqual({ valid: true });
});

it('the document names every operation once', () => {
  const ids = [...JSON.stringify(openapi).matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size).toBe(ids.length);
});
