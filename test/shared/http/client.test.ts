import fc from 'fast-check';
import { withFrontLimit } from '../../../functions/edge';
import { bucketOf, clientBucket, unknownClient } from '../../../shared/http/message';
import { createIpBuckets } from '../../../shared/limits';
import { createTestClock } from '../../support/flow';

describe('clientBucket', () => {
  it.each([
    ['203.0.113.7', 1, '203.0.113.7'],
    ['9.9.9.9,8.8.8.8, 7.7.7.7,203.0.113.7:50123', 1, '203.0.113.7'],
    ['1.2.3.4, 203.0.113.7, 10.0.0.1', 2, '203.0.113.7'],
    ['1.2.3.4', 0, unknownClient],
    ['1.2.3.4', 2, unknownClient],
    [null, 1, unknownClient],
    ['1.2.3.4,', 1, unknownClient],
    ['1.2.3.4, evil', 1, unknownClient],
    ['999.1.1.1', 1, unknownClient],
    ['1.2.3', 1, unknownClient],
    ['01.2.3.4', 1, unknownClient],
  ])('[LM3] [LM4] of %j behind %d trusted hops is %s: what the hop wrote counts', (header, hops, bucket) => {
    expect(clientBucket(header, hops)).toBe(bucket);
  });

  it('[LM3] is never moved by what a client writes to the left', () => {
    const inventions = fc.array(fc.oneof(fc.ipV4(), fc.ipV6(), fc.string()), { maxLength: 6 });
    fc.assert(
      fc.property(inventions, fc.ipV4(), fc.nat(65_535), (invented, peer, port) => {
        expect(clientBucket([...invented, `${peer}:${port}`].join(','), 1)).toBe(peer);
      }),
    );
  });
});

describe('bucketOf', () => {
  it.each([
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:443', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['[2001:0DB8:0:0:ffff::]', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2002:cb00:7107::1', '203.0.113.7'], // 6to4
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', unknownClient],
    ['203.0.113.7:x', unknownClient],
    ['[203.0.113.7', unknownClient],
    ['203.0.113.0/24', unknownClient],
    ['localhost', unknownClient],
    ['', unknownClient],
  ])('of %s is %s', (entry, bucket) => {
    expect(bucketOf(entry)).toBe(bucket);
  });

  it('is the same for every address of an IPv6 /64, and for every spelling of it', () => {
    const half = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 4, maxLength: 4 });
    const hex = (parts: number[]): string => parts.map((part) => part.toString(16)).join(':');
    fc.assert(
      fc.property(half, half, (net, host) => {
        fc.pre(net.some((part) => part !== 0));
        expect(bucketOf(`${hex(net)}:${hex(host)}`)).toBe(`${hex(net)}::/64`);
        expect(bucketOf(`[${hex(net)}:${hex(host).toUpperCase()}]:80`)).toBe(`${hex(net)}::/64`);
      }),
    );
  });

  it('is short, and never the text itself unless that is an address', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 300 }), (text) => {
        expect(bucketOf(text)).toMatch(/^(?:unknown|[\d.]{7,15}|[\da-f:]{7,20}::\/64)$/);
      }),
    );
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
