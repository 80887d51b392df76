// What the queue `outgoing-mail` promises; Azurite's messages are read raw.
import { newId } from '../../../shared/clock';
import type { OutgoingMailQueue } from '../../../shared/outbox/outgoingMail';

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
    const envelope = () => ({ v: 1, id: newId(), attempt: 0, kid: 'a', sealed: 'sealed', added: 'by a later version' });

    it('keeps what was sent', async () => {
      const message = envelope();
      await under.queue.send(message, 0);
      await expect(under.visible()).resolves.toEqual([message]);
    });

    it('hides a message for as long as was asked', async () => {
      await under.queue.send(envelope(), 30);
      await expect(under.visible()).resolves.toEqual([]);
    });

    it('[Q1] keeps whatever was poisoned, as it was', async () => {
      await under.queue.poison(envelope());
      await under.queue.poison('no JSON');
      await under.queue.poison(null);
      const [first, ...rest] = await under.poisoned();
      expect(first).toMatchObject({ v: 1, kid: 'a' });
      expect(rest).toEqual(['no JSON', null]);
    });
  });
}
