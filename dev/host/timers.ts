// Timer triggers. A run that fails is logged and the schedule goes on; a timer never runs twice at once.
// Unlike the real host it keeps no record on disk, so nothing is ever past due after a restart.
import { Cron } from 'croner';
import { z } from 'zod';
import type { RegisteredFunction } from './coreApi';
import type { FunctionApp } from './functionApp';
import { errorText, type Log } from './log';
import { resolveSettings, type Settings } from './settingsFile';

/** What the timers need. */
export interface TimersOptions {
  app: FunctionApp;
  log: Log;
  settings: Settings;
  /** False leaves only `run`: no schedule and no run on start-up. */
  scheduled: boolean;
}

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

interface Timer {
  cron: Cron;
  runOnStartup: boolean;
  /** Settled when the latest run is over; never rejects. */
  idle: Promise<void>;
  isRunning: boolean;
  last: Date | undefined;
}

const timerTrigger = z.object({ schedule: z.string(), runOnStartup: z.boolean().default(false) });
const neverRan = '0001-01-01T00:00:00+00:00';

/** Starts the schedules. A timer that cannot be scheduled is logged and left out, as on the real host. */
export function startTimers(options: TimersOptions): Timers {
  const timers = new Map<RegisteredFunction, Timer>();
  for (const fn of options.app.functions) {
    const timer = createTimer(options, fn);
    if (timer) timers.set(fn, timer);
  }

  /** A failure is logged where the function is called. */
  const runQuietly = (fn: RegisteredFunction, timer: Timer): void => {
    void runTimer(options.app, fn, timer).catch(() => undefined);
  };
  if (options.scheduled) {
    for (const [fn, timer] of timers) {
      timer.cron.schedule(() => {
        if (!timer.isRunning) runQuietly(fn, timer);
      });
      if (timer.runOnStartup) runQuietly(fn, timer);
    }
  }
  return {
    async run(name) {
      const found = [...timers].find(([fn]) => fn.metadata.name === name);
      if (!found) return false;
      await runTimer(options.app, ...found);
      return true;
    },
    async close() {
      for (const { cron } of timers.values()) cron.stop();
      await Promise.all([...timers.values()].map(({ idle }) => idle));
    },
  };
}

function createTimer({ log, settings }: TimersOptions, fn: RegisteredFunction): Timer | undefined {
  const binding = Object.values(fn.metadata.bindings).find(({ type }) => type === 'timerTrigger');
  if (!binding) return undefined;
  try {
    const { schedule, runOnStartup } = timerTrigger.parse(binding);
    // NCRONTAB: six fields (five: at second 0), `5/15` steps, both day fields must fit, UTC as on Azure.
    const cron = new Cron(resolveSettings(schedule, settings), {
      mode: '5-or-6-parts',
      sloppyRanges: true,
      domAndDow: true,
      timezone: 'UTC',
    });
    return { cron, runOnStartup, idle: Promise.resolve(), isRunning: false, last: undefined };
  } catch (error) {
    log('error', 'host', `The timer '${fn.metadata.name}' cannot be scheduled: ${errorText(error)}`);
    return undefined;
  }
}

function runTimer(app: FunctionApp, fn: RegisteredFunction, timer: Timer): Promise<void> {
  const run = timer.idle.then(async () => {
    timer.isRunning = true;
    try {
      await app.invoke(fn, { data: { json: JSON.stringify(timerInput(timer)) } });
    } finally {
      timer.isRunning = false;
      timer.last = new Date();
    }
  });
  timer.idle = run.catch(() => undefined);
  return run;
}

/** With .NET's capitals, as the real host sends it; the library turns them into camel case. */
function timerInput({ cron, last }: Timer): object {
  const lastText = last?.toISOString() ?? neverRan;
  return {
    Schedule: { AdjustForDST: true },
    ScheduleStatus: { Last: lastText, Next: cron.nextRun()?.toISOString() ?? neverRan, LastUpdated: lastText },
    IsPastDue: false,
  };
}
