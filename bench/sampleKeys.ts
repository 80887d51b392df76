// Accounts, keys and queued mails, written straight into the storage.
import { addressHashOf } from '../shared/address';
import { newId } from '../shared/clock';
import type { Config } from '../shared/config';
import { enqueueMail } from '../shared/mailRequest';
import { issueResetKey, resetKeyIdOf } from '../shared/resetKey';
import { createAccountsTable } from '../shared/storage/accountsTable';
import { createOutgoingMailQueue } from '../shared/storage/outgoingMailQueue';
import { createResetKeysTable } from '../shared/storage/resetKeysTable';
import type { StorageClients } from '../shared/storage/storageClients';
import { clientAddress, inParallel } from './http';

/** A key that works, and where its row is. */
export interface SampleKey {
  readonly key: string;
  readonly sub: string;
  readonly resetKeyId: string;
}

const atOnce = 32;
export const addressOf = (index: number): string => `user${String(index).padStart(6, '0')}@somewhere.com`;

/** An account row as a site would write it. */
export async function addAccount(storage: StorageClients, email: string, isActive = true): Promise<void> {
  const columns = { email, username: 'someuser', password: 'pbkdf2_sha256$1$salt$AAAA', isActive, generation: 0 };
  await storage.table('Accounts').insert(addressHashOf(email), '1', columns);
}

/** Adds the accounts of the addresses from one index to before another. */
export async function addAccounts(storage: StorageClients, from: number, to: number): Promise<void> {
  await inParallel(to - from, atOnce, (index) => addAccount(storage, addressOf(from + index)));
}

/** Makes a live key for each of the first accounts. */
export function addKeys(storage: StorageClients, config: Config, count: number): Promise<SampleKey[]> {
  const accounts = createAccountsTable(storage.table('Accounts'), () => undefined);
  const keys = createResetKeysTable(storage.table('ResetKeys'));
  return inParallel(count, atOnce, async (index) => {
    const [account] = await accounts.findByAddress(addressOf(index));
    if (account === undefined) throw new Error('the account was not written');
    const { addressHash, id: accountId, credentialVersion } = account;
    const { key, claims } = issueResetKey(config, addressHash, new Date());
    const resetKeyId = resetKeyIdOf(claims);
    await keys.bind({ addressHash, resetKeyId, accountId, credentialVersion, expiresAt: claims.expiresAt });
    return { key, sub: addressHash, resetKeyId };
  });
}

/** Queues a mail for each address from one index to before another, as the app does. */
export async function queueMails(storage: StorageClients, settings: Config, from: number, to: number): Promise<void> {
  const queue = createOutgoingMailQueue(storage.putMessage);
  await inParallel(to - from, atOnce, async (index) => {
    const email = addressOf(from + index);
    const acceptedAt = new Date();
    const { key } = issueResetKey(settings, addressHashOf(email), acceptedAt);
    const client = clientAddress(from + index);
    await enqueueMail({ settings, queue }, newId(), { kind: 'resetAddress', email, key, acceptedAt, client });
  });
}

/** The same for the floor: messages of the same size that name the account's partition. */
export async function queueFloorMails(storage: StorageClients, from: number, to: number): Promise<void> {
  const queue = await storage.queue('outgoing-mail');
  await inParallel(to - from, atOnce, async (index) => {
    const message = { sub: addressHashOf(addressOf(from + index)), padding: 'x'.repeat(1300) };
    await queue.sendMessage(Buffer.from(JSON.stringify(message)).toString('base64'));
  });
}
