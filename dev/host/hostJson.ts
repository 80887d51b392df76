// Reads the app's host.json: the route prefix and the queue settings the real host takes from there.
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { z } from 'zod';

/** host.json's `extensions.queues`, times in milliseconds. */
export interface QueueSettings {
  batchSize: number;
  newBatchThreshold: number;
  maxDequeueCount: number;
  visibilityTimeoutMs: number;
  maxPollingIntervalMs: number;
  messageEncoding: 'base64' | 'none';
}

/** The part of host.json the dev host honours. */
export interface HostJson {
  routePrefix: string;
  queues: QueueSettings;
}

/** .NET's TimeSpan: `hh:mm:ss`, optionally with days before and fractions behind. */
const timeSpanMs = z
  .string()
  .regex(/^(?:\d+\.)?\d{1,2}:\d{1,2}:\d{1,2}(?:\.\d+)?$/, 'must look like hh:mm:ss')
  .transform((text) => {
    const [clock = '', days = '0'] = text.split(/^(\d+)\.(?=\d+:)/).reverse();
    const [hours = 0, minutes = 0, seconds = 0] = clock.split(':').map(Number);
    return (((Number(days) * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000;
  });

const queuesSchema = z
  .object({
    batchSize: z.int().min(1).max(32).default(16),
    newBatchThreshold: z.int().min(0).optional(),
    maxDequeueCount: z.int().min(1).default(5),
    visibilityTimeout: timeSpanMs.prefault('00:00:00'),
    maxPollingInterval: timeSpanMs.prefault('00:01:00'),
    messageEncoding: z.enum(['base64', 'none']).default('base64'),
  })
  .transform((queues): QueueSettings => ({
    batchSize: queues.batchSize,
    newBatchThreshold: queues.newBatchThreshold ?? Math.floor((queues.batchSize / 2) * availableParallelism()),
    maxDequeueCount: queues.maxDequeueCount,
    visibilityTimeoutMs: queues.visibilityTimeout,
    maxPollingIntervalMs: queues.maxPollingInterval,
    messageEncoding: queues.messageEncoding,
  }));

const hostJsonSchema = z.object({
  version: z.literal('2.0'),
  extensions: z
    .object({
      http: z.object({ routePrefix: z.string().default('api') }).prefault({}),
      queues: queuesSchema.prefault({}),
    })
    .prefault({}),
});

/**
 * Reads and checks a host.json.
 * @param file its path.
 * @returns the settings, with the real host's defaults for what is missing.
 * @throws Error naming the file and each wrong member.
 */
export function readHostJson(file: string): HostJson {
  const result = hostJsonSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
  if (!result.success) throw new Error(`${file} cannot be used:\n${z.prettifyError(result.error)}`);
  const { http, queues } = result.data.extensions;
  return { routePrefix: http.routePrefix, queues };
}
