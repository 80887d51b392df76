// The deployed zip: what is in it, that it is reproducible, and that it does the whole story from an empty folder, set up as in
// production: no development switch, a signing secret of its own, mail through SendGrid's API.
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unzipSync } from 'fflate';
import { startHostProcess, type HostProcess } from '../../dev/host/hostProcess';
import { packedFiles, zipFiles } from '../../dev/package';
import { addressHashOf } from '../../shared/address';
import { settingNames } from '../../shared/config';
import { createStorageClients, type StorageClients } from '../../shared/storage/storageClients';
import { startScriptedSendGrid, type ScriptedSendGrid } from '../fakes/scriptedSendGrid';
import { eventually, keyIn } from '../support/app';
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
    expect(zip.length).toBeLessThan(6 * megabyte);
    // A local file header: signature, version, flags, method, time, date, CRC, sizes, name length, extra length.
    expect(zip.readUInt32LE(0)).toBe(0x04034b50);
    const [time, date, extraLength] = [zip.readUInt16LE(10), zip.readUInt16LE(12), zip.readUInt16LE(28)];
    expect({ time, date, extraLength }).toEqual({ time: 0, date: (40 << 9) | (1 << 5) | 1, extraLength: 0 });
    expect(packedFiles().get('dist/main.js')?.includes(path.join(__dirname, '../..'))).toBe(false);
  });
});

describe('the package in an empty folder', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'packaged-app-'));
  let sendgrid: ScriptedSendGrid;
  let storage: StorageClients;
  let host: HostProcess;

  beforeAll(async () => {
    for (const [name, content] of Object.entries(unzipSync(await zipFiles(packedFiles())))) {
      mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
      writeFileSync(path.join(folder, name), content);
    }
    sendgrid = await startScriptedSendGrid();
    const connectionString = emptyStorage();
    storage = createStorageClients({ kind: 'connectionString', connectionString });
    await storage.createMissing();
    host = await startHostProcess({
      appFile: path.join(folder, 'dist/main.js'),
      hostJsonFile: path.join(folder, 'host.json'),
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
  });
  afterAll(async () => {
    await host.stop();
    await sendgrid.close();
    rmSync(folder, { recursive: true });
  });

  const post = async (step: string, body: unknown) => {
    const response = await fetch(`${host.url}/api/password-reset/${step}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: await response.json() };
  };

  it('does the whole story, answers the availability test, and logs no address and no key', async () => {
    const email = 'someuser@somewhere.com';
    const row = { email, username: 'someuser', password: 'pbkdf2_sha256$1$salt$AAAA', isActive: true, generation: 0 };
    await storage.table('Accounts').insert(addressHashOf(email), '1', row);

    await expect(post('request', { email })).resolves.toEqual({ status: 202, body: { status: 'accepted' } });
    const { body: mail } = await eventually(() => sendgrid.requests[0]);
    expect(mail.personalizations).toEqual([expect.objectContaining({ to: [{ email }] })]);
    const key = keyIn(mail.content[0].value);

    await expect(post('check', { key })).resolves.toMatchObject({ status: 200, body: { username: 'someuser' } });
    const newPassword = 'correct horse battery staple';
    await expect(post('redeem', { key, newPassword })).resolves.toEqual({
      status: 200,
      body: { status: 'changed', username: 'someuser' },
    });
    const stored = await storage.table('Accounts').get(addressHashOf(email), '1');
    // The native module of the package has hashed it.
    expect(stored?.['password']).toMatch(/^argon2\$argon2id\$/);
    await expect(post('redeem', { key, newPassword: 'another good long password' })).resolves.toMatchObject({
      status: 410,
      body: { code: 'used_key' },
    });

    const response = await fetch(`${host.url}/api/health`);
    expect([response.status, await response.text()]).toEqual([200, '{"status":"ok"}']);
    expect(host.output()).not.toContain('someuser@somewhere.com');
    expect(host.output()).not.toContain('/accounts/password/reset/key/');
    expect(host.output()).toContain('"event":"redeemKey"');
  });
});
