import { createHash } from 'node:crypto';
import type { AppEvent } from '../../../shared/events';
import {
  cheapProblems,
  type CommonPasswords,
  contextProblems,
  isBreachedPassword,
  loadCommonPasswords,
} from '../../../shared/password/passwordRules';
import {
  type ScriptedSendGrid,
  type SendGridAnswer,
  startScriptedSendGrid as startScriptedApi,
} from '../../fakes/scriptedSendGrid';

let isCommon: CommonPasswords;
beforeAll(async () => {
  isCommon = await loadCommonPasswords();
});

const codesOf = (password: string, minLength = 15): string[] =>
  cheapProblems(password, minLength, isCommon).map(({ code }) => code);
/** So many characters that are no repetition and on no list. */
const random = (length: number, unit = 'qzjxkvbwpyghfcmuldrsaoietn0918273645'): string =>
  Array.from({ length }, (_, index) => unit[(index * 7 + index * index) % unit.length]).join('');

describe('the length of a password', () => {
  it.each([
    [14, ['too_short']],
    [15, []],
    [128, []],
    [129, ['too_long']],
    [1_000_000, ['too_long']],
  ])('[P1] of %d characters gives %j', (length, codes) => {
    expect(codesOf(random(length))).toEqual(codes);
  });

  it('[P1] is counted in code points, not in UTF-16 units or bytes', () => {
    const emoji = Array.from({ length: 200 }, (_, index) =>
      String.fromCodePoint(0x1f400 + (index % 60) + Math.floor(index / 60)),
    );
    expect(codesOf(emoji.slice(0, 14).join(''))).toEqual(['too_short']);
    expect(codesOf(emoji.slice(0, 15).join(''))).toEqual([]);
    expect(codesOf(emoji.slice(0, 128).join(''))).toEqual([]);
    expect(codesOf(emoji.slice(0, 129).join(''))).toEqual(['too_long']);
  });

  it('follows the setting', () => {
    expect(codesOf(random(8), 8)).toEqual([]);
    expect(codesOf(random(7), 8)).toEqual(['too_short']);
    expect(cheapProblems('x', 20, isCommon)[0]?.message).toContain('20');
  });
});

describe('the form of a password', () => {
  it.each([`${random(20)}\ud800`, `\udc00${random(20)}`])('[P2] is refused with a lone surrogate (%#)', (password) => {
    expect(codesOf(password)).toEqual(['malformed']);
  });

  it.each([
    `a password \0 with NUL`,
    ' blanks around this ',
    'パスワードはとても長いほうがよい',
    '\u{1F511}✓ keys to the realm',
  ])('[P2] may be anything else: %j', (password) => {
    expect(codesOf(password)).toEqual([]);
  });
});

describe('a common password', () => {
  it.each(['password', '1234567890', 'Password1'])('[P3] %s is refused', (password) => {
    expect(codesOf(password, 6)).toEqual(['too_common']);
  });

  it.each(['aaaaaaaaaaaaaaa', '123123123123123', 'zq7xzq7xzq7xzq7x', 'passwordpassword', 'PasswordPassword'])(
    '[P3] %s is refused: a weak word, or up to four characters, again and again is as weak',
    (password) => {
      expect(codesOf(password)).toEqual(['too_common']);
    },
  );

  it.each(['the password of my granny', 'zq7xkzq7xkzq7xk'])('[P3] is not seen in %s', (password) => {
    expect(codesOf(password)).toEqual([]);
  });
});

describe('a password about the account or the site', () => {
  const context = {
    username: 'someuser.long',
    email: 'some.address@somewhere.com',
    siteName: 'CodaLab',
    siteDomain: 'codalab.org',
  };
  it.each([
    'someuser.long',
    'someuser long',
    'someuser.long1!',
    'some.address@somewhere.com',
    'some.address',
    'somewhere.com 2026',
    'CodaLabCodaLab',
    'codalabcodalab99',
    '26codalab.org!',
  ])('[P3] %s is refused', (password) => {
    expect(contextProblems(password, context).map(({ code }) => code)).toEqual(['about_you']);
  });

  it.each(['I compete on CodaLab every night', 'someuser and the dragon', 'someuser.long 12345'])(
    '[P3] %s is not: the word is a part of it',
    (password) => {
      expect(contextProblems(password, context)).toEqual([]);
    },
  );

  it('[P3] is not seen in a username of one or two letters', () => {
    expect(contextProblems('abababababababab', { ...context, username: 'ab' })).toEqual([]);
    expect(contextProblems('bobbobbobbobbob', { ...context, username: 'bob' })).toHaveLength(1);
  });

  it('[P3] quotes nothing of the account', () => {
    expect(JSON.stringify(contextProblems('someuser.long', context))).not.toContain('someuser');
  });
});

describe('the breached-password check', () => {
  const password = 'correct horse battery staple';
  const digest = createHash('sha1').update(password).digest('hex').toUpperCase();
  const suffix = digest.slice(5);
  let api: ScriptedSendGrid;
  let events: AppEvent[];
  beforeEach(async () => {
    api = await startScriptedApi();
    events = [];
  });
  afterEach(() => api.close());
  const ask = (answer: SendGridAnswer): Promise<boolean> => {
    api.script(answer);
    return isBreachedPassword(api.url, password, (event) => events.push(event));
  };

  it.each([
    ['a suffix that was seen, among others', `${'0'.repeat(35)}:3\r\n${suffix}:42\r\n${'F'.repeat(35)}:1`, true],
    ['other suffixes', `${'0'.repeat(35)}:3\r\n${suffix.slice(0, -1)}Z:9`, false],
    ['the padding, which counts zero', `${suffix}:0`, false],
    ['nothing', '', false],
  ])('reads %s', async (_what, body, isBreached) => {
    await expect(ask({ status: 200, body })).resolves.toBe(isBreached);
    expect(events).toEqual([]);
  });

  it('lets nothing out but the first five digits of the SHA-1, and asks for padding', async () => {
    await ask({ status: 200 });
    const headers = expect.objectContaining({ 'add-padding': 'true' });
    expect(api.requests).toMatchObject([{ method: 'GET', path: `/range/${digest.slice(0, 5)}`, headers, body: null }]);
    expect(JSON.stringify(api.requests)).not.toContain(suffix.slice(0, 8));
  });

  it.each<[string, SendGridAnswer]>([
    ['500', { status: 500 }],
    ['a redirect', { status: 302, headers: { Location: '/other' } }],
    ['a reset', 'reset'],
  ])('lets the password through, and says so, when the service answers %s', async (_what, answer) => {
    await expect(ask(answer)).resolves.toBe(false);
    expect(api.requests).toHaveLength(1);
    expect(events).toEqual([expect.objectContaining({ event: 'breachCheckSkipped', level: 'warn' })]);
    expect(JSON.stringify(events)).not.toContain(digest.slice(0, 5));
  });

  it.each([
    ['before its answer', 'hang'],
    ['in the middle of it', 'trickleBody'],
  ] as const)('waits no longer than 1.5 s for a service that hangs %s', async (_where, answer) => {
    const late = new AbortController();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(late.signal);
    const asked = ask(answer);
    while (api.requests.length === 0) await new Promise(setImmediate);
    late.abort();
    await expect(asked).resolves.toBe(false);
    expect(timeout).toHaveBeenCalledWith(1500);
    expect(events).toHaveLength(1);
    timeout.mockRestore();
  });
});
