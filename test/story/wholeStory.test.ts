// The main job, end to end: the built bundle under the dev host and Azurite. (The words of the mail: test/shared/mail/renderMail.test.ts.)
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { addAccount, eventually, keyIn, readAccount, someuser, startApp } from '../support/app';
import { verifyPassword } from '../support/verifyPassword';

it('mails a key, checks it any number of times, redeems it once, and tells the mailbox', async () => {
  const newPassword = 'correct horse battery staple';
  const app = await startApp();
  await addAccount(app, someuser);
  const accepted = await app.post('password-reset/request', { email: someuser.email });
  expect(accepted).toMatchObject({ status: 202, text: '{"status":"accepted"}' });
  const [mail = ''] = await app.mailsWithin(1);
  const key = keyIn(mail);
  expect(mail).toContain(`\nhttp://codalab.org/accounts/password/reset/key/${key}/\n`);
  for (let times = 0; times < 3; times++) {
    const checked = await app.post('password-reset/check', { key });
    expect(checked).toMatchObject({ status: 200, json: { username: 'someuser' } });
    expect(Date.parse(String(checked.json['expiresAt']))).toBeGreaterThan(Date.now() + 58 * 60_000);
  }
  const redeemed = await app.post('password-reset/redeem', { key, newPassword });
  expect(redeemed).toMatchObject({ status: 200, text: '{"status":"changed","username":"someuser"}' });
  const again = await app.post('password-reset/redeem', { key, newPassword: `another ${newPassword}` });
  expect(again).toMatchObject({ status: 410, json: { code: 'used_key' } });

  const row = await readAccount(app, someuser.email);
  expect(row).toMatchObject({ generation: 1 });
  await expect(verifyPassword(newPassword, String(row?.['password']))).resolves.toBe(true);
  // The notice waits for the write it announces.
  const notice = await eventually(() => app.mails().find((each) => each.includes('has just been changed')), 45);
  expect(notice).toContain('To: someuser@somewhere.com');
  expect(notice).not.toContain('/accounts/password/reset/key/');
  await app.stop();
}, 60_000);

it('reaches storage through the proxy of HTTP_PROXY', async () => {
  const tunnels: (string | undefined)[] = [];
  const proxy = createServer().on('connect', ({ url }, client) => {
    tunnels.push(url);
    const server = connect(Number(url?.split(':')[1]), '127.0.0.1', () => client.write('HTTP/1.1 200 OK\r\n\r\n'));
    server.pipe(client).pipe(server);
    for (const socket of [server, client]) socket.on('error', () => [server, client].map((end) => end.destroy()));
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  const proxyUrl = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;
  // The host's own receiving of messages would not go through a tunnel.
  const app = await startApp({ env: { HTTP_PROXY: proxyUrl, NO_PROXY: '' }, queues: false, timers: false });
  const { status } = await app.post('password-reset/request', { email: someuser.email });
  await app.stop();
  proxy.close().closeAllConnections();
  expect(status).toBe(202);
  expect(tunnels).toEqual([/QueueEndpoint=http:\/\/([^/]+)/.exec(app.connectionString)?.[1]]);
});
