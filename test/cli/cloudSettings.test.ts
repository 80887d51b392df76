// `--account`: the command lines work on an app whose settings and secrets are in Azure, not here.
import { checkSettings as judgeSettings } from '../../cli/doctor/checkSettings';
import { checkSettings } from '../../cli/support/settings';
import type { Patient } from '../../cli/doctor/finding';
import type { Io } from '../../cli/support/io';
import { exampleSettings } from '../support/app';
import { workFolder } from './runCli';

const folder = workFolder();
const io = (env: Io['env']): Io => ({ env, cwd: folder.path }) as Partial<Io> as Io;

describe('with --account', () => {
  it('the storage is that account by identity, whatever storage the settings name', () => {
    const checked = checkSettings(io(exampleSettings), { account: 'codalabstore' });
    expect(checked).toMatchObject({
      ok: true,
      config: {
        storage: {
          kind: 'identity',
          tableServiceUri: 'https://codalabstore.table.core.windows.net',
          queueServiceUri: 'https://codalabstore.queue.core.windows.net',
        },
      },
    });
  });

  it('neither the signing secret nor SERVER_EMAIL is asked for: azd’s environment does not have them', () => {
    const azd = {
      CODALAB_SITE_DOMAIN: 'codalab.org',
      CODALAB_SITE_NAME: 'CodaLab',
      DEFAULT_FROM_EMAIL: 'info@codalab.org',
      EMAIL_BACKEND: 'sendgrid',
      SENDGRID_API_KEY: 'SG.test',
    };
    expect(checkSettings(io(azd), { account: 'codalabstore' })).toMatchObject({ ok: true });
    expect(checkSettings(io(azd), {})).toMatchObject({ ok: false });
  });

  it('the doctor does not judge settings that are not the app’s', async () => {
    const patient = { settings: { ok: false, problems: [] }, fileSettings: {}, isElsewhere: true };
    const findings = await judgeSettings(patient as Partial<Patient> as Patient);
    expect(findings).toMatchObject([{ level: 'ok', check: 'settings' }]);
    expect(findings[0]?.what).toContain('/api/health/details');
  });
});
