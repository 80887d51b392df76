import { hashRaw } from '@node-rs/argon2';
import type { AppEvent } from '../../../shared/events';
import { createPasswordEncoder, hashPassword, type PasswordHasher } from '../../../shared/password/passwordHash';
import { start } from '../../support/flow';
import { verifyPassword } from '../../support/verifyPassword';

const password = 'correct horse battery staple';

describe('verifyPassword', () => {
  // From Django's own tests (test_hashers.py), and from Python's hashlib.
  it.each([
    ['secret', 'argon2$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$YC9+jJCrQhs5R6db7LlN8Q'],
    [
      password,
      'argon2$argon2id$v=19$m=19456,t=2,p=1$MDEyMzQ1Njc4OWFiY2RlZg$gy5SuVm5Z7Vw7keB9se9p87QGcomaseB/S2U1OhTsM0',
    ],
    ['lètmein', 'pbkdf2_sha256$1$seasalt$mJQ8D8xVBAKQGCo0t0n+NSPS2a0gQhVtjuC9LdL9WiM='],
    [password, 'pbkdf2_sha256$1000$seasalt2026$9SfXyPsuA2CvmGyQ+ktSDNzbjSdXEwglcS5LQLVRQSc='],
    [
      'lètmein',
      'scrypt$16384$seasalt$8$5$ECMIUp+LMxMSK8xB/IVyba+KYGTI7FTnet025q/1f/vBAVnnP3hdYqJuRi+mJn6ji6ze3Fbb7JEFPKGpuEf5vw==',
    ],
    [
      password,
      'scrypt$16384$seasalt$8$5$RkFDF7kMEVKsl4oHF12VixVtWtDaHns0Kvst1/3H3nJbmItApuESEXj354YWcslyNEeYXVQh4/Y8GTclx0TaJA==',
    ],
  ])('knows %s under %s, and no other password', async (right, encoded) => {
    await expect(verifyPassword(right, encoded)).resolves.toBe(true);
    await expect(verifyPassword(`${right} `, encoded)).resolves.toBe(false);
    await expect(verifyPassword('', encoded)).resolves.toBe(false);
  });

  it.each([
    '',
    '!',
    'md5$salt$0123456789abcdef',
    'argon2$argon2id$broken',
    'pbkdf2_sha256$',
    'pbkdf2_sha256$x$salt$AAAA',
    'pbkdf2_sha256$1000$salt$',
    'scrypt$',
    'scrypt$16384$salt$8$5$',
    'scrypt$1073741824$salt$8$5$AAAA',
  ])('says no, and does not throw, for the encoding %j', async (encoded) => {
    await expect(verifyPassword(password, encoded)).resolves.toBe(false);
    await expect(verifyPassword('', encoded)).resolves.toBe(false);
  });
});

describe('hashPassword', () => {
  it('encodes Argon2id as Django does, at the cost that OWASP asks for', async () => {
    const encoded = await hashPassword(password, 'argon2id');
    const [, salt = '', digest] = /^argon2\$argon2id\$v=19\$m=19456,t=2,p=1\$([^$]+)\$([^$]+)$/.exec(encoded) ?? [];
    const options = { algorithm: 2, memoryCost: 19_456, timeCost: 2, parallelism: 1, outputLen: 32 };
    const derived = await hashRaw(password, { ...options, salt: Buffer.from(salt, 'base64') });
    expect(derived.toString('base64').replace(/=+$/, '')).toBe(digest);
  });

  it.each<[PasswordHasher, RegExp]>([
    ['argon2id', /^argon2\$argon2id\$/],
    ['pbkdf2_sha256', /^pbkdf2_sha256\$1500000\$[\w-]{22}\$[\w+/]{43}=$/],
    ['scrypt', /^scrypt\$16384\$[\w-]{22}\$8\$5\$[\w+/]{86}==$/],
  ])(
    "%s makes a hash at Django's cost that verifies its password alone, and another one every time",
    async (hasher, form) => {
      const [one, two] = await Promise.all([hashPassword(password, hasher), hashPassword(password, hasher)]);
      expect(one).toMatch(form);
      expect(one).not.toBe(two);
      expect(one.length).toBeLessThanOrEqual(128); // the width of Django's column
      await expect(verifyPassword(password, one)).resolves.toBe(true);
      await expect(verifyPassword(password.toUpperCase(), one)).resolves.toBe(false);
    },
  );

  it.each([
    ['the 73rd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`],
    ['what follows a NUL', 'a password with \0x', 'a password with \0y'],
    ['a blank after it', 'a good long password ', 'a good long password'],
    ['a composed letter', 'a password with \u00e9', 'a password with e\u0301'],
    ['the last of 128 emoji', '\u{1F511}'.repeat(128), `${'\u{1F511}'.repeat(127)}\u{1F512}`],
  ])('[P2] tells passwords apart by %s', async (_what, chosen, nearMiss) => {
    const encoded = await hashPassword(chosen, 'argon2id');
    await expect(verifyPassword(chosen, encoded)).resolves.toBe(true);
    await expect(verifyPassword(nearMiss, encoded)).resolves.toBe(false);
  });
});

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
  const emit = (event: AppEvent) => void events.push(event);
  const encode = createPasswordEncoder('argon2id', emit, hash, 2, () => now);
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
