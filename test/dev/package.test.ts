// The deployed zip: what is in it, that it is reproducible, and that it does the whole story from an empty folder, set up as in
// production: no development switch, a signing secret of its own, mail through SendGrid's API.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { packedFiles, zipFiles } from '../../dev/package';
import { settingNames } from '../../shared/config';
import { startScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp } from '../support/app';
import { emptyStorage } from '../support/storage';

const megabyte = 1024 * 1024;

describe('the package', () => {
  it('holds the bundle, host.json, a manifest and the native module, and nothing else', () => {
    expect([...packedFiles().keys()]).toEqual([
      'dist/commonPasswords.js',
      'dist/identity.js',
      'dist/main.js',
      'dist/nodemailer.js',
      'dist/sendgridSdk.js',
      'dist/storageHttp.js',
      'dist/storageSdk.js',
      'dist/undici.js',
      'host.json',
      'node_modules/@node-rs/argon2-linux-x64-gnu/argon2.linux-x64-gnu.node',
      'node_modules/@node-rs/argon2-linux-x64-gnu/package.json',
      'node_modules/@node-rs/argon2/LICENSE',
      'node_modules/@node-rs/argon2/index.js',
      'node_modules/@node-rs/argon2/package.json',
      'package.json',
    ]);
  });

  it('has the same bytes when it is made twice, nothing of the hour or the machine, and is small', async () => {
    const zip = await zipFiles(packedFiles());
    expect((await zipFiles(packedFiles())).equals(zip)).toBe(true);
    expect(zip.length).toBeLessThan(2 * megabyte);
    // A local file header: signature, version, flags, method, time, date, CRC, sizes, name length, extra length.
    expect(zip.readUInt32LE(0)).toBe(0x04034b50);
    const [time, date, extraLength] = [zip.readUInt16LE(10), zip.readUInt16LE(12), zip.readUInt16LE(28)];
    expect({ time, date, extraLength }).toEqual({ time: 0, date: (40 << 9) | (1 << 5) | 1, extraLength: 0 });
    expect(packedFiles().get('dist/main.js')?.includes(path.join(__dirname, '../..'))).toBe(false);
  });
});

it('does the whole story from an empty folder, and logs no address and no key', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'packaged-app-'));
  for (const [name, content] of Object.entries(unzipSync(await zipFiles(packedFiles())))) {
    mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    writeFileSync(path.join(folder, name), content);
  }
  const sendgrid = await startScriptedSendGrid();
  const connectionString = emptyStorage();
  const app = await startApp({
    appFile: path.join(folder, 'dist/main.js'),
    connectionString,
    env: {
      ...Object.fromEntries(settingNames.map((name) => [name, undefined])), // nothing but what stands here
      AZURE_FUNCTIONS_ENVIRONMENT: 'Production',
      NODE_ENV: 'production',
      NODE_PATH: undefined,
      FUNCTIONS_REQUEST_BODY_SIZE_LIMIT: String(megabyte),
      AzureWebJobsStorage: connectionString,
      CODALAB_SITE_DOMAIN: 'codalab.example',
      CODALAB_SITE_NAME: 'CodaLab',
      DEFAULT_FROM_EMAIL: 'CodaLab <info@codalab.example>',
      SERVER_EMAIL: 'server@codalab.example',
      EMAIL_BACKEND: 'sendgrid',
      SENDGRID_API_KEY: 'SG.not-a-key',
      SENDGRID_API_URL: sendgrid.url,
      RESET_SIGNING_SECRETS: `k1:${randomBytes(32).toString('base64')}`,
      PWNED_PASSWORDS: 'off',
    },
  });
  const { email } = someuser;
  const post = (step: string, body: unknown) => app.post(`password-reset/${step}`, body);
  await addAccount(app, someuser);
  expect(await post('request', { email })).toMatchObject({ status: 202, json: { status: 'accepted' } });
  const { body: mail } = await eventually(() => sendgrid.requests[0]);
  expect(mail.personalizations).toEqual([expect.objectContaining({ to: [{ email }] })]);
  const key = keyIn(mail.content[0].value);

  expect(await post('check', { key })).toMatchObject({ status: 200, json: { username: 'someuser' } });
  const redeem = (newPassword: string) => post('redeem', { key, newPassword });
  expect(await redeem('correct horse battery staple')).toMatchObject({ status: 200, json: { status: 'changed' } });
  // The native module of the package has hashed it.
  expect((await readAccount(app, email))?.['password']).toMatch(/^argon2\$argon2id\$/);
  expect(await redeem('another good long password')).toMatchObject({ status: 410, json: { code: 'used_key' } });

  const health = await fetch(`${app.host.url}/api/health`);
  expect([health.status, await health.text()]).toEqual([200, '{"status":"ok"}']);
  expect(app.host.output()).not.toContain(email);
  expect(app.host.output()).not.toContain('/accounts/password/reset/key/');
  expect(app.host.output()).toContain('"event":"redeemKey"');
  await app.stop();
  await sendgrid.close();
  rmSync(folder, { recursive: true });
});
