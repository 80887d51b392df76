// `npm run bench -- [PHASE…] [--runs N] [--full]`: what the app costs, as ratios taken in one run so that they hold on any machine.
// Prints a table and writes bench/results/bench.json; exits 1 when a bound is missed. Each phase has an Azurite of its own.
import { parseArgs } from 'node:util';
import { measureDirectory } from './directory';
import { measureCpu, measureJourney, measureQueue, measureTail, measureTwo } from './mails';
import { measureLoad, measureMemory, measureStart } from './process';
import { buildApps, machine, writeResults } from './setting';
import { medians, tableOf, type Figure, type Result } from './statistics';
import { countCalls, measureGrowth, measureSend, measureSteps, measureThroughput } from './steps';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { runs: { type: 'string', default: '1' }, full: { type: 'boolean', default: false } },
});

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
  memory: () => measureMemory(values.full ? 10_000 : 1000),
  growth: () => measureGrowth(values.full ? [1000, 10_000, 100_000] : [1000, 10_000]),
  ...(values.full && { bigQueue: () => measureQueue(10_000) }),
};

async function main(): Promise<void> {
  const unknown = positionals.filter((name) => !(name in phases));
  if (unknown.length > 0)
    throw new Error(`no such phase: ${unknown.join(', ')}; there are ${Object.keys(phases).join(', ')}`);
  await buildApps();
  const all: Result[] = [];
  for (const [name, measure] of Object.entries(phases)) {
    if (positionals.length > 0 && !positionals.includes(name)) continue;
    const runs: Figure[][] = [];
    const startedAt = performance.now();
    for (let run = 0; run < Number(values.runs); run++) runs.push(await measure());
    const results = medians(runs);
    all.push(...results);
    console.log(`${name} (${Math.round((performance.now() - startedAt) / 1000)} s)\n${tableOf(results)}\n`);
    await writeResults('bench', { runs: Number(values.runs), results: all }); // after each phase: a long run may be cut short
  }
  const { node, cpus, loadAverage } = machine();
  console.log(
    `${new Date().toISOString()}, Node ${node}, ${cpus} CPUs, load average ${loadAverage}, ${values.runs} run(s)`,
  );
  if (all.some(({ kept }) => kept === false)) process.exitCode = 1;
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
