import { errorFields } from '../../shared/events';

describe('what is said of an unexpected error', () => {
  it('is its class and code, and never its text', () => {
    const error = Object.assign(new TypeError('secret someuser@somewhere.com'), { code: 'ECONNRESET' });
    const fields = errorFields(error);
    expect(fields).toMatchObject({ errorName: 'TypeError', errorCode: 'ECONNRESET' });
    expect(JSON.stringify(fields)).not.toContain('someuser@');
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
