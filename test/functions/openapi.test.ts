// The OpenAPI document is true: every registered route is in it, and every real answer is as it says.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { app as azureApp } from '@azure/functions';
import { openapiDocument } from '../../functions/apiCalls';
import { issueResetKey } from '../../shared/resetKey';
import { connectionString } from '../support/storage';
import { addAccount, exampleSettings, someuser, startApp, type App } from '../support/app';
import { expectDocumented } from '../support/openapi';
import { bindKey, exampleConfig, getPage, paths, postForm } from '../support/pages';

const goodPassword = 'correct horse battery staple';
const openapi = openapiDocument();
const seen = new Set<string>();

/** Sends JSON (a string as it is) and holds the answer against the document. @returns its status and `code` */
async function call(
  app: App,
  route: string,
  body: unknown,
  headers: Record<string, string> = {},
): Promise<[number, unknown]> {
  const answer = await app.post(route, body, headers);
  expectDocumented('POST', `/api/${route}`, answer);
  seen.add(`post /api/${route}`);
  return [answer.status, answer.json['code']];
}

async function get(app: App, path: string, headers: Record<string, string> = {}): Promise<number> {
  const response = await fetch(`${app.host.url}${path}`, { headers, redirect: 'manual' });
  expectDocumented('GET', path, { status: response.status, headers: response.headers, text: await response.text() });
  seen.add(`get ${path}`);
  return response.status;
}

