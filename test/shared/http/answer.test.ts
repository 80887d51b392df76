import { type Answer, corsAnswer, jsonAnswer, withCors } from '../../../shared/http/message';

const site = 'https://www.example.org';
const corsHeadersOf = ({ headers }: Answer): Record<string, unknown> =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => /^access-control|^vary/i.test(name)));
const answersTo = (origin: string, allowed: readonly string[]): Answer[] => {
  const headers = new Headers({ Origin: origin });
  return [corsAnswer(headers, allowed), withCors(jsonAnswer(200, {}), headers, allowed)];
};

it.each([
  'https://evil.example',
  'null',
  `${site}.evil.example`,
  'http://www.example.org',
  `${site}:444`,
  `${site}/`,
  'https://WWW.example.org',
  '',
])('[W3] a cross-origin call from %j gets no permission unless that origin is listed', (origin) => {
  for (const answer of answersTo(origin, [site])) expect(Object.keys(corsHeadersOf(answer))).toEqual(['Vary']);
  for (const answer of answersTo(origin, [])) expect(corsHeadersOf(answer)).toEqual({});
});

it('a cross-origin call from a listed origin may be made and read, without cookies', () => {
  const [preflight, answer] = answersTo(site, ['https://other.example', site]);
  expect(preflight?.status).toBe(204);
  expect(preflight && corsHeadersOf(preflight)).toMatchObject({
    'Access-Control-Allow-Origin': site,
    'Access-Control-Allow-Methods': 'POST',
    'Access-Control-Allow-Headers': 'Content-Type',
    Vary: 'Origin',
  });
  expect(preflight?.headers).not.toHaveProperty('Access-Control-Allow-Credentials');
  expect(answer?.headers).toMatchObject({
    'Access-Control-Allow-Origin': site,
    'Access-Control-Expose-Headers': 'Retry-After',
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
});
