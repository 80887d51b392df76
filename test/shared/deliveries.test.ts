import { judgeClaim, type ClaimRequest, type Delivery } from '../../shared/deliveries';
import { start } from '../support/flow';

const row: Delivery = {
  sub: 'cM-Cuc5Ca17_SqXTIlSZcQ',
  id: 'AAECAwQFBgcICQoLDA0ODw',
  kind: 'passwordReset',
  state: 'waiting',
  attempt: 2,
  acceptedAt: start,
  charged: false,
  updatedAt: start,
  etag: 'x',
};
const request: ClaimRequest = { ...row, now: start };
const leaseUntil = new Date(start.getTime() + 60_000);
const sending: Delivery = { ...row, state: 'sending', leaseUntil };

describe('a message of a mail that has a row already', () => {
  it.each(['accepted', 'failed', 'suppressed'] as const)('has nothing to do when the mail is %s', (state) => {
    expect(judgeClaim({ ...row, state }, { ...request, attempt: 99 })).toEqual({ outcome: 'done' });
  });

  it('[Q4] is a duplicate chain when its attempt is behind the row', () => {
    expect(judgeClaim(row, { ...request, attempt: 1 })).toEqual({ outcome: 'done' });
    expect(judgeClaim(sending, { ...request, attempt: 1 })).toEqual({ outcome: 'done' });
  });

  it('takes a waiting mail, by the same or a later attempt', () => {
    expect(judgeClaim(row, request)).toBe('take');
    expect(judgeClaim(row, { ...request, attempt: 3 })).toBe('take');
  });

  it('[Q4] waits while another worker holds the lease', () => {
    expect(judgeClaim(sending, request)).toEqual({ outcome: 'busy', leaseUntil });
    expect(judgeClaim(sending, { ...request, now: new Date(leaseUntil.getTime() - 1) })).toMatchObject({
      outcome: 'busy',
    });
  });

  it('[Q5] takes over when the lease has run out', () => {
    expect(judgeClaim(sending, { ...request, now: leaseUntil })).toBe('take');
  });
});
