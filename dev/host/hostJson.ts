import { readFileSync } from 'node:fs';
import { z } from 'zod';

/** .NET's TimeSpan without days: `hh:mm:ss`, optionally with a fraction. */
const timeSpanMs = z.iso.time().transform((text) => Date.parse(`1970-01-01T${text}Z`));

// The defaults are the real host's.
const queuesSchema = z.object({
  batchSize: z.int().min(1).max(32).default(16),
  newBatchThreshold: z.int().min(0).default(8),
  maxDequeueCount: z.int().min(1).default(5),
  visibilityTimeout: timeSpanMs.prefault('00:00:00'),
  maxPollingInterval: timeSpanMs.prefault('00:01:00'),
  messageEncoding: z.literal('base64', 'must be base64: the dev host reads no other').default('base64'),
});

const hostJsonSchema = z.object({
  version: z.literal('2.0'),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default('api') }).prefault({}),
      queues: queuesSchema.prefault({}),
    })
    .prefault({}),
});

/** host.json's `extensions.queues`, times in milliseconds. */
export type QueueSettings = z.infer<typeof queuesSchema>;

/** Reads the part of host.json that the dev host honours. @throws Error naming the file and each wrong member */
export function readHostJson(file: string): { routePrefix: string; queues: QueueSettings } {
  const result = hostJsonSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!result.success) throw new Error(`${file} cannot be used:\n${z.prettifyError(result.error)}`);
  const { http, queues } = result.data.extensions;
  return { routePrefix: http.routePrefix, queues };
}
