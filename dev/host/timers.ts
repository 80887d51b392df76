// Timer triggers. A run that fails is logged and the schedule goes on; a timer never runs twice at once.
import { Cron } from 'croner';
import { z } from 'zod';
import { bindingOf, type FunctionApp } from './functionApp';

const timerTrigger = z.object({ schedule: z.string(), runOnStartup: z.boolean().default(false) });
const data = { json: JSON.stringify({ Schedule: { AdjustForDST: true }, IsPastDue: false }) };

/** @param isScheduled false leaves only `run`: no schedule and no run on start-up. */
export function startTimers(app: FunctionApp, isScheduled: boolean) {
  const schedules: Cron[] = [];
  /** By function name: settled when the latest run is over; never rejects. */
  const latest = new Map<string, Promise<unknown>>();

  /** Runs a timer now, or right after a run in progress. @returns false if there is none. @throws whatever the function threw. */
  const run = async (name: string): Promise<boolean> => {
    const fn = app.functions.find(({ metadata }) => metadata.name === name);
    const before = latest.get(name);
    if (!fn || !before) return false;
    const own = before.then(() => app.invoke(fn, { data }));
    const over = own.catch(() => undefined);
    latest.set(name, over);
    await own;
    return true;
  };

  for (const fn of app.functions) {
    const binding = bindingOf(fn, 'timerTrigger');
    if (!binding) continue;
    const { name } = fn.metadata;
    const { schedule, runOnStartup } = timerTrigger.parse(binding);
    latest.set(name, Promise.resolve());
    if (!isScheduled) continue;
    // The failure is logged where the function is called.
    const quietly = async (): Promise<void> => {
      await run(name).catch(() => undefined);
    };
    // As on Azure: six fields, UTC. `protect` skips a run that is due during another.
    schedules.push(new Cron(schedule, { mode: '6-part', timezone: 'UTC', protect: true }, quietly));
    if (runOnStartup) void quietly();
  }
  return {
    run,
    /** Ends the schedules and waits for the runs in progress. */
    async close() {
      for (const cron of schedules) cron.stop();
      await Promise.all(latest.values());
    },
  };
}
