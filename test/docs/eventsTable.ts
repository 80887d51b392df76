// The table of docs/events.md.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './emittedEvents';

export interface DocumentedEvent {
  readonly levels: readonly string[];
  readonly fields: readonly string[];
  readonly when: string;
}

/** By event name; an event that stands there twice is an error. */
export function documentedEvents(): Map<string, DocumentedEvent> {
  const events = new Map<string, DocumentedEvent>();
  for (const line of readFileSync(path.join(root, 'docs/events.md'), 'utf8').split('\n')) {
    const [, name, levels = '', fields = '', when = ''] =
      /^\| `(\w+)` \| ([^|]*) \| ?([^|]*) \| (.*) \|$/.exec(line) ?? [];
    if (name === undefined) continue;
    if (events.has(name)) throw new Error(`${name} stands in docs/events.md twice`);
    events.set(name, {
      levels: levels.split(',').map((level) => level.trim()),
      fields: [...fields.matchAll(/`(\w+)`/g)].map(([, field = '']) => field),
      when,
    });
  }
  return events;
}
