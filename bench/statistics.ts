// The few numbers the benchmarks report.

/** The value below which a share `q` of the values lies, between two neighbours in proportion. */
export function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((left, right) => left - right);
  const at = (sorted.length - 1) * q;
  const [low = NaN, high = NaN] = [sorted[Math.floor(at)], sorted[Math.ceil(at)]];
  return low + (high - low) * (at - Math.floor(at));
}

export const median = (values: readonly number[]): number => quantile(values, 0.5);

/**
 * Mann–Whitney: the probability that a value of `left` is greater than one of `right`, ties counting half.
 * 0.5 means that a value does not tell which of the two it came from.
 */
export function areaUnderCurve(left: readonly number[], right: readonly number[]): number {
  let wins = 0;
  for (const mine of left) for (const other of right) wins += mine > other ? 1 : mine === other ? 0.5 : 0;
  return wins / (left.length * right.length);
}

/** Rounded for a report. */
export const rounded = (value: number, digits = 3): number => Number(value.toFixed(digits));

type Bound = { readonly atMost: number } | { readonly atLeast: number };

/** One line of the report. */
export interface Figure {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  /** The same of the floor or the empty app; then the bound applies to the ratio. */
  readonly floor?: number | undefined;
  readonly bound?: Bound | undefined;
}

export const figure = (name: string, unit: string, value: number, bound?: Bound): Figure => ({
  ...{ name, unit, value, bound },
});
export const against = (name: string, unit: string, value: number, floor: number, bound?: Bound): Figure => ({
  ...{ name, unit, value, floor, bound },
});

/** A figure over several runs, with the median of the ratios within each run. */
export interface Result extends Figure {
  readonly ratio: number | undefined;
  readonly kept: boolean | undefined;
}

/** The medians over runs; figures of the same name belong together. */
export function medians(runs: readonly (readonly Figure[])[]): Result[] {
  return (runs[0] ?? []).map((first) => {
    const all = runs.flatMap((run) => run.filter(({ name }) => name === first.name));
    const value = median(all.map((one) => one.value));
    const floors = all.flatMap((one) => one.floor ?? []);
    const floor = floors.length === 0 ? undefined : median(floors);
    const ratio = floor === undefined ? undefined : median(all.map((one) => one.value / (one.floor ?? NaN)));
    const { bound } = first;
    const judged = ratio ?? value;
    const kept = bound && ('atMost' in bound ? judged <= bound.atMost : judged >= bound.atLeast);
    return { ...first, value, floor, ratio, kept };
  });
}

/** The results as a Markdown table. */
export function tableOf(results: readonly Result[]): string {
  const show = (shown: number | undefined): string =>
    shown === undefined ? '' : String(rounded(shown, Math.abs(shown) < 100 ? 2 : 0));
  const rows = results.map(({ name, unit, value, floor, ratio, bound, kept }) => {
    const wanted = bound === undefined ? '' : 'atMost' in bound ? `≤ ${bound.atMost}` : `≥ ${bound.atLeast}`;
    const verdict = kept === undefined ? '' : kept ? 'met' : '**missed**';
    return `| ${name} | ${`${show(value)} ${unit}`.trim()} | ${show(floor)} | ${show(ratio)} | ${wanted} | ${verdict} |`;
  });
  return ['| what | app | floor | ratio | bound | |', '|---|---|---|---|---|---|', ...rows].join('\n');
}
