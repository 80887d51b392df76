import { StorageUnavailable } from '../../../shared/errors';
import {
  isForward,
  judgeClaim,
  noteReports,
  type ClaimRequest,
  type Delivery,
  type MailReport,
} from '../../../shared/outbox/deliveries';
import { createTestFlow, start } from '../../support/flow';

const addressHash = 'cM-Cuc5Ca17_SqXTIlSZcQ';
const common = {
  addressHash,
  id: 'AAECAwQFBgcICQoLDA0ODw',
  kind: 'passwordReset',
  attempt: 2,
  acceptedAt: start,
  charged: false,
  unsureTries: 0,
  refusedTries: 0,
  updatedAt: start,
  provider: undefined,
  etag: 'x',
} as const;
const leaseUntil = new Date(start.getTime() + 60_000);
const waiting: Delivery = { ...common, state: 'waiting', reason: 'sendgrid_503' };
const sending: Delivery = { ...common, state: 'sending', leaseUntil, claimId: 'another worker' };
const request: ClaimRequest = { ...common, claimId: 'mine', now: start };

describe('a message whose mail has a row already', () => {
  it('is done if three tries gave no clear answer', () => {
    const unsure: Delivery = { ...common, state: 'unsure', reason: 'timeout' };
    expect(judgeClaim(unsure, { ...request, attempt: 99 })).toEqual({ outcome: 'done' });
  });

  it.each([
    [waiting, 1, { outcome: 'done' }],
    [sending, 1, { outcome: 'done' }],
    [waiting, 2, 'take'],
    [waiting, 3, 'take'],
  ] as const)('[Q4] is a duplicate if its attempt is behind the row (%#)', (row, attempt, expected) => {
    expect(judgeClaim(row, { ...request, attempt })).toEqual(expected);
  });

  it('is not sent again after a crash if the provider reports that the mail arrived', () => {
    const now = leaseUntil;
    const judged = (['delivered', 'deferred'] as const).map((state) =>
      judgeClaim({ ...sending, provider: { state, at: now } }, { ...request, now }),
    );
    expect(judged).toEqual([{ outcome: 'done' }, 'take']);
  });
});

it('reports move forward by rank, then by time', () => {
  const later = new Date(start.getTime() + 1);
  const delivered = { state: 'delivered', at: start } as const;
  expect(isForward(undefined, delivered)).toBe(true);
  expect(isForward(delivered, delivered)).toBe(false);
  expect(isForward(delivered, { ...delivered, at: later })).toBe(true);
  expect(isForward(delivered, { state: 'bounced', at: start })).toBe(true);
  expect(isForward(delivered, { state: 'deferred', at: later })).toBe(false);
});

const reportOf = (mailId: string, state: MailReport['state'] = 'delivered', at = start): MailReport => ({
  addressHashes: ['A'.repeat(22), addressHash],
  mailId,
  state,
  at,
});

function setUp(mails: number) {
  const t = createTestFlow();
  const ids = Array.from({ length: mails }, (_, nth) => `mail${String(nth).padStart(18, '0')}`);
  const row = {
    kind: 'passwordReset',
    state: 'accepted',
    attempt: 0,
    acceptedAt: start,
    charged: true,
    updatedAt: start,
  };
  for (const id of ids) t.tables.deliveries.edit(addressHash, id, { ...row, backend: 'sendgrid' });
  const told: string[] = [];
  const onReport = async (_hash: string, mailId: string) => void told.push(mailId);
  const note = (reports: readonly MailReport[]) => noteReports({ ...t.deps, onReport }, reports);
  return { ...t, ids, told, note };
}

it('the furthest report of each mail is recorded, in whichever partition of the address it is', async () => {
  const t = setUp(2);
  const [first = '', second = ''] = t.ids;
  const reports = [reportOf(first, 'bounced'), reportOf(first), reportOf(second), reportOf('unknown'.padEnd(22, 'x'))];
  expect(await t.note(reports)).toEqual({ noted: 2, stale: 1, unknown: 1 });
  expect(await t.note([reportOf(first)])).toEqual({ noted: 0, stale: 1, unknown: 0 });
  expect(t.tables.deliveries.rows().map((row) => row['providerState'])).toEqual(['bounced', 'delivered']);
  // Also the repeat: the site's event may not have been queued the first time.
  expect(t.told.sort()).toEqual([first, first, second]);
  const levels = t.events.flatMap((event) => (event.event === 'mailReported' ? [[event.state, event.level]] : []));
  expect(levels.sort()).toEqual([
    ['bounced', 'error'],
    ['delivered', 'info'],
  ]);
});

it('D16 a batch of 1,500 events that was cut is resumed: what is recorded costs one read', async () => {
  const t = setUp(1500);
  const batch = t.ids.map((id) => reportOf(id));
  let merges = 0;
  let isCut = true;
  const cut = () => Promise.reject(new StorageUnavailable('tables', 'timeout'));
  t.tables.deliveries.intercept('merge', (run) => (isCut && ++merges > 1000 ? cut() : run()), 1500);
  await expect(t.note(batch)).rejects.toMatchObject({ name: 'StorageUnavailable' });
  await new Promise(setImmediate);
  isCut = false;
  const recorded = t.tables.deliveries.rows().filter((row) => row['providerState']).length;
  expect(recorded).toBe(1000);
  t.newCalls();
  expect(await t.note(batch)).toEqual({ noted: 1500 - recorded, stale: recorded, unknown: 0 });
  expect(t.newCalls().filter((call) => call === 'merge')).toHaveLength(1500 - recorded);
  expect(new Set(t.told).size).toBe(1500);
});

it('D16 reports are recorded in parallel', async () => {
  const t = setUp(64);
  let [running, most] = [0, 0];
  t.tables.deliveries.intercept(
    'merge',
    async (run) => {
      most = Math.max(most, ++running);
      const result = await run();
      running -= 1;
      return result;
    },
    64,
  );
  await t.note(t.ids.map((id) => reportOf(id)));
  expect(most).toBe(32);
});
