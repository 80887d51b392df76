import { hashRaw } from '@node-rs/argon2';
import { hashPassword, verifyPassword, type PasswordHasher } from '../../../shared/password/passwordHash';

const password = 'correct horse battery staple';
const hashers: readonly PasswordHasher[] = ['argon2id', 'pbkdf2_sha256', 'scrypt'];

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
    '!AbCdEf',
    'md5$salt$0123456789abcdef',
    'plain text',
    'argon2$',
    'argon2$argon2id$broken',
    'pbkdf2_sha256$',
    'pbkdf2_sha256$x$salt$AAAA',
    'pbkdf2_sha256$0$salt$AAAA',
    'pbkdf2_sha256$1000$salt$',
    'scrypt$',
    'scrypt$3$salt$8$5$AAAA',
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

  it("encodes PBKDF2 and scrypt as Django does, at Django's cost", async () => {
    expect(await hashPassword(password, 'pbkdf2_sha256')).toMatch(/^pbkdf2_sha256\$1500000\$[\w-]{22}\$[\w+/]{43}=$/);
    expect(await hashPassword(password, 'scrypt')).toMatch(/^scrypt\$16384\$[\w-]{22}\$8\$5\$[\w+/]{86}==$/);
  });

  it.each(hashers)('%s makes a hash that verifies its password alone, and another one every time', async (hasher) => {
    const [one, two] = await Promise.all([hashPassword(password, hasher), hashPassword(password, hasher)]);
    expect(one).not.toBe(two);
    expect(one.length).toBeLessThanOrEqual(128); // the width of Django's column
    await expect(verifyPassword(password, one)).resolves.toBe(true);
    await expect(verifyPassword(password.toUpperCase(), one)).resolves.toBe(false);
  });

  it.each([
    ['the 73rd byte', `${'x'.repeat(72)}a`, `${'x'.repeat(72)}b`],
    ['what follows a NUL', 'a password with \0x', 'a password with \0y'],
    ['a blank before it', ' a good long password', 'a good long password'],
    ['a blank after it', 'a good long password ', 'a good long password'],
    ['letter case', 'a Good long password', 'a good long password'],
    ['a composed letter', 'a password with \u00e9', 'a password with e\u0301'],
    ['the last of 128 emoji', '\u{1F511}'.repeat(128), `${'\u{1F511}'.repeat(127)}\u{1F512}`],
  ])('[P2] tells passwords apart by %s', async (_what, chosen, nearMiss) => {
    const encoded = await hashPassword(chosen, 'argon2id');
    await expect(verifyPassword(chosen, encoded)).resolves.toBe(true);
    await expect(verifyPassword(nearMiss, encoded)).resolves.toBe(false);
  });
});
