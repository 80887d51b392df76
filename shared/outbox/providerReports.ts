// Records what a provider's webhook says about mails.
import type { Emit } from '../events';
import { StorageUnavailable } from '../errors';
import { isForward, type Deliveries, type NotedReport, type ProviderReport } from './deliveries';

/** What a webhook says about one mail. */
export interface MailReport extends ProviderReport {
  /** The partitions that the mail may be recorded in: an international domain has two forms. */
  readonly addressHashes: readonly string[];
  readonly mailId: string;
}

export interface ReportDeps {
  readonly deliveries: Deliveries;
  readonly emit: Emit;
  /** Told of each report, also of one that is recorded already. */
  readonly onReport: (addressHash: string, mailId: string, report: ProviderReport) => Promise<void>;
}

const parallel = 32;

/**
 * Records the furthest report of each mail; what is recorded already costs one read, so that a batch that was cut is resumed.
 * @throws StorageUnavailable: the provider repeats the batch
 */
export async function noteReports(
  deps: ReportDeps,
  reports: readonly MailReport[],
): Promise<Record<'noted' | 'stale' | 'unknown', number>> {
  const furthest = new Map<string, MailReport>();
  for (const report of reports) {
    if (isForward(furthest.get(report.mailId), report)) furthest.set(report.mailId, report);
  }
  const counts = { noted: 0, stale: reports.length - furthest.size, unknown: 0 };
  const waiting = [...furthest.values()];
  const worker = async (): Promise<void> => {
    for (let report = waiting.pop(); report !== undefined; report = waiting.pop()) {
      const noted = await noteReport(deps, report);
      if (noted === 'contended') throw new StorageUnavailable('tables', 'contended');
      counts[noted] += 1;
    }
  };
  await Promise.all(Array.from({ length: parallel }, worker));
  return counts;
}

const bad = new Set(['blocked', 'dropped', 'bounced', 'spamReported']);

async function noteReport(deps: ReportDeps, { addressHashes, mailId, state, at }: MailReport): Promise<NotedReport> {
  for (const addressHash of addressHashes) {
    const noted = await deps.deliveries.noteProvider(addressHash, mailId, { state, at });
    if (noted === 'unknown') continue;
    if (noted === 'noted')
      deps.emit({ event: 'mailReported', level: bad.has(state) ? 'error' : 'info', mailId, state });
    // Also for a repeat: the first time may have ended between the record and the event, whose id is derived.
    if (noted !== 'contended') await deps.onReport(addressHash, mailId, { state, at });
    return noted;
  }
  return 'unknown';
}
