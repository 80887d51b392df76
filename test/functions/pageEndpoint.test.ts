// Who may POST to the pages.
import { isEmbedded, isOwnPost } from '../../functions/pageEndpoint';

const allowed = ['https://app.example.org'];
const own = async (): Promise<string[]> => ['https://codalab.org'];
const never = (): Promise<string[]> => Promise.reject(new Error('the site is not needed'));

it.each([
  [{ 'sec-fetch-site': 'cross-site', origin: 'https://codalab.org' }, false],
  [{ 'sec-fetch-site': 'Cross-Site' }, false],
  [{ 'sec-fetch-site': 'same-origin', origin: 'null' }, true],
  [{ 'sec-fetch-site': 'none' }, true],
  [{}, true],
  [{ origin: 'null' }, true],
  [{ origin: 'https://app.example.org' }, true],
] as const)('decides %j without the site', async (headers, answer) => {
  await expect(isOwnPost(new Headers(headers), allowed, never)).resolves.toBe(answer);
});

it.each([
  ['https://codalab.org', true],
  ['http://codalab.org', false],
  ['https://codalab.org.evil.example', false],
  ['https://codalab.org:8443', false],
  ['', false],
])('compares the origin %j as a whole', async (origin, answer) => {
  await expect(isOwnPost(new Headers({ origin }), allowed, own)).resolves.toBe(answer);
});

it('a neighbour under the same domain is not the site', async () => {
  const from = (origin: string) => new Headers({ 'sec-fetch-site': 'same-site', origin });
  await expect(isOwnPost(from('https://evil.codalab.org'), allowed, own)).resolves.toBe(false);
  await expect(isOwnPost(from('https://codalab.org'), allowed, own)).resolves.toBe(true);
});

it.each([
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'image' }, true],
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'iframe' }, true],
  [{ 'sec-fetch-site': 'cross-site', 'sec-fetch-dest': 'document' }, false], // a link in a web mail
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ 'sec-fetch-site': 'none', 'sec-fetch-dest': 'document' }, false],
  [{}, false],
] as const)('sees in %j whether the link is loaded by another page', (headers, answer) => {
  expect(isEmbedded(new Headers(headers))).toBe(answer);
});
