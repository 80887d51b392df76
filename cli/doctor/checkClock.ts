// Is this computer's clock right? Compared with the storage service's. A clock that is off breaks shared-key sign-in and leases.
import { outgoingMailQueueName } from '../../shared/storage/outgoingMailStorageQueue';
import { probeQueue } from '../../shared/storage/storageProbe';
import { ok, questionMs, warn, type Check } from './finding';

const maxSeconds = 60;

export const checkClock: Check = async ({ storage, io }) => {
  const { serverTime } = await probeQueue(storage.queue(outgoingMailQueueName), AbortSignal.timeout(questionMs));
  if (serverTime === undefined) return []; // it does not answer, which another check says
  const seconds = Math.round((io.clock().getTime() - serverTime.getTime()) / 1000);
  if (Math.abs(seconds) <= maxSeconds) return [ok('clock', "This computer's clock agrees with the storage service's.")];
  const what = `This computer's clock is ${Math.abs(seconds)} seconds ${seconds > 0 ? 'ahead of' : 'behind'} the storage service's.`;
  return [
    warn(
      'clock',
      what,
      'Synchronize it (NTP): from 15 minutes on storage refuses account keys, and reset keys expire at the wrong time.',
    ),
  ];
};