describe('the document', () => {
  it('describes every HTTP function that is registered, and no other', async () => {
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

  it('is valid OpenAPI 3.1', () => {
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

  it('names every operation once, and refers to nothing that is not there', () => {
    const text = JSON.stringify(openapi);
    const ids = [...text.matchAll(/"operationId":"(\w+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
    const used = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map(([, ref = '']) => ref);
    expect([...new Set(used)]).toEqual(['#/components/schemas/Problem']);
    expect(openapi).toHaveProperty(['components', 'schemas', 'Problem']);
  });
});

describe('every answer is as documented', () => {
  let app: App;
  beforeAll(async () => {
    app = await startApp({ env: { LINKS_ENDPOINT: 'on', LIMIT_PER_IP: '20/1m' } });
    await addAccount(app, someuser);
  });
  afterAll(() => app.stop());
  const withKey = () => ({ 'x-functions-key': app.host.functionKey });
  const deadKey = () => bindKey(app, someuser.email, 61);

  it.each(['password-reset', 'backend/password-reset'])('of %s', async (prefix) => {
    const headers = prefix === 'password-reset' ? {} : withKey();
    const post = (name: string, body: unknown, more = {}) =>
      call(app, `${prefix}/${name}`, body, { ...headers, ...more });
    for (const name of ['request', 'check', 'redeem']) {
      expect(await post(name, '{')).toEqual([400, 'invalid_request']);
      expect(await post(name, '{}', { 'Content-Type': 'text/plain' })).toEqual([415, 'unsupported_media_type']);
      expect(await post(name, `"${'x'.repeat(17_000)}"`)).toEqual([413, 'request_too_large']);
    }
    expect(await post('request', { email: someuser.email, locale: 'de' })).toEqual([202, undefined]);
    expect(await post('request', { email: 'no address' })).toEqual([400, 'invalid_request']);
    const key = await bindKey(app, someuser.email);
    expect(await post('check', { key })).toEqual([200, undefined]);
    expect(await post('check', { key: 'x' })).toEqual([400, 'invalid_key']);
    expect(await post('check', { key: await deadKey() })).toEqual([410, 'expired_key']);
    expect(await post('redeem', { key, newPassword: 'short' })).toEqual([422, 'rejected_password']);
    expect(await post('redeem', { key, newPassword: `${goodPassword} ${prefix}` })).toEqual([200, undefined]);
    expect(await post('redeem', { key, newPassword: goodPassword })).toEqual([410, 'used_key']);
    expect(await post('redeem', { key: 'x', newPassword: goodPassword })).toEqual([400, 'invalid_key']);
    expect(await post('redeem', { key: await deadKey(), newPassword: goodPassword })).toEqual([410, 'expired_key']);
    expect(await post('check', { key })).toEqual([410, 'used_key']);
  });

  it('without a function key', async () => {
    const guarded = ['backend/password-reset/request', 'backend/password-reset/check', 'backend/password-reset/redeem'];
    for (const route of [...guarded, 'password-reset/links', 'deliveries/find']) {
      expect(await call(app, route, { email: someuser.email })).toEqual([401, undefined]);
    }
    expect(await get(app, '/api/health/details')).toBe(401);
  });

  it('of the calls for operators', async () => {
    await addAccount(app, { id: '2', email: 'support@somewhere.com', username: 'supported' });
    const ask = { email: 'support@somewhere.com' };
    expect(await call(app, 'password-reset/links', ask, withKey())).toEqual([200, undefined]);
    expect(await call(app, 'password-reset/links', { email: 'nobody@x.org' }, withKey())).toEqual([200, undefined]);
    expect(await call(app, 'password-reset/links', {}, withKey())).toEqual([400, 'invalid_request']);
    for (let times = 0; times < 3; times++) await call(app, 'password-reset/links', ask, withKey());
    expect(await call(app, 'password-reset/links', ask, withKey())).toEqual([429, 'too_many_requests']);
    await app.mailsWithin(1);
    expect(await call(app, 'deliveries/find', ask, withKey())).toEqual([200, undefined]);
    expect(await call(app, 'deliveries/find', { email: 1 }, withKey())).toEqual([400, 'invalid_request']);
    expect(await call(app, 'webhooks/sendgrid', [])).toEqual([403, 'forbidden']);
    expect(await call(app, 'webhooks/sendgrid', 'x'.repeat(1_050_000))).toEqual([413, 'request_too_large']);
    expect(await get(app, '/api/health')).toBe(200);
    expect(await get(app, '/api/health/details', withKey())).toBe(200);
    expect(await get(app, '/api/openapi.json')).toBe(200);
  });

  it('of the pages', async () => {
    const page = async (path: string, route: string): Promise<number> => {
      const answer = await getPage(app, path);
      expectDocumented('GET', route, answer);
      seen.add(`get ${route}`);
      return answer.status;
    };
    const post = async (path: string, route: string, fields: Record<string, string> | string, headers = {}) => {
      const answer = await postForm(app, path, fields, headers);
      expectDocumented('POST', route, answer);
      seen.add(`post ${route}`);
      return answer.status;
    };
    const template = '/accounts/password/reset/key/{key}/';
    const key = await bindKey(app, someuser.email);
    for (const path of [paths.forgotPassword, paths.checkInbox, paths.passwordSet])
      expect(await page(path, path)).toBe(200);
    expect(await page('/.well-known/change-password', '/.well-known/change-password')).toBe(302);
    expect(await page(paths.key(key), template)).toBe(200);
    expect(await page(paths.key('x'), template)).toBe(400);
    expect(await page(paths.key(await deadKey()), template)).toBe(410);
    expect(await post(paths.forgotPassword, paths.forgotPassword, { email: 'nobody@somewhere.com' })).toBe(200);
    expect(await post(paths.forgotPassword, paths.forgotPassword, { email: '' })).toBe(400);
    expect(await post(paths.forgotPassword, paths.forgotPassword, '', { 'Sec-Fetch-Site': 'cross-site' })).toBe(403);
    expect(await post(paths.forgotPassword, paths.forgotPassword, 'x'.repeat(17_000))).toBe(413);
    expect(await post(paths.forgotPassword, paths.forgotPassword, '{}', { 'Content-Type': 'application/json' })).toBe(
      415,
    );
    expect(await post(paths.key(key), template, {})).toBe(422);
    expect(await post(paths.key(await deadKey()), template, { action: 'resend' })).toBe(303);
    expect(await post(paths.key(key), template, { newPassword: `${goodPassword} page` })).toBe(303);
    expect(await post(paths.key(key), template, { newPassword: `${goodPassword} again` })).toBe(410);
    expect(await post(paths.key('x'), template, { newPassword: goodPassword })).toBe(400);
  });

  it('over the limit', async () => {
    const until429 = async (ask: () => Promise<number>): Promise<void> => {
      for (let times = 0; times < 200; times++) if ((await ask()) === 429) return;
      throw new Error('the limit never came');
    };
    await until429(async () => (await call(app, 'password-reset/request', { email: 'nobody@x.org' }))[0]);
    await until429(async () => (await call(app, 'password-reset/check', { key: 'x' }))[0]);
    await until429(async () => (await call(app, 'password-reset/redeem', { key: 'x', newPassword: goodPassword }))[0]);
    const answer = await postForm(app, paths.forgotPassword, { email: 'nobody@x.org' });
    expect(answer.status).toBe(429);
    expectDocumented('POST', paths.forgotPassword, answer);
  });

  it('and there is an answer of every call', () => {
    const all = Object.entries(openapi.paths).flatMap(([path, item]) => Object.keys(item).map((m) => `${m} ${path}`));
    expect([...seen].sort()).toEqual(all.sort());
  });
});

describe('every answer while storage is down is as documented', () => {
  let app: App;
  beforeAll(async () => {
    const nowhere = connectionString('test0', { blob: 9, queue: 9, table: 9 });
    const env = { LINKS_ENDPOINT: 'on' };
    app = await startApp({ connectionString: nowhere, makeTables: false, queues: false, timers: false, env });
  });
  afterAll(() => app.stop());

  it('503 with Retry-After, from every call that needs it', async () => {
    const headers = { 'x-functions-key': app.host.functionKey };
    const { key } = issueResetKey(exampleConfig, 'AAAAAAAAAAAAAAAAAAAAAA', new Date());
    const answers = await Promise.all([
      call(app, 'password-reset/request', { email: someuser.email }),
      call(app, 'password-reset/check', { key }),
      call(app, 'password-reset/redeem', { key, newPassword: goodPassword }),
      call(app, 'password-reset/links', { email: someuser.email }, headers),
      call(app, 'deliveries/find', { email: someuser.email }, headers),
    ]);
    expect(answers).toEqual(answers.map(() => [503, 'unavailable']));
    expect(await get(app, '/api/health')).toBe(503);
    expect(await get(app, '/api/health/details', headers)).toBe(503);
    const page = await getPage(app, paths.forgotPassword);
    expect(page.status).toBe(503);
    expectDocumented('GET', paths.forgotPassword, page);
  });
});
