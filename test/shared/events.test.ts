import { eventLine } from '../../functions/edge';
import { errorFields } from '../../shared/events';

describe('an event', () => {
  it.each(['\n', '\u2028', '\u2029', '\u0085', '\u001b[31m', '\0', '\u007f'])(
    '[LG4] is one line of JSON, and cannot be used to forge a second one with %j',
    (char) => {
      const text = `a${char}[ERROR] forged`;
      const event = { event: 'operatorAlertNotSent', level: 'error', reason: text } as const;
      const line = eventLine(event);
      expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}]/u);
      expect(JSON.parse(line)).toEqual(event);
    },
  );

  it('[LG4] is short, whatever is in it', () => {
    const lengths = [200, 201, 100_000];
    const shown = lengths.map((length) => {
      const line = eventLine({ event: 'badSettings', level: 'error', problems: ['z'.repeat(length)] });
      return (JSON.parse(line) as { problems: string[] }).problems;
    });
    expect(shown).toEqual([['z'.repeat(200)], [`${'z'.repeat(200)}…`], [`${'z'.repeat(200)}…`]]);
  });
});

describe('what is said of an unexpected error', () => {
  it('is its class and code, and never its text', () => {
    const error = Object.assign(new TypeError('secret someuser@somewhere.com'), { code: 'ECONNRESET' });
    const fields = errorFields(error);
    expect(fields).toMatchObject({ errorName: 'TypeError', errorCode: 'ECONNRESET' });
    expect(eventLine({ event: 'breachCheckSkipped', level: 'warn', ...fields })).not.toContain('someuser@');
  });

  it('says where it happened, and not what it said, when the text looks like a stack', () => {
    const { errorAt } = errorFields(new Error('first line\n    at someuser@somewhere.com'));
    expect(errorAt).not.toContain('someuser@');
  });

  it.each([[null], [undefined], ['text'], [7], [{ message: 'x' }]])(
    'is the type for what is no Error (%#)',
    (thrown) => {
      expect(errorFields(thrown)).toEqual({ errorName: typeof thrown });
    },
  );
});
