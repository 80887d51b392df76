import fc from 'fast-check';
import { withFrontLimit } from '../../functions/edge';
import { charge, createIpBuckets, uncharge, type Bucket, type Rate } from '../../shared/limits';
import { createTestClock, start } from '../support/flow';

const rate: Rate = { burst: 3, refillMs: 300_000 };
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000);

/** Charges one mail after the other. @returns how many were let through, and the last bucket */
function chargeAll(instants: readonly Date[], given: Rate = rate): { passed: number; bucket: Bucket | undefined } {
  let bucket: Bucket | undefined;
  let passed = 0;
  instants.forEach((now, index) => {
    const charged = charge(bucket, given, `mail${index}`, now);
    if (typeof charged !== 'object') return;
    bucket = charged;
    passed += 1;
  });
  return { passed, bucket };
}

describe('the token bucket', () => {
  it('[LM1] lets three mails through at once, refuses the fourth, and lets one more through per five minutes', () => {
    const { passed, bucket } = chargeAll([start, start, start]);
    expect(passed).toBe(3);
    expect(charge(bucket, rate, 'mail0', after(10_000))).toBe('same');
    expect(charge(bucket, rate, 'fourth', start)).toBe('over');
    expect(charge(bucket, rate, 'fourth', after(299))).toBe('over');
    const refilled = charge(bucket, rate, 'fourth', after(300));
    expect(refilled).toMatchObject({ tokens: 0 });
    expect(charge(refilled as Bucket, rate, 'fifth', after(300))).toBe('over');
  });

  it('is never fuller than the burst, and remembers as many mails, so that a row stays small', () => {
    const { bucket } = chargeAll(Array.from({ length: 50 }, (_, index) => after(index * 300)));
    expect(bucket?.charged).toHaveLength(3);
    for (const seconds of [900, 1_000_000]) {
      expect(charge(bucket, rate, 'x', after(50 * 300 + seconds))).toMatchObject({ tokens: 2 });
    }
  });

  it('returns a token once, for a mail that was charged, and never more than the burst', () => {
    const { bucket } = chargeAll([start, start, start]);
    const back = uncharge(bucket as Bucket, rate, 'mail1', start) as Bucket;
    expect(back).toMatchObject({ tokens: 1, charged: ['mail0', 'mail2'] });
    expect(uncharge(back, rate, 'mail1', start)).toBe('same');
    expect(uncharge(back, rate, 'never', start)).toBe('same');
    expect(uncharge(back, rate, 'mail0', after(1_000_000))).toMatchObject({ tokens: 3 });
  });

  it('D8 lets the number per UTC day through, whatever the bucket holds, then one per hour', () => {
    const perDay = { burst: 3, refillMs: 60_000, perDay: 5 };
    const minutes = Array.from({ length: 20 }, (_, minute) => after(minute * 60));
    const { passed, bucket } = chargeAll(minutes, perDay);
    expect(passed).toBe(5);
    expect(charge(bucket, perDay, 'x', after(240 + 3599))).toBe('over');
    expect(charge(bucket, perDay, 'x', after(240 + 3600))).toMatchObject({ dayCount: 6 });
    expect(charge(bucket, perDay, 'x', new Date('2026-03-02T00:00:00Z'))).toMatchObject({ dayCount: 1 });
    const returned = uncharge(bucket as Bucket, perDay, 'mail4', after(1200));
    expect(charge(returned as Bucket, perDay, 'y', after(1200))).toMatchObject({ dayCount: 5 });
  });

  it('never lets more through than burst + elapsed / refill, whenever the mails come', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 400_000 }), { minLength: 1, maxLength: 60 });
    const rates = fc.record({
      burst: fc.integer({ min: 1, max: 20 }),
      refillMs: fc.integer({ min: 1000, max: 600_000 }),
    });
    fc.assert(
      fc.property(gaps, rates, (waits, given) => {
        let ms = start.getTime();
        const instants = waits.map((wait) => new Date((ms += wait)));
        const elapsed = ms - (instants[0]?.getTime() ?? ms);
        const { passed } = chargeAll(instants, given);
        expect(passed).toBeLessThanOrEqual(given.burst + Math.floor(elapsed / given.refillMs + 1e-6));
        expect(passed).toBeGreaterThanOrEqual(Math.min(waits.length, given.burst));
      }),
      { numRuns: 500 },
    );
  });

  it('[TM1] gives an instance whose clock is ten minutes behind the tokens that are there', () => {
    const { bucket } = chargeAll([after(600)]);
    expect(charge(bucket, rate, 'behind', start)).toMatchObject({ tokens: 1, at: after(600) });
  });

  it('[TM1] is not frozen for two hours by a clock that jumped back two hours', () => {
    const { bucket } = chargeAll([after(7200), after(7200), after(7200)]);
    const one = charge(bucket, rate, 'later', start) as Bucket;
    expect(one).toMatchObject({ tokens: 0 });
    expect(charge(one, rate, 'next', after(1))).toBe('over');
    expect(charge(one, rate, 'next', after(300))).toMatchObject({ tokens: 0 });
  });

  it('[TM1] keeps nobody waiting more than fifteen minutes longer after a clock jumped', () => {
    for (const jump of [1, 60, 600, 899, 900, 901, 7200, 86_400 * 365]) {
      const { bucket } = chargeAll([after(jump), after(jump), after(jump)]);
      const tries = [0, 300 + 900].map((seconds) => charge(bucket, rate, 'later', after(seconds)));
      expect(tries).toContainEqual(expect.objectContaining({ charged: expect.arrayContaining(['later']) }));
    }
  });
});

