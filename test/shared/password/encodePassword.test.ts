import type { AppEvent } from '../../../shared/events';
import { createPasswordEncoder, verifyPassword } from '../../../shared/password/passwordHash';
import { start } from '../../support/flow';

const claimsOf = (nth: number) => ({ addressHash: 'a', jti: `key${nth}`, expiresAt: start });

/** An encoder for two cores whose hashes end when a test says so. */
function setUp() {
  const events: AppEvent[] = [];
  const running: { readonly password: string; end(error?: Error): void }[] = [];
  const hash = (password: string) =>
    new Promise<string>((resolve, reject) => {
      running.push({
        password,
        end: (error) => (error === undefined ? resolve(`hash of ${password}`) : reject(error)),
      });
    });
  let now = 0;
  const encode = createPasswordEncoder(
    'argon2id',
    (event) => events.push(event),
    hash,
    2,
    () => now,
  );
  const advance = (ms: number): void => {
    now += ms;
  };
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  /** Ends all hashes, those that begin meanwhile too. */
  const endAll = async () => {
    for (await settle(); running.length > 0; await settle()) running.shift()?.end();
  };
  return { events, running, encode, settle, endAll, advance };
}

describe('D7 hashing', () => {
  it('runs as many hashes as there are cores, and the others in turn', async () => {
    const t = setUp();
    const encoded = Array.from({ length: 40 }, (_, nth) => t.encode(`password ${nth}`, claimsOf(nth)));
    await t.settle();
    expect(t.running.map(({ password }) => password)).toEqual(['password 0', 'password 1']);
    t.running.shift()?.end();
    await t.settle();
    expect(t.running.map(({ password }) => password)).toEqual(['password 1', 'password 2']);
    await t.endAll();
    expect(await Promise.all(encoded)).toEqual(Array.from({ length: 40 }, (_, nth) => `hash of password ${nth}`));
  });

  it('is busy when a hash would wait for more than two seconds, by what hashes took of late', async () => {
    const t = setUp();
    for (let times = 0; times < 8; times++) {
      const slow = t.encode('slow', claimsOf(0));
      await t.settle();
      t.advance(1000);
      await t.endAll();
      await slow;
    }
    const encoded = Array.from({ length: 6 }, (_, nth) => t.encode(`password ${nth}`, claimsOf(nth)));
    await t.endAll();
    const hashes = await Promise.all(encoded);
    expect(hashes.filter((hash) => hash === undefined)).toHaveLength(1); // four wait for two cores, one more would be late
    expect(t.events).toEqual([{ event: 'hashingBusy', level: 'warn' }]);
  });

  it('runs one hash at a time per key: sixty redemptions of one delay nobody else, and the late ones are busy', async () => {
    const t = setUp();
    const flood = Array.from({ length: 60 }, (_, nth) => t.encode(`flood ${nth}`, claimsOf(1)));
    const other = t.encode('another person', claimsOf(2));
    await t.settle();
    expect(t.running.map(({ password }) => password)).toEqual(['flood 0', 'another person']);
    await t.endAll();
    await expect(other).resolves.toBe('hash of another person');
    expect((await Promise.all(flood)).filter((hash) => hash === undefined)).toHaveLength(19);
  });

  it('frees the place of a hash that failed', async () => {
    const t = setUp();
    const failed = t.encode('a', claimsOf(1));
    const next = t.encode('b', claimsOf(1));
    await t.settle();
    t.running.shift()?.end(new Error('out of memory'));
    await expect(failed).rejects.toThrow('out of memory');
    await t.endAll();
    await expect(next).resolves.toBe('hash of b');
  });
});

it('D2 the same key and password make the same hash, another key another one', async () => {
  const encode = createPasswordEncoder('argon2id', () => undefined);
  const [one, same, other] = await Promise.all([1, 1, 2].map((nth) => encode('a good long password', claimsOf(nth))));
  expect(one).toBe(same);
  expect(one).not.toBe(other);
  await expect(verifyPassword('a good long password', one ?? '')).resolves.toBe(true);
});
