// An hour without the mail provider, on an injected clock: nothing is lost, nothing is doubled, nobody gets a dead link.
import type { Mail } from '../../shared/mail/emailBackend';
import { verifyResetKey } from '../../shared/resetKey';
import { createTestFlow, keyIn, start } from '../support/flow';

const minute = 60_000;
const at = (minutes: number): Date => new Date(start.getTime() + minutes * minute);

it('an outage of an hour delivers every mail once, whose link has its whole life', async () => {
  const t = createTestFlow();
  const people = Array.from({ length: 60 }, (_, nth) => `person${nth}@example.org`);
  for (const email of people) t.addAccount({ email, id: email.slice(0, email.indexOf('@')) });
  const arrivals: { readonly mail: Mail; readonly instant: Date }[] = [];
  let attempts = 0;
  t.email.answer((mail) => {
    const instant = t.clock.now();
    attempts += 1;
    if (instant < at(60)) return { outcome: 'transient', reason: 'sendgrid_503', surelyNotAccepted: true };
    arrivals.push({ mail, instant });
    return { outcome: 'accepted', backend: 'provider' };
  });
  // One request a minute; every message is delivered when it is due, until the queue is empty.
  const due = people.map((email, nth) => ({ instant: at(nth), act: (): Promise<unknown> => t.request(email) }));
  for (let next = due.shift(); next !== undefined; next = due.shift()) {
    t.clock.set(next.instant);
    await next.act();
    for (const { envelope, delaySeconds } of t.queue.takeAll()) {
      const instant = new Date(t.clock.now().getTime() + delaySeconds * 1000);
      due.push({ instant, act: () => t.handle(envelope) });
    }
    due.sort((a, b) => a.instant.getTime() - b.instant.getTime());
    if (attempts > 20_000) throw new Error('the queue does not drain');
  }
  expect(arrivals.map(({ mail }) => mail.to).sort()).toEqual([...people].sort());
  expect(t.queue.poisoned).toEqual([]);
  for (const { mail, instant } of arrivals) {
    const verified = verifyResetKey(t.deps.settings, keyIn(mail), instant);
    const leftMs = verified.outcome === 'valid' ? verified.claims.expiresAt.getTime() - instant.getTime() : 0;
    expect(leftMs).toBeGreaterThanOrEqual(59 * minute);
    expect(instant.getTime()).toBeLessThanOrEqual(at(71).getTime()); // the longest own delay after the outage is over
  }
  // Ten seconds doubling to ten minutes: about ten tries per mail in an hour, not one per second.
  expect(attempts).toBeLessThan(people.length * 14);
  expect(t.outcomes().filter((outcome) => outcome === 'accepted')).toHaveLength(60);
});
