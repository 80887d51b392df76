// The rows whose numbers are too large for real HTTP in every run, on the flow itself: ten thousand forged keys, ten thousand addresses.
import jwt from 'jsonwebtoken';
import { createIpBuckets } from '../../shared/http/ipBuckets';
import { checkKey, redeemKey } from '../../shared/resetFlow';
import { newId } from '../../shared/clock';
import { createTestClock, createTestFlow, goodPassword, secretA, within, type TestFlow } from '../support/flow';

const many = 10_000;
function storageCalls({ tables, queue }: TestFlow): number {
  const { accounts, boundKeys, limits, deliveries } = tables;
  return [accounts, boundKeys, limits, deliveries].reduce((sum, { calls }) => sum + calls.length, queue.sent.length);
}

function forgedKey(t: TestFlow): string {
  const exp = Math.floor(t.clock.now().getTime() / 1000) + 3600;
  const claims = { iss: 'pr', aud: '1', sub: newId(), jti: newId(), exp };
  const header = { alg: 'HS256', typ: 'reset+jwt', kid: secretA.kid } as const;
  return jwt.sign(claims, Buffer.alloc(32, 'guessed'), { algorithm: 'HS256', noTimestamp: true, header });
}

it('[K15] ten thousand forged keys reach no storage and no hash', async () => {
  const t = createTestFlow();
  const signal = within();
  for (let times = 0; times < many; times++) {
    const key = forgedKey(t);
    const outcome =
      times % 2 === 0 ? await checkKey(t.flow, key, signal) : await redeemKey(t.flow, key, goodPassword, signal);
    if (outcome.outcome !== 'invalid_key') throw new Error(outcome.outcome);
  }
  // A hash comes after the key's row was read: without a storage call there was none.
  expect(storageCalls(t)).toBe(0);
}, 60_000);

it('[K15] of ten thousand calls one client gets sixty through, and so does each of two hundred', () => {
  const buckets = createIpBuckets({ burst: 60, refillMs: 60_000 }, createTestClock().now);
  const through = (clients: number): number =>
    Array.from({ length: many }, (_, call) => buckets.take(`redeem:${clients}-${call % clients}`)).filter(
      (wait) => wait === undefined,
    ).length;
  expect(through(1)).toBe(60);
  expect(through(200)).toBe(many); // fifty calls each: within the limit
  expect(through(100)).toBe(100 * 60);
});

it('[LM8] ten thousand unknown addresses leave one row of a limit and nothing else', async () => {
  const t = createTestFlow();
  for (let batch = 0; batch < many / 500; batch++) {
    for (let times = 0; times < 500; times++)
      await t.request(`nobody${batch}-${times}@example.org`, { client: '203.0.113.7' });
    await t.deliverAll(1);
  }
  expect(t.email.tried).toEqual([]);
  expect(t.tables.deliveries.rows()).toEqual([]);
  expect(t.tables.boundKeys.rows()).toEqual([]);
  expect(t.tables.limits.rows()).toHaveLength(1);
  expect(JSON.stringify(t.tables.limits.rows())).not.toContain('nobody');
}, 120_000);
