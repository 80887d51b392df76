import { createClientShare } from '../../../shared/http/clientShare';

/** Notes 500 requests; the client of each by its number. @returns how often a window was reported */
function reports(clientOf: (request: number) => string, windows = 1): number {
  const share = createClientShare();
  let reported = 0;
  for (let request = 0; request < windows * 500; request++) if (share.note(clientOf(request))) reported += 1;
  return reported;
}

it('reports once per window when one client makes nine of ten requests', () => {
  expect(reports((request) => (request % 10 === 0 ? `person${request}` : 'proxy'))).toBe(1);
  expect(reports(() => 'proxy', 3)).toBe(3);
});

it('is silent when the clients differ, or one makes only four of five requests', () => {
  expect(reports((request) => `person${request}`)).toBe(0);
  expect(reports((request) => (request % 5 === 0 ? `person${request}` : 'proxy'))).toBe(0);
});

it('finds the client wherever in the window the others stand', () => {
  expect(reports((request) => (request < 50 ? `person${request}` : 'proxy'))).toBe(1);
  expect(reports((request) => (request >= 450 ? `person${request}` : 'proxy'))).toBe(1);
});
