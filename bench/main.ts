// `npm run bench -- [PHASE…] [--runs N] [--short]`: what the app costs, as ratios taken in one run so that they hold on any machine.
// Prints a table and writes bench/results/bench.md and .json; exits 1 when a bound is missed. Each phase has an Azurite of its own.
import { parseArgs } from 'node:util';
import { measureDirectory } from './directory';
import { measureCpu, measureJourney, measureQueue, measureTail, measureTwo } from './mails';
import { measureLoad, measureMemory, measureStart } from './process';
import { buildApps, machine, writeResults } from './setting';
import { medians, tableOf, type Figure, type Result } from './statistics';
import { countCalls, measureGrowth, measureSend, measureSteps, measureThroughput } from './steps';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '1' }, short: { type: 'boolean', default: false } },
});
const scale = values.short ? 0.1 : 1;

const phases: Record<string, () => Promise<Figure[]>> = {
  calls: countCalls,
  load: measureLoad,
  start: measureStart,
  steps: measureSteps,
  send: measureSend,
  directory: measureDirectory,
  throughput: measureThroughput,
  cpu: measureCpu,
  journey: measureJourney,
  tail: measureTail,
  queue: () => measureQueue(1000),
  two: measureTwo,
};
/** These take minutes, and have their repetitions inside. */
const once: typeof phases = {
  bigQueue: () => measureQueue(10_000 * scale),
  memory: () => measureMemory(10_000 * scale),
  growth: () => measureGrowth([1000, 10_000, 100_000].map((size) => size * scale)),
};

async function main(): Promise<void> {
  const all = Object.entries({ ...phases, ...once });
  const unknown = positionals.filter((name) => !all.some(([phase]) => phase === name));
  if (unknown.length > 0)
    throw new Error(`no such phase: ${unknown.join(', ')}; there are ${all.map(([name]) => name).join(', ')}`);
  await buildApps();
  const done: Result[] = [];
  for (const [name, measure] of all) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const runs: Figure[][] = [];
    const startedAt = performance.now();
    const times = name in once ? 1 : Number(values.runs);
    for (let run = 0; run < times; run++) runs.push(await measure());
    const results = medians(runs);
    done.push(...results);
    console.log(`${name} (${Math.round((performance.now() - startedAt) / 1000)} s)\n${tableOf(results)}\n`);
    const { at, node, cpus, loadAverage } = machine();
    const facts = `${at}, Node ${node}, ${cpus} CPUs, load average ${loadAverage}, ${values.runs} run(s)`;
    // After each phase: a long run may be cut short.
    await writeResults('bench', { runs: Number(values.runs), results: done }, `${facts}\n\n${tableOf(done)}\n`);
  }
  const missed = done.filter(({ kept }) => kept === false);
  console.log(tableOf(done));
  console.log(missed.length === 0 ? 'Every bound is met.' : `Missed: ${missed.map(({ name }) => name).join('; ')}`);
  if (missed.length > 0) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
