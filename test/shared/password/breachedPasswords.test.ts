import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { AppEvent } from '../../../shared/events';
import { isBreachedPassword } from '../../../shared/password/passwordRules';

const password = 'correct horse battery staple';
const digest = createHash('sha1').update(password).digest('hex').toUpperCase();
const suffix = digest.slice(5);

describe('the breached-password check', () => {
  let server: Server;
  let answer: (request: IncomingMessage, response: ServerResponse) => void;
  let requests: IncomingMessage[];
  let events: AppEvent[];
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(request);
      answer(request, response);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    requests = [];
    events = [];
  });
  const url = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const ask = (): Promise<boolean> => isBreachedPassword(url(), password, (event) => events.push(event));
  const lines = (text: string) => {
    answer = (_request, response) => response.end(text);
  };

  it('says yes for a suffix that was seen, among others, with the line ends of the service', async () => {
    lines(`${'0'.repeat(35)}:3\r\n${suffix}:42\r\n${'F'.repeat(35)}:1`);
    await expect(ask()).resolves.toBe(true);
    expect(events).toEqual([]);
  });

  it('says no for other suffixes, and for the padding that counts zero', async () => {
    lines(`${'0'.repeat(35)}:3\r\n${suffix.slice(0, -1)}Z:9`);
    await expect(ask()).resolves.toBe(false);
    lines(`${suffix}:0`);
    await expect(ask()).resolves.toBe(false);
    lines('');
    await expect(ask()).resolves.toBe(false);
    expect(events).toEqual([]);
  });

  it('lets nothing out but the first five digits of the SHA-1, and asks for padding', async () => {
    lines('');
    await ask();
    const [request] = requests;
    expect(request?.method).toBe('GET');
    expect(request?.url).toBe(`/range/${digest.slice(0, 5)}`);
    expect(request?.headers['add-padding']).toBe('true');
    expect(JSON.stringify(request?.headers)).not.toContain(suffix.slice(0, 8));
  });

  it.each([
    ['500', (_: IncomingMessage, response: ServerResponse) => response.writeHead(500).end()],
    ['429', (_: IncomingMessage, response: ServerResponse) => response.writeHead(429).end()],
    [
      'a redirect',
      (_: IncomingMessage, response: ServerResponse) => response.writeHead(302, { Location: '/other' }).end(),
    ],
    ['a reset', (request: IncomingMessage) => request.socket.resetAndDestroy()],
  ])('lets the password through, and says so, when the service answers %s', async (_what, how) => {
    answer = how;
    await expect(ask()).resolves.toBe(false);
    expect(requests).toHaveLength(1);
    expect(events).toEqual([expect.objectContaining({ event: 'breachCheckSkipped', level: 'warn' })]);
    expect(JSON.stringify(events)).not.toContain(digest.slice(0, 5));
  });

  it.each([
    ['before its answer', () => {}],
    ['in the middle of it', (_: IncomingMessage, response: ServerResponse) => void response.write('0'.repeat(35))],
  ])('waits no longer than 1.5 s for a service that hangs %s', async (_where, how) => {
    answer = how;
    const late = new AbortController();
    const timeout = jest.spyOn(AbortSignal, 'timeout').mockReturnValue(late.signal);
    const asked = ask();
    while (requests.length === 0) await new Promise(setImmediate);
    late.abort();
    await expect(asked).resolves.toBe(false);
    expect(timeout).toHaveBeenCalledWith(1500);
    expect(events).toHaveLength(1);
    timeout.mockRestore();
  });
});
