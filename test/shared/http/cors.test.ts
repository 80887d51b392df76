import { type Answer, corsAnswer, jsonAnswer, withCors } from '../../../shared/http/answer';

const site = 'https://www.example.org';
const from = (origin?: string): Headers => new Headers(origin === undefined ? {} : { Origin: origin });
const corsHeadersOf = ({ headers }: Answer): string[] =>
  Object.keys(headers).filter((name) => /^access-control|^vary/i.test(name));
const foreign = [
  'https://evil.example',
  'null',
  `${site}.evil.example`,
  'http://www.example.org',
  `${site}:444`,
  `${site}/`,
  'https://WWW.example.org',
  '',
];

describe('a cross-origin call', () => {
  it('[W3] gets no permission when no origin is listed', () => {
    for (const origin of [site, ...foreign]) {
      expect(corsHeadersOf(corsAnswer(from(origin), []))).toEqual([]);
      expect(corsHeadersOf(withCors(jsonAnswer(200, {}), from(origin), []))).toEqual([]);
    }
  });

  it.each(foreign)('[W3] from %j gets no permission when another origin is listed', (origin) => {
    expect(corsHeadersOf(corsAnswer(from(origin), [site]))).toEqual(['Vary']);
    expect(corsHeadersOf(withCors(jsonAnswer(200, {}), from(origin), [site]))).toEqual(['Vary']);
  });

  it('from a listed origin may be made and read, without cookies', () => {
    const preflight = corsAnswer(from(site), ['https://other.example', site]);
    expect(preflight).toMatchObject({
      status: 204,
      headers: {
        'Access-Control-Allow-Origin': site,
        'Access-Control-Allow-Methods': 'POST',
        'Access-Control-Allow-Headers': 'Content-Type',
        Vary: 'Origin',
      },
    });
    expect(preflight.headers).not.toHaveProperty('Access-Control-Allow-Credentials');
    const answer = withCors(jsonAnswer(200, {}), from(site), [site]);
    expect(answer.headers).toMatchObject({
      'Access-Control-Allow-Origin': site,
      'Access-Control-Expose-Headers': 'Retry-After',
    });
    expect(answer.headers).toMatchObject({ 'Cache-Control': 'no-store', 'X-Content-Type-Options': 'nosniff' });
  });
});
