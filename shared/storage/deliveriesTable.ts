// The Deliveries table: partition = `sub`, row = mail id. No address in it.
import { odata } from '@azure/data-tables';
import { z } from 'zod';
import { isForward, judgeClaim, leaseMs, providerStates, type Deliveries, type Delivery } from '../deliveries';
import { StorageUnavailable } from '../errors';
import type { Row, TableStore } from './tableStore';

const maxTries = 4;
/** Beside the mails' partitions, which are 22 characters long. */
const alertPartition = 'alert';
const columns = z.object({
  partitionKey: z.string(),
  rowKey: z.string(),
  etag: z.string(),
  kind: z.enum(['passwordReset', 'passwordChanged', 'linkIssued']),
  state: z.enum(['sending', 'waiting', 'accepted', 'failed', 'suppressed']),
  attempt: z.int(),
  leaseUntil: z.date().optional(),
  acceptedAt: z.date(),
  charged: z.boolean(),
  reason: z.string().optional(),
  backend: z.string().optional(),
  updatedAt: z.date(),
  providerState: z.enum(providerStates).optional(),
  providerAt: z.date().optional(),
});
const alertColumns = z.object({
  rowKey: z.string(),
  kind: z.enum(['mail', 'provider']),
  reason: z.string(),
  at: z.date(),
});

/** Reads a row; undefined when it is none of ours. */
export function deliveryOf(row: Row): Delivery | undefined {
  const parsed = columns.safeParse(row);
  if (!parsed.success) return undefined;
  const {
    partitionKey: sub,
    rowKey: id,
    leaseUntil,
    reason,
    backend,
    providerState,
    providerAt,
    ...rest
  } = parsed.data;
  return {
    sub,
    id,
    ...rest,
    ...(leaseUntil && { leaseUntil }),
    ...(reason !== undefined && { reason }),
    ...(backend !== undefined && { backend }),
    ...(providerState && providerAt && { provider: { state: providerState, at: providerAt } }),
  };
}

export function createDeliveriesTable(table: TableStore): Deliveries {
  return {
    claim: async (request, signal) => {
      const { sub, id, kind, attempt, acceptedAt, now } = request;
      const lease = {
        state: 'sending',
        attempt,
        leaseUntil: new Date(now.getTime() + leaseMs),
        updatedAt: now,
      } as const;
      const fresh = { kind, acceptedAt, charged: false, ...lease };
      for (let tries = 0; tries < maxTries; tries++) {
        const inserted = await table.insert(sub, id, fresh, signal);
        if (inserted !== 'exists') return { outcome: 'claimed', delivery: { sub, id, ...fresh, etag: inserted.etag } };
        const stored = await table.get(sub, id, signal);
        if (stored === undefined) continue; // forgotten in between
        const row = deliveryOf(stored);
        if (row === undefined) throw new StorageUnavailable('tables', 'bad_delivery_row');
        const judged = judgeClaim(row, request);
        if (judged !== 'take') return judged;
        const taken = await table.merge(sub, id, lease, row.etag, signal);
        if (taken !== 'stale') return { outcome: 'claimed', delivery: { ...row, ...lease, etag: taken.etag } };
      }
      throw new StorageUnavailable('tables', 'contended');
    },
    record: async (delivery, { now, ...change }, signal) => {
      const values = { ...change, updatedAt: now };
      let { etag } = delivery;
      for (let tries = 0; tries < maxTries; tries++) {
        const written = await table.merge(delivery.sub, delivery.id, values, etag, signal);
        if (written !== 'stale') return { ...delivery, ...values, etag: written.etag };
        // The provider's webhook may have been quicker than our own record; another worker's lease is another's.
        const stored = await table.get(delivery.sub, delivery.id, signal);
        const row = stored === undefined ? undefined : deliveryOf(stored);
        if (row?.state !== delivery.state || row.leaseUntil?.getTime() !== delivery.leaseUntil?.getTime())
          return undefined;
        etag = row.etag;
      }
      return undefined;
    },
    alert: async ({ id, kind, reason, at }, signal) => {
      await table.insert(alertPartition, id, { kind, reason, at }, signal);
    },
    alerts: async (signal) => {
      const { rows } = await table.page(odata`PartitionKey eq ${alertPartition}`, undefined, signal);
      return rows.flatMap((row) => {
        const parsed = alertColumns.safeParse(row);
        return parsed.success ? [{ id: parsed.data.rowKey, ...parsed.data }] : [];
      });
    },
    dropAlert: async ({ id }, signal) => {
      await table.remove(alertPartition, id, '*', signal);
    },
    findBySubject: async (sub, signal) => {
      const found: Delivery[] = [];
      for await (const row of table.list(odata`PartitionKey eq ${sub}`, signal))
        found.push(...[deliveryOf(row) ?? []].flat());
      return found.sort((a, b) => b.acceptedAt.getTime() - a.acceptedAt.getTime());
    },
    noteProvider: async (sub, id, report, signal) => {
      for (let tries = 0; tries < maxTries; tries++) {
        const row = await table.get(sub, id, signal);
        const delivery = row === undefined ? undefined : deliveryOf(row);
        if (delivery === undefined) return 'unknown';
        if (!isForward(delivery.provider, report)) return 'stale';
        const columns = { providerState: report.state, providerAt: report.at };
        if ((await table.merge(sub, id, columns, delivery.etag, signal)) !== 'stale') return 'noted';
      }
      throw new StorageUnavailable('tables', 'contended');
    },
    forget: async (delivery, signal) => {
      await table.remove(delivery.sub, delivery.id, delivery.etag, signal);
    },
  };
}
