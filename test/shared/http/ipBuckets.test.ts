import { withFrontLimit } from '../../../functions/edge';
import { createIpBuckets } from '../../../shared/http/client';
import { createTestClock } from '../../support/flow';

const rate = { burst: 60, refillMs: 60_000 };
function setUp(given: typeof rate | 'off' = rate) {
  const clock = createTestClock();
  const buckets = createIpBuckets(given, clock.now);
  const takeMany = (client: string, times: number): number =>
    Array.from({ length: times }, () => buckets.take(client)).filter((wait) => wait === undefined).length;
  return { clock, buckets, takeMany };
}

describe('the limit in front', () => {
  it('[LM2] lets 60 calls through at once and tells the 61st how long to wait', () => {
    const { buckets, takeMany } = setUp();
    expect(takeMany('203.0.113.7', 60)).toBe(60);
    expect(buckets.take('203.0.113.7')).toBe(60);
  });

  it('lets one more through per interval, and its answer is right to the second', () => {
    const { buckets, clock, takeMany } = setUp();
    takeMany('203.0.113.7', 60);
    clock.advance(20);
    expect(buckets.take('203.0.113.7')).toBe(40);
    clock.advance(39);
    expect(buckets.take('203.0.113.7')).toBe(1);
    clock.advance(1);
    expect(takeMany('203.0.113.7', 2)).toBe(1);
    clock.advance(3600);
    expect(takeMany('203.0.113.7', 100)).toBe(60);
  });

  it('D9 returns the token of a call that failed on our side: an outage uses up no network’s limit', async () => {
    const { buckets: ipBuckets } = setUp();
    const callTimes = async (times: number, call: () => Promise<string>) => {
      const over = () => 'over';
      const results = [];
      for (let nth = 0; nth < times; nth++) {
        const called = withFrontLimit({ ipBuckets }, 'request', '203.0.113.7', call, over);
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

  it('knows clients apart', () => {
    const { takeMany } = setUp();
    takeMany('203.0.113.7', 100);
    expect(takeMany('203.0.113.8', 100)).toBe(60);
  });

  it('lets everything through when it is off', () => {
    expect(setUp('off').takeMany('203.0.113.7', 1000)).toBe(1000);
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
    takeMany('203.0.113.7', 60);
    clock.advance(-7200);
    expect(takeMany('203.0.113.7', 100)).toBe(1);
    clock.advance(60);
    expect(takeMany('203.0.113.7', 100)).toBe(1);
  });
});
