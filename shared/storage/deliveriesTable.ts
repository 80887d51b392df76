// The Deliveries table: partition = hash of the address, row = mail id. No address in it.
import * as z from 'zod';
import {
  alertKinds,
  deliveryStates,
  isForward,
  judgeClaim,
  leaseMs,
  mailKinds,
  providerStates,
  type Claim,
  type Deliveries,
  type Delivery,
  type NotedReport,
} from '../outbox/deliveries';
import { StorageUnavailable } from '../errors';
import { type Decision, equals, updateRow, type Row, type TableStore } from './storage';

/** Beside the mails' partitions, which are 22 characters long. */
const alertPartition = 'alert';
/** The row that counts an address's suppressed mails; mail ids are longer. */
const suppressedRow = 'suppressed';
const columns = z.lazy(() =>
  z.object({
    partitionKey: z.string(),
    rowKey: z.string(),
    etag: z.string(),
    kind: z.enum(mailKinds),
    state: z.enum(deliveryStates),
    attempt: z.int(),
    claimId: z.string().default(''),
    leaseUntil: z.date().optional(),
    acceptedAt: z.date(),
    charged: z.boolean(),
    unsureTries: z.int().default(0),
    refusedTries: z.int().default(0),
    reason: z.string().default(''),
    backend: z.string().default(''),
    count: z.int().default(1),
    updatedAt: z.date(),
    providerState: z.enum(providerStates).optional(),
    providerAt: z.date().optional(),
  }),
);
const alertColumns = z.lazy(() =>
  z.object({
    rowKey: z.string(),
    mailId: z.string().optional(),
    kind: z.enum(alertKinds),
    reason: z.string(),
    at: z.date(),
  }),
);

/** Reads a row; undefined if it is not a delivery. */
export function readDeliveryRow(row: Row): Delivery | undefined {
  const parsed = columns.safeParse(row);
  if (!parsed.success) return undefined;
  const { partitionKey: addressHash, rowKey: id, providerState, providerAt, ...rest } = parsed.data;
  const { state, reason, backend, claimId, count, leaseUntil = new Date(0), ...common } = rest;
  const provider = providerState && providerAt && { state: providerState, at: providerAt };
  const delivery = { ...common, addressHash, id, provider };
  switch (state) {
    case 'sending':
      return { ...delivery, state, leaseUntil, claimId };
    case 'accepted':
      return { ...delivery, state, backend };
    case 'suppressed':
      return { ...delivery, state, reason, count };
    case 'waiting':
    case 'failed':
    case 'unsure':
      return { ...delivery, state, reason };
  }
}

export function createDeliveriesTable(table: TableStore): Deliveries {
  return {
    claim: async (request) => {
      const { addressHash, id, kind, attempt, acceptedAt, claimId, now } = request;
      const leaseUntil = new Date(now.getTime() + leaseMs);
      const lease = { state: 'sending', attempt, leaseUntil, claimId, updatedAt: now } as const;
      const decide = (row: Row | undefined): Decision<Claim> => {
        if (row === undefined) {
          const fresh = { kind, acceptedAt, charged: false, ...lease };
          const unwritten = { unsureTries: 0, refusedTries: 0, provider: undefined, etag: '' };
          return {
            columns: fresh,
            result: { outcome: 'claimed', delivery: { addressHash, id, ...fresh, ...unwritten } },
          };
        }
        const delivery = readDeliveryRow(row);
        if (delivery === undefined) throw new StorageUnavailable('tables', 'bad_delivery_row');
        const judged = judgeClaim(delivery, request);
        if (judged !== 'take') return { result: judged };
        return { columns: lease, result: { outcome: 'claimed', delivery: { ...delivery, ...lease } } };
      };
      const updated = await updateRow(table, addressHash, id, decide, 'absent');
      if (updated.outcome === 'contended') return updated;
      const { result, etag } = updated;
      return result.outcome === 'claimed' ? { ...result, delivery: { ...result.delivery, etag } } : result;
    },
    record: async (delivery, { now, ...change }) => {
      const { addressHash, id, etag } = delivery;
      const columns = { ...change, updatedAt: now };
      if ((await table.merge(addressHash, id, columns, etag)) !== 'stale') return;
      // The provider's webhook may have been faster than this record; the lease of another worker is not ours to end.
      await updateRow(table, addressHash, id, (row) => {
        const found = row && readDeliveryRow(row);
        const isOurs = found?.state === 'sending' && delivery.state === 'sending' && found.claimId === delivery.claimId;
        return { columns: isOurs ? columns : undefined, result: undefined };
      });
    },
    forget: async ({ addressHash, id, etag }) => {
      await table.remove(addressHash, id, etag);
    },
    suppress: async (delivery, reason, now) => {
      const { addressHash, id, kind, etag } = delivery;
      await table.remove(addressHash, id, etag);
      // Best effort: the count is for operators, and a flood of requests contends for this one row.
      await updateRow(table, addressHash, suppressedRow, (row) => {
        const counted = row && readDeliveryRow(row);
        const count = counted?.state === 'suppressed' ? counted.count + 1 : 1;
        const fresh = { kind, attempt: 0, acceptedAt: now, charged: false };
        const columns = { ...(counted === undefined && fresh), state: 'suppressed', reason, count, updatedAt: now };
        return { columns, result: undefined };
      });
    },
    alert: async ({ id, ...columns }) => (await table.insert(alertPartition, id, columns)) !== 'exists',
    alerts: async () => {
      const { rows } = await table.page(equals('PartitionKey', alertPartition), undefined);
      return rows.flatMap((row) => {
        const parsed = alertColumns.safeParse(row);
        return parsed.success && row['told'] !== true
          ? [{ id: parsed.data.rowKey, ...parsed.data, mailId: parsed.data.mailId ?? parsed.data.rowKey }]
          : [];
      });
    },
    markTold: async ({ id }) => {
      await table.merge(alertPartition, id, { told: true }, '*');
    },
    findByAddressHash: async (addressHash) => {
      const found: Delivery[] = [];
      for await (const row of table.list(equals('PartitionKey', addressHash))) {
        const delivery = readDeliveryRow(row);
        if (delivery !== undefined) found.push(delivery);
      }
      return found.sort((a, b) => b.acceptedAt.getTime() - a.acceptedAt.getTime());
    },
    noteProvider: async (addressHash, id, report) => {
      const updated = await updateRow<NotedReport>(table, addressHash, id, (row) => {
        const delivery = row && readDeliveryRow(row);
        if (delivery === undefined) return { result: 'unknown' };
        if (!isForward(delivery.provider, report)) return { result: 'stale' };
        return { columns: { providerState: report.state, providerAt: report.at }, result: 'noted' };
      });
      return updated.outcome === 'contended' ? 'contended' : updated.result;
    },
  };
}
