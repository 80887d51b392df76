// Do nearly all requests come from one client? Then TRUSTED_PROXY_HOPS is wrong, or a site's own server calls the public route.
// Seen in the Limits table alone: each mail is charged to one client's bucket and one address's bucket, both list the last mail ids,
// and a client's bucket holds up to 60 of them while an address's holds 3. Bucket names are hashes, so nobody's IP is seen.
import { z } from 'zod';
import { isThere } from './checkTables';
import { ok, questionMs, warn, type Check } from './finding';

const check = 'client addresses';
const lookBackMinutes = 10;
/** With fewer mails a busy office would look the same. */
const minMails = 20;
/** The largest bucket holds the last 60 mails of at most about 70 that one client may ask for in that time. */
const share = 0.8;
const bucket = z.object({ charged: z.string().transform((text) => text.split(',').filter((id) => id !== '')) });

export const checkLimits: Check = async (patient) => {
  if (!(await isThere(patient, 'Limits'))) return [];
  const since = new Date(patient.io.clock().getTime() - lookBackMinutes * 60_000).toISOString();
  const mails = new Set<string>();
  let largest = 0;
  const rows = patient.storage.table('Limits').list(`at ge datetime'${since}'`, AbortSignal.timeout(questionMs));
  for await (const row of rows) {
    const parsed = bucket.safeParse(row);
    if (!parsed.success) continue;
    for (const id of parsed.data.charged) mails.add(id);
    largest = Math.max(largest, parsed.data.charged.length);
  }
  if (largest < minMails || largest < share * mails.size) {
    return [ok(check, `No client asked for most of the mails of the last ${lookBackMinutes} minutes.`)];
  }
  return [
    warn(
      check,
      `Nearly all requests of the last ${lookBackMinutes} minutes seem to come from one client (${largest} of ${mails.size}), so they share one limit.`,
      "Set TRUSTED_PROXY_HOPS to the number of proxies in front of the app. If it is your site's own server that calls: let it use /api/backend/… with clientIp.",
    ),
  ];
};
