// Who may POST to the pages.
import { isOwnPost } from '../../../shared/http/pageOrigin';

const allowed = ['https://app.example.org'];
const own = async (): Promise<string[]> => ['https://codalab.org'];
const never = (): Promise<string[]> => Promise.reject(new Error('the site is not asked for'));

it.each([
  [{ 'sec-fetch-site': 'cross-site', origin: 'https://codalab.org' }, false],
  [{ 'sec-fetch-site': 'Cross-Site' }, false],
  [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, true],
  [{ 'sec-fetch-site': 'same-site', origin: 'https://www.codalab.org' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{}, true],
  [{ origin: 'null' }, true],
  [{ origin: 'https://app.example.org' }, true],
] as const)('[W3] decides %j without the site', async (headers, answer) => {
  await expect(isOwnPost(new Headers(headers), allowed, never)).resolves.toBe(answer);
});

it.each([
  ['https://codalab.org', true],
  ['http://codalab.org', false],
  ['https://codalab.org.evil.example', false],
  ['https://codalab.org:8443', false],
  ['', false],
])('[W3] compares the origin %j as a whole', async (origin, answer) => {
  await expect(isOwnPost(new Headers({ origin }), allowed, own)).resolves.toBe(answer);
});
