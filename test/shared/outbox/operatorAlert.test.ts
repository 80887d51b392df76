import { StorageUnavailable } from '../../../shared/errors';
import type { DeliveryAlert } from '../../../shared/outbox/deliveries';
import { reportPoison, type OperatorAlertDeps, type PoisonReport } from '../../../shared/outbox/operatorAlert';
import { createTestFlow, start } from '../../support/flow';

function createReport(admins: readonly string[] = ['ops@example.org', 'oncall@example.org']) {
  const t = createTestFlow();
  let poison: PoisonReport = { count: 0, ids: [], oldest: undefined };
  const deps: OperatorAlertDeps = { ...t.deps, settings: { admins }, peekPoison: () => Promise.resolve(poison) };
  return {
    ...t,
    look: () => reportPoison(deps),
    poison: (count: number, ids: readonly string[] = [], oldest = start) => {
      poison = { count, ids, oldest };
    },
    alert: (id: string, kind: DeliveryAlert['kind'] = 'mail') =>
      deps.deliveries.alert({ id, mailId: id, kind, reason: 'sendgrid_400', at: t.clock.now() }),
  };
}

describe('reportPoison', () => {
  it('tells count, age in minutes and ids, by an event and by one mail to each of ADMINS', async () => {
    const t = createReport();
    t.poison(2, ['id-1', 'id-2'], start);
    t.clock.advance(7 * 60 + 30);
    await t.look();
    const counted = { count: 2, oldestAgeMinutes: 7, ids: ['id-1', 'id-2'] };
    expect(t.events).toContainEqual({ event: 'poisonMail', level: 'error', ...counted });
    const from = 'server@codalab.org';
    expect(t.email.accepted).toMatchObject(['ops@example.org', 'oncall@example.org'].map((to) => ({ to, from })));
    expect(t.email.accepted[0]?.text).toContain('id-1, id-2');
  });

  it('mails a new state at most every 15 minutes, and the same one once a day; the event comes each minute', async () => {
    const t = createReport(['ops@example.org']);
    for (let minute = 0; minute < 14; minute++) {
      t.poison(minute + 1, [`id-${minute}`]);
      await t.look();
      t.clock.advance(60);
    }
    expect(t.email.accepted).toHaveLength(1);
    expect(t.events.filter(({ event }) => event === 'poisonMail')).toHaveLength(14);
    t.clock.advance(60);
    await t.look();
    expect(t.email.accepted).toHaveLength(2);
    for (let quarter = 0; quarter < 4 * 23; quarter++) {
      t.clock.advance(15 * 60);
      await t.look();
    }
    expect(t.email.accepted).toHaveLength(2);
    t.clock.advance(3600);
    await t.look();
    expect(t.email.accepted).toHaveLength(3);
  });

  it('keeps the alerts when the site row cannot be read', async () => {
    const t = createReport(['ops@example.org']);
    await t.alert('mail-1');
    t.tables.site.intercept('get', () => Promise.reject(new StorageUnavailable('tables', '503')));
    await expect(t.look()).rejects.toMatchObject({ name: 'StorageUnavailable' });
    await t.look();
    expect(t.email.accepted).toHaveLength(1);
  });

  it('D10 says nothing while all is well; reports failed mails, a refusing provider and unreadable accounts once, and not again', async () => {
    const t = createReport(['ops@example.org']);
    await t.look();
    expect([t.events, t.email.tried]).toEqual([[], []]);
    await t.alert('mail-1');
    await t.alert('mail-2', 'unsure');
    await t.alert('provider-1', 'provider');
    await t.alert('account-1', 'account');
    await t.look();
    const counts = t.email.accepted[0]?.text.match(/(?<=: )\d+(?=\.)/g);
    expect(counts).toEqual(['2', '1', '1']); // failed or unsure, provider, accounts
    expect(t.tables.deliveries.rows().filter((row) => row['told'] !== true)).toEqual([]);
    t.clock.advance(3600);
    await t.look();
    expect(t.email.accepted).toHaveLength(1);
  });

  it('keeps the alerts and tries again when no mail to ADMINS gets out', async () => {
    const t = createReport(['ops@example.org']);
    await t.alert('mail-1');
    t.email.script({ outcome: 'transient', reason: 'sendgrid_401', surelyNotAccepted: true, misconfigured: true });
    await t.look();
    expect(t.tables.deliveries.rows()).toHaveLength(1);
    expect(t.events).toContainEqual({ event: 'operatorAlertNotSent', level: 'error', reason: 'sendgrid_401' });
    t.clock.advance(15 * 60);
    await t.look();
    expect(t.email.accepted).toHaveLength(1);
    expect(t.tables.deliveries.rows().filter((row) => row['told'] !== true)).toEqual([]);
  });

  it('marks the alerts if there are no ADMINS: their events are all there is', async () => {
    const t = createReport([]);
    await t.alert('mail-1');
    await t.look();
    expect(t.email.tried).toEqual([]);
    expect(t.tables.deliveries.rows().filter((row) => row['told'] !== true)).toEqual([]);
  });
});
