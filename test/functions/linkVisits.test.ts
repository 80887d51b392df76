// Nobody but the visitor may spend her limit of link visits.
import { addAccount, keyIn, someuser, startApp } from '../support/app';

it('other sites’ pages that load links by the dozen do not keep her from opening hers', async () => {
  const app = await startApp({ timers: false });
  await addAccount(app, someuser);
  await app.post('password-reset/request', { email: someuser.email });
  const [mail = ''] = await app.mailsWithin(1);
  const open = async (key: string, headers: Record<string, string> = {}): Promise<number> => {
    const { status } = await fetch(`${app.host.url}/accounts/password/reset/key/${key}/`, { headers });
    return status;
  };
  const embedded = { 'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Dest': 'image' };
  const statuses = new Set<number>();
  for (let times = 0; times < 70; times++) {
    statuses.add(await open('x', embedded));
    statuses.add(await open('x'));
    statuses.add(await open(keyIn(mail), embedded));
  }
  expect(statuses).toEqual(new Set([400, 403]));
  await expect(open(keyIn(mail))).resolves.toBe(200);
  await app.stop();
});
