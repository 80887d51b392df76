// An hour without the mail provider, on an injected clock: nothing is lost, nothing is doubled, nobody gets a dead link.
import type { Mail, SendResult } from '../../shared/mail/emailBackend';
import { verifyResetKey } from '../../shared/resetKey';
import { createTestFlow, keyIn, start, type TestFlow } from '../support/flow';

const minute = 60_000;
const at = (minutes: number): Date => new Date(start.getTime() + minutes * minute);

/** Delivers every message when it is due, in order of time, until the queue is empty; requests come in between. */
async function run(
  t: TestFlow,
  requests: readonly { readonly email: string; readonly instant: Date }[],
  answer: (now: Date) => SendResult,
) {
  const arrivals: { readonly mail: Mail; readonly instant: Date }[] = [];
  const attempts: Date[] = [];
  t.email.answer((mail) => {
    const instant = t.clock.now();
    attempts.push(instant);
    const result = answer(instant);
    if (result.outcome === 'accepted') arrivals.push({ mail, instant });
    return result;
  });
  const due = requests.map(({ email, instant }) => ({ instant, act: (): Promise<unknown> => t.request(email) }));
  for (let turns = 0; due.length > 0; turns++) {
    if (turns > 20_000) throw new Error('the queue does not drain');
    due.sort((a, b) => a.instant.getTime() - b.instant.getTime());
    const next = due.shift();
    if (next === undefined) break;
    t.clock.set(next.instant);
    await next.act();
    for (const { envelope, delaySeconds } of t.queue.takeAll()) {
      const instant = new Date(t.clock.now().getTime() + delaySeconds * 1000);
      due.push({ instant, act: () => t.handle(envelope) });
    }
  }
  return { arrivals, attempts };
}

describe('an outage of the mail provider', () => {
  it('of an hour delivers every mail once, whose link has its whole life', async () => {
    const t = createTestFlow();
    const people = Array.from({ length: 60 }, (_, index) => ({
      email: `person${index}@example.org`,
      instant: at(index),
    }));
    for (const { email } of people) t.addAccount({ email, id: email.slice(0, email.indexOf('@')) });
    const down = (now: Date): boolean => now < at(60);
    const { arrivals, attempts } = await run(t, people, (now) =>
      down(now)
        ? { outcome: 'transient', reason: 'sendgrid_503', surelyNotAccepted: true }
        : { outcome: 'accepted', backend: 'provider' },
    );
    expect(arrivals.map(({ mail }) => mail.to).sort()).toEqual(people.map(({ email }) => email).sort());
    expect(t.queue.poisoned).toEqual([]);
    for (const { mail, instant } of arrivals) {
      const verified = verifyResetKey(t.deps.settings, keyIn(mail), instant);
      expect(verified.outcome).toBe('valid');
      const leftMs = verified.outcome === 'valid' ? verified.claims.expiresAt.getTime() - instant.getTime() : 0;
      expect(leftMs).toBeGreaterThanOrEqual(59 * minute);
      expect(instant.getTime()).toBeLessThanOrEqual(at(71).getTime()); // the longest own delay after the outage is over
    }
    // Ten seconds doubling to ten minutes: about ten tries per mail in an hour, not one per second.
    expect(attempts.length).toBeLessThan(people.length * 14);
    expect(t.outcomes().filter((outcome) => outcome === 'accepted')).toHaveLength(60);
  });

  it('of more than a day gives up after 24 hours, recorded, alerted and kept for a replay', async () => {
    const t = createTestFlow();
    t.addAccount({ email: 'someuser@somewhere.com' });
    const { arrivals } = await run(t, [{ email: 'someuser@somewhere.com', instant: at(0) }], () => ({
      outcome: 'transient',
      reason: 'sendgrid_503',
      surelyNotAccepted: true,
    }));
    expect(arrivals).toEqual([]);
    expect(t.clock.now().getTime()).toBeGreaterThanOrEqual(at(24 * 60).getTime());
    expect(t.queue.poisoned).toHaveLength(1);
    const states = t.tables.deliveries
      .rows()
      .map(({ partitionKey, state, kind, reason }) => ({ alert: partitionKey === 'alert', state, kind, reason }));
    expect(states).toContainEqual({ alert: false, state: 'failed', kind: 'passwordReset', reason: 'too_late' });
    expect(states).toContainEqual({ alert: true, state: undefined, kind: 'mail', reason: 'too_late' });
  });
});