describe('the limit in front', () => {
  const client = '203.0.113.7';
  const rate = { burst: 60, refillMs: 60_000 };
  function setUp(given: typeof rate | 'off' = rate) {
    const clock = createTestClock();
    const buckets = createIpBuckets(given, clock.now);
    const takeMany = (who: string, times: number): number =>
      Array.from({ length: times }, () => buckets.take(who)).filter((wait) => wait === undefined).length;
    return { clock, buckets, takeMany };
  }

  it('[LM2] lets 60 calls of a client through, then one per interval, and says to the second how long to wait', () => {
    const { buckets, clock, takeMany } = setUp();
    expect(takeMany(client, 60)).toBe(60);
    expect(buckets.take(client)).toBe(60);
    expect(takeMany('203.0.113.8', 100)).toBe(60);
    clock.advance(20);
    expect(buckets.take(client)).toBe(40);
    clock.advance(39);
    expect(buckets.take(client)).toBe(1);
    clock.advance(1);
    expect(takeMany(client, 2)).toBe(1);
    clock.advance(3600);
    expect(takeMany(client, 100)).toBe(60);
  });

  it('D9 returns the token of a call that failed on our side: an outage uses up no network’s limit', async () => {
    const { buckets: ipBuckets } = setUp();
    const callTimes = async (times: number, call: () => Promise<string>) => {
      const results = [];
      for (let nth = 0; nth < times; nth++) {
        const called = withFrontLimit({ ipBuckets }, 'request', client, call, () => 'over');
        results.push(await called.catch(() => 'failed'));
      }
      return results;
    };
    const failed = await callTimes(100, () => Promise.reject(new Error('the queue is down')));
    expect(new Set(failed)).toEqual(new Set(['failed']));
    const served = await callTimes(61, async () => 'served');
    expect(served.filter((result) => result === 'served')).toHaveLength(60);
    ipBuckets.refund('never seen');
    expect(await callTimes(1, async () => 'served')).toEqual(['over']);
  });

  it('lets everything through when it is off', () => {
    expect(setUp('off').takeMany(client, 1000)).toBe(1000);
  });

  it('[LM8] keeps a bounded number of clients, and forgets the one longest unseen', () => {
    const { takeMany } = setUp();
    takeMany('regular', 60);
    takeMany('forgotten', 60);
    for (let other = 0; other < 19_998; other++) takeMany(`other${other}`, 1);
    expect(takeMany('regular', 1)).toBe(0); // seen just now
    takeMany('one more', 1);
    expect(takeMany('regular', 1)).toBe(0);
    expect(takeMany('forgotten', 1)).toBe(1);
  });

  it('[TM1] is not frozen for two hours by a clock that jumped back', () => {
    const { clock, takeMany } = setUp();
    clock.advance(7200);
    takeMany(client, 60);
    clock.advance(-7200);
    expect(takeMany(client, 100)).toBe(1);
    clock.advance(60);
    expect(takeMany(client, 100)).toBe(1);
  });
});
