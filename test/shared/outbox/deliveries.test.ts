import { isForward, judgeClaim, type ClaimRequest, type Delivery } from '../../../shared/outbox/deliveries';
import { start } from '../../support/flow';

const common = {
  addressHash: 'cM-Cuc5Ca17_SqXTIlSZcQ',
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
  it.each<Delivery>([
    { ...common, state: 'accepted', backend: 'sendgrid' },
    { ...common, state: 'failed', reason: 'sendgrid_400' },
    { ...common, state: 'unsure', reason: 'timeout' },
    { ...common, state: 'suppressed', reason: 'address_limit', count: 1 },
  ])('is done if the mail is $state', (row) => {
    expect(judgeClaim(row, { ...request, attempt: 99 })).toEqual({ outcome: 'done' });
  });

  it('[Q4] is a duplicate if its attempt is behind the row', () => {
    for (const row of [waiting, sending])
      expect(judgeClaim(row, { ...request, attempt: 1 })).toEqual({ outcome: 'done' });
  });

  it('takes a waiting mail, by the same or a later attempt', () => {
    for (const attempt of [2, 3]) expect(judgeClaim(waiting, { ...request, attempt })).toBe('take');
  });

  it('[Q4] [Q5] waits while another worker holds the lease, and takes over once it has run out', () => {
    const last = new Date(leaseUntil.getTime() - 1);
    expect(judgeClaim(sending, { ...request, now: last })).toEqual({ outcome: 'busy', leaseUntil });
    expect(judgeClaim(sending, { ...request, now: leaseUntil })).toBe('take');
  });

  it('D14 takes its own row: only the reply to the claim was lost', () => {
    expect(judgeClaim(sending, { ...request, claimId: 'another worker' })).toBe('take');
  });

  it('is not sent again after a crash if the provider reports that the mail arrived', () => {
    const now = leaseUntil;
    expect(judgeClaim({ ...sending, provider: { state: 'delivered', at: now } }, { ...request, now })).toEqual({
      outcome: 'done',
    });
    expect(judgeClaim({ ...sending, provider: { state: 'deferred', at: now } }, { ...request, now })).toBe('take');
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
