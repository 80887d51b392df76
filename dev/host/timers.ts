// Timer triggers. A run that fails is logged and the schedule goes on; a timer never runs twice at once.
import { Cron } from 'croner';
import { z } from 'zod';
import type { FunctionApp, RegisteredFunction } from './functionApp';

/** The app's timers. */
export interface Timers {
  /**
   * Runs a timer now, or right after a run in progress.
   * @returns false if there is no such timer.
   * @throws whatever the function threw.
   */
  run: (name: string) => Promise<boolean>;
  /** Ends the schedules and waits for the runs in progress. */
  close(): Promise<void>;
}

const timerTrigger = z.object({ type: z.literal('timerTrigger'), schedule: z.string(), runOnStartup: z.boolean() });

/**
 * @param isScheduled false leaves only `run`: no schedule and no run on start-up.
 * @throws Error when a schedule cannot be read.
 */
export function startTimers(app: FunctionApp, isScheduled: boolean): Timers {
  const schedules: Cron[] = [];
  /** By function name: settled when the latest run is over; never rejects. */
  const idle = new Map<string, Promise<void>>();

  const runTimer = (fn: RegisteredFunction): Promise<void> => {
    const input = { json: JSON.stringify({ Schedule: { AdjustForDST: true }, IsPastDue: false }) };
    const run = (idle.get(fn.metadata.name) ?? Promise.resolve()).then(async () => {
      await app.invoke(fn, { data: input });
    });
    // The failure is logged where the function is called.
    idle.set(
      fn.metadata.name,
      run.catch(() => undefined),
    );
    return run;
  };

  const timers = app.functions.flatMap((fn) => {
    const binding = Object.values(fn.metadata.bindings).find(({ type }) => type === 'timerTrigger');
    return binding ? [{ fn, trigger: timerTrigger.parse({ runOnStartup: false, ...binding }) }] : [];
  });
  for (const { fn, trigger } of isScheduled ? timers : []) {
    const quietly = (): Promise<void> => runTimer(fn).catch(() => undefined);
    // As on Azure: six fields, UTC. `protect` skips a run that is due during another.
    schedules.push(new Cron(trigger.schedule, { mode: '6-part', timezone: 'UTC', protect: true }, quietly));
    if (trigger.runOnStartup) void quietly();
  }
  return {
    async run(name) {
      const found = timers.find(({ fn }) => fn.metadata.name === name);
      if (found) await runTimer(found.fn);
      return found !== undefined;
    },
    async close() {
      for (const cron of schedules) cron.stop();
      await Promise.all(idle.values());
    },
  };
}
