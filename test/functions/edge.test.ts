// The edge that every trigger shares: where events go, and what becomes of a bug.
import { HttpRequest, InvocationContext, type LogLevel } from '@azure/functions';
import { backgroundTask, emit, eventLine, httpEndpoint } from '../../functions/edge';
import { buildServices } from '../../shared/services';
import { exampleConfig } from '../support/pages';

const secret = 'canary@somewhere.com';
const bug = Object.assign(new TypeError(`it broke for ${secret}\n    at ${secret}`), { code: 'EBUG' });
const services = buildServices(exampleConfig, emit);

let lines: [LogLevel, string][];
let context: InvocationContext;
beforeEach(() => {
  lines = [];
  const logHandler = (level: LogLevel, ...parts: unknown[]): void => void lines.push([level, parts.join(' ')]);
  context = new InvocationContext({ functionName: 'any', logHandler });
});
const post = () => new HttpRequest({ method: 'POST', url: 'http://localhost/', body: { string: '{}' } });

it('an event goes into the log of its invocation, at its level, as one JSON line', async () => {
  const handler = httpEndpoint('checkKey', services, () => {
    emit({ event: 'hashingBusy', level: 'warn' });
    emit({ event: 'badSettings', level: 'error', problems: ['EMAIL_PORT is no number'] });
    return Promise.resolve({ status: 200, headers: {} });
  });
  await handler(post(), context);
  expect(lines.map(([level, line]) => [level, (JSON.parse(line) as { event: string }).event])).toEqual([
    ['warning', 'hashingBusy'],
    ['error', 'badSettings'],
    ['information', 'answered'],
  ]);
});

it('an event outside of any invocation goes to stderr, not to stdout, which the host drops', () => {
  const stderr = jest.spyOn(process.stderr, 'write').mockReturnValue(true);
  const stdout = jest.spyOn(process.stdout, 'write').mockReturnValue(true);
  emit({ event: 'badSettings', level: 'error', problems: ['EMAIL_PORT is no number'] });
  const written = [stderr.mock.calls, stdout.mock.calls];
  stderr.mockRestore();
  stdout.mockRestore();
  expect(written).toEqual([[['{"event":"badSettings","level":"error","problems":["EMAIL_PORT is no number"]}\n']], []]);
});

it('[Q8] a bug in a timer or queue function is thrown to the host without its text, and logged without it', async () => {
  const thrown: unknown = await backgroundTask('seedSite', () => Promise.reject(bug))({}, context).catch(
    (error: unknown) => error,
  );
  expect(thrown).toEqual(new Error('seedSite failed: TypeError'));
  expect(thrown).not.toHaveProperty('cause');
  expect(lines).toEqual([['error', expect.stringContaining('"event":"taskFailed"')]]);
  expect(lines.join('')).not.toContain(secret);
});

it('[N2] a bug in an HTTP function is a 500 without its text, logged without it', async () => {
  const response = await httpEndpoint('checkKey', services, () => Promise.reject(bug))(post(), context);
  expect(response).toMatchObject({ status: 500, body: expect.stringContaining('internal_error') });
  expect(JSON.stringify(response)).not.toMatch(/canary|TypeError|broke/);
  expect(lines[0]).toEqual(['error', expect.stringContaining('"event":"unexpectedError"')]);
  expect(lines.join('')).not.toContain(secret);
});

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
