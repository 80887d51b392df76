// What the flow is promised by the queue `outgoing-mail`; here for the real adapter on Azurite, whose messages are read raw.
import { sealOutgoingMail, type OutgoingMailQueue } from '../../../shared/outgoingMail';
import { newId } from '../../../shared/clock';
import { secretA, start, within } from '../../support/flow';

/** A queue and a look at what is visible in it now. */
export interface QueueUnderTest {
  readonly queue: OutgoingMailQueue;
  readonly visible: () => Promise<unknown[]>;
  readonly poisoned: () => Promise<unknown[]>;
}

export function outgoingMailQueueContract(name: string, make: () => Promise<QueueUnderTest>): void {
  describe(`the queue outgoing-mail (${name})`, () => {
    let under: QueueUnderTest;
    beforeEach(async () => {
      under = await make();
    });
    const envelope = () =>
      sealOutgoingMail(secretA, newId(), { kind: 'resetAddress', email: 'a@b', key: 'k', acceptedAt: start });

    it('keeps what was sent, though the queue was not there before', async () => {
      const message = envelope();
      await under.queue.send(message, 0, within());
      await expect(under.visible()).resolves.toEqual([message]);
    });

    it('hides a message for as long as was asked', async () => {
      await under.queue.send(envelope(), 30, within());
      await expect(under.visible()).resolves.toEqual([]);
    });

    it('[Q1] keeps whatever was poisoned, as it was', async () => {
      await under.queue.poison(envelope(), within());
      await under.queue.poison('no JSON', within());
      await under.queue.poison(null, within());
      const [first, ...rest] = await under.poisoned();
      expect(first).toMatchObject({ v: 1, kid: 'a' });
      expect(rest).toEqual(['no JSON', null]);
    });
  });
}
