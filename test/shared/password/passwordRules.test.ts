import fc from 'fast-check';
import {
  cheapProblems,
  type CommonPasswords,
  contextProblems,
  loadCommonPasswords,
} from '../../../shared/password/passwordRules';

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
    [0, ['too_short']],
    [14, ['too_short']],
    [15, []],
    [64, []],
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

  it('never makes the rules throw, and never gives more than one reason', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (password) => {
        expect(codesOf(password).length).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe('a common password', () => {
  it.each(['password', 'letmein', 'qwerty123', '1234567890', 'iloveyou', 'PASSWORD', 'Password1'])(
    '[P3] %s is refused',
    (password) => {
      expect(codesOf(password, 6)).toEqual(['too_common']);
    },
  );

  it.each(['aaaaaaaaaaaaaaa', '123123123123123', 'passwordpassword', 'PasswordPassword', 'abababababababab'])(
    '[P3] %s is refused: a weak word again and again is as weak',
    (password) => {
      expect(codesOf(password)).toEqual(['too_common']);
    },
  );

  it('[P3] in a longer sentence is no reason', () => {
    expect(codesOf('the password of my granny')).toEqual([]);
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
    'SOMEUSER.LONG',
    'someuser long',
    'someuser.long1!',
    'someuser.longsomeuser.long',
    'some.address@somewhere.com',
    'some.address',
    'somewhere.com 2026',
    'CodaLabCodaLab',
    'codalabcodalab99',
    'codalab.org',
    '26codalab.org!',
  ])('[P3] %s is refused', (password) => {
    expect(contextProblems(password, context).map(({ code }) => code)).toEqual(['about_you']);
  });

  it.each(['I compete on CodaLab every night', 'someuser and the dragon', 'correct horse battery staple'])(
    '[P3] %s is not: the word is a small part of it',
    (password) => {
      expect(contextProblems(password, context)).toEqual([]);
    },
  );

  it('[P3] is not seen in a username of one or two letters', () => {
    expect(contextProblems('abababababababab', { ...context, username: 'ab' })).toEqual([]);
  });

  it('[P3] quotes nothing of the account', () => {
    expect(JSON.stringify(contextProblems('someuser.long', context))).not.toContain('someuser');
  });
});
