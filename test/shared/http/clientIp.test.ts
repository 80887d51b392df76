import fc from 'fast-check';
import { bucketOf, clientBucket, unknownClient } from '../../../shared/http/client';

describe('clientBucket', () => {
  it('[LM3] takes what the trusted hop wrote, however much a client put before it', () => {
    expect(clientBucket('203.0.113.7', 1)).toBe('203.0.113.7');
    expect(clientBucket('1.2.3.4, 203.0.113.7', 1)).toBe('203.0.113.7');
    expect(clientBucket('9.9.9.9,8.8.8.8, 7.7.7.7,203.0.113.7:50123', 1)).toBe('203.0.113.7');
    expect(clientBucket('1.2.3.4, 203.0.113.7, 10.0.0.1', 2)).toBe('203.0.113.7');
  });

  it('[LM4] puts everybody without a readable address into one bucket', () => {
    for (const header of [
      null,
      '',
      ' ',
      ',',
      '1.2.3.4,',
      'unknown',
      '1.2.3.4, evil',
      '999.1.1.1',
      '1.2.3',
      '01.2.3.4',
    ]) {
      expect(clientBucket(header, 1)).toBe(unknownClient);
    }
  });

  it('[LM4] trusts no header at all when there is no trusted hop, and none that has too few entries', () => {
    expect(clientBucket('1.2.3.4', 0)).toBe(unknownClient);
    expect(clientBucket('1.2.3.4', 2)).toBe(unknownClient);
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
    ['203.0.113.7', '203.0.113.7'],
    [' 203.0.113.7 ', '203.0.113.7'],
    ['203.0.113.7:443', '203.0.113.7'],
    ['::ffff:203.0.113.7', '203.0.113.7'],
    ['::FFFF:cb00:7107', '203.0.113.7'],
    ['[::ffff:203.0.113.7]:443', '203.0.113.7'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['[2001:db8::1]:443', '2001:db8:0:0::/64'],
    ['[2001:0DB8:0:0:ffff::]', '2001:db8:0:0::/64'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2002:cb00:7107::1', '203.0.113.7'], // 6to4
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
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
    const group = fc.integer({ min: 0, max: 0xffff });
    fc.assert(
      fc.property(
        fc.array(group, { minLength: 4, maxLength: 4 }),
        fc.array(group, { minLength: 4, maxLength: 4 }),
        (net, host) => {
          fc.pre(net.some((part) => part !== 0));
          const hex = (parts: number[]): string => parts.map((part) => part.toString(16)).join(':');
          expect(bucketOf(`${hex(net)}:${hex(host)}`)).toBe(`${hex(net)}::/64`);
          expect(bucketOf(`[${hex(net)}:${hex(host).toUpperCase()}]:80`)).toBe(`${hex(net)}::/64`);
        },
      ),
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
