// Every storage and provider call of the story × every fault × once or for a while. The calls are learnt from a run without faults,
// so a new one is driven too. `npm test` runs one cell per call, `npm run test:faults` all.
import { startLane, type Lane } from './lane';
import { faultNames, runStory, steps, type Cell, type FaultName, type Point, type Step } from './story';

const only = process.env['FAULTS_ONLY'];
const isWhole = process.env['FAULTS'] === 'all' || only !== undefined;
const lanes = isWhole ? 16 : 8;

/** With a site row, and with the limit's row of the one client that there is. */
async function warmLane(): Promise<Lane> {
  const lane = await startLane();
  await runStory(lane);
  return lane;
}

/** What the steps call when nothing fails, in a process that has just started and in one that has not. */
async function learnPoints(lanes: readonly [Lane, Lane, Lane, Lane]): Promise<Point[]> {
  const learn = async (lane: Lane, cold: boolean): Promise<Map<string, Point>> => {
    const points = new Map<string, Point>();
    const note = (step: Step, calls: string[]): void => {
      const seen = new Map<string, number>();
      for (const [at, call] of calls.entries()) {
        // A send begins when the request is in the queue, with a call of the request.
        const isRequest = step.startsWith('send') && at === calls.findIndex((one) => one.startsWith('queue POST'));
        const own = isRequest ? 'request' : step;
        const index = seen.get(`${own} ${call}`) ?? 0;
        seen.set(`${own} ${call}`, index + 1);
        points.set(`${own} ${call} ${index}`, { step: own, call, index, cold });
      }
    };
    await runStory(lane, undefined, note, cold);
    return points;
  };
  const [warm, warmAgain, cold, coldAgain] = await Promise.all([
    learn(lanes[0], false),
    learn(lanes[1], false),
    learn(lanes[2], true),
    learn(lanes[3], true),
  ]);
  // What only one of two runs called was a retry, on a machine under load; a warm process reads the site row at any moment.
  const both = (one: Map<string, Point>, other: Map<string, Point>) => [...one].filter(([name]) => other.has(name));
  const always = both(warm, warmAgain).filter(([, { call }]) => !call.includes(' Site'));
  const all = [...new Map([...both(cold, coldAgain), ...always]).values()];
  const twice = all
    .filter(({ step }) => step === 'redeem')
    .map((point) => ({ ...point, step: 'redeem, two at once' as const }));
  return [...all, ...twice].sort((a, b) => steps.indexOf(a.step) - steps.indexOf(b.step));
}

/** Cells in which a send stays without an answer take a minute or more. */
const isSlow = ({ call }: Point, fault: FaultName): boolean =>
  call.startsWith('provider') && ['reply lost', 'reply late', 'lands late', 'hang'].includes(fault);

function cellsOf(points: readonly Point[]): Cell[] {
  if (isWhole) {
    const all = points.flatMap((point) =>
      faultNames.flatMap((fault) => [false, true].map((lasting): Cell => ({ point, fault, lasting }))),
    );
    // The slowest first, so that the lanes end together.
    return all.sort((a, b) => Number(isSlow(b.point, b.fault)) - Number(isSlow(a.point, a.fault)));
  }
  return points.map((point, at): Cell => {
    const { step, call } = point;
    const isCrash = step === 'send' && /ResetKeys|PATCH Deliveries|DELETE/.test(call);
    const fault = isCrash ? 'kill' : (faultNames[(at * 3) % faultNames.length] ?? '503');
    const lasting = at % 2 === 1 && ['request', 'check', 'redeem', 'redeem, two at once'].includes(step);
    return { point, fault: isSlow(point, fault) ? '503' : fault, lasting };
  });
}

const pointName = ({ step, call, index, cold }: Point): string =>
  `${step}: ${call}${index > 0 ? ` (${index + 1}.)` : ''}${cold ? ' (cold)' : ''}`;

/** `✓` held, `✗` did not, `·` not driven in this run; per fault once and for a while. */
function printMatrix(points: readonly Point[], held: ReadonlyMap<Cell, string | undefined>): void {
  const width = Math.max(...points.map((point) => pointName(point).length));
  const lines = [`${' '.repeat(width)}  ${faultNames.join('  ')}`];
  for (const point of points) {
    const marks = faultNames.map((fault) => {
      const mark = [false, true].map((lasting) => {
        const cell = [...held.keys()].find(
          (one) => one.point === point && one.fault === fault && one.lasting === lasting,
        );
        return cell === undefined ? '·' : held.get(cell) === undefined ? '✓' : '✗';
      });
      return mark.join('').padEnd(fault.length);
    });
    lines.push(`${pointName(point).padEnd(width)}  ${marks.join('  ')}`);
  }
  const good = [...held.values()].filter((problem) => problem === undefined).length;
  lines.push(`${points.length} points × ${faultNames.length} faults × 2, ${held.size} cells driven, ${good} held`);
  process.stdout.write(`${lines.join('\n')}\n`);
}

it(
  'whatever call fails in whatever way, nobody is left without a mail, a password or an answer',
  async () => {
    const first = await Promise.all([warmLane(), warmLane(), warmLane(), warmLane()]);
    const points = await learnPoints(first);
    expect(new Set(points.map(({ step }) => step))).toEqual(new Set(steps));
    const cells = cellsOf(points);
    const name = ({ point, fault, lasting }: Cell): string =>
      `${pointName(point)}, ${fault}${lasting ? ' for a while' : ''}`;
    const waiting = cells.filter((cell) => only === undefined || new RegExp(only).test(name(cell)));
    expect(waiting).not.toEqual([]);
    const held = new Map<Cell, string | undefined>();
    const problems: string[] = [];
    const runLane = async (lane: Lane): Promise<void> => {
      for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
        const started = performance.now();
        const problem = await runStory(lane, cell).then(
          () => undefined,
          (error: unknown) => (error instanceof Error ? error.message : String(error)),
        );
        held.set(cell, problem);
        const seconds = Math.round((performance.now() - started) / 1000);
        if (only !== undefined || problem !== undefined) {
          process.stdout.write(`${name(cell)}: ${problem ?? 'held'} (${seconds} s)\n`);
        }
        if (problem === undefined) continue;
        problems.push(`${name(cell)}: ${problem}`);
        // Nothing of a cell that did not hold may disturb the next one.
        await lane.stop();
        lane = await warmLane();
      }
      await lane.stop();
    };
    const more = Array.from({ length: Math.max(0, Math.min(lanes, waiting.length) - first.length) }, warmLane);
    await Promise.all([...first, ...more].map(async (lane) => runLane(await lane)));
    printMatrix(points, held);
    expect(problems).toEqual([]);
  },
  40 * 60_000,
);
